"""Overview: does this adapter help, where, and can I trust it?"""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.figures import overview
from dashboard.formatting import count
from dashboard.services import catalog, evaluations
from dashboard.views.overview import (
    base_only,
    baselines,
    charts,
    measure_table,
    report,
    unjudged_range,
)
from dashboard.views.overview.groups import group_rows
from dashboard.widgets import adapter_hint, chart, notices, outcome_legend, split_choice
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT
from imrnns_core.evaluation.seen import MEANINGS
from imrnns_core.reporting import answers
from imrnns_core.reporting.change_lines import scope_line
from imrnns_core.reporting.evaluation_answers import answers_of

GROUPS_READING = (
    "The line goes from base to modulated; the number on the right is the change. The band shows "
    "where the modulated mean can be (95 % interval of the change, added to base). Green: a gain, "
    "orange: a loss, grey: no verdict. A verdict needs three things: p of at most 5 % after "
    "Holm’s correction for the number of rows, two kinds of 95 % bootstrap intervals without zero "
    "(one of them is shown), and at least 20 queries that changed."
)

ADAPTER_HEADING = (
    "Does this adapter help?",
    "All queries of a split, base against modulated, grouped by how training used their "
    "relevant documents.",
)
BASE_HEADING = (
    "How good is the search?",
    "All queries of a split: the base ranking, compared with systems that need no training.",
)

OWN_LEFT_OUT = (
    "{} also in the corpus, with the same id and text. This document is left out of the rankings "
    "of its query. The page Data can change that."
)
JUDGED_HERE = "{:,} of {:,} judgments of this split were made here. The page Judging lists them."


def show() -> None:
    """Draw the page."""
    heading = ADAPTER_HEADING if state.has_adapter() else BASE_HEADING
    split = split_choice.heading(*heading)
    adapter_hint.show(
        "a ranking that may be better; this page then tests it on seen and on unseen queries"
    )
    _say_left_out(split)
    if split == UNJUDGED_SPLIT:
        _show_unjudged()
    elif split is not None and not state.has_adapter():
        base_only.show(split)
    elif split is not None:
        _show_judged(split)


def _say_left_out(split: str | None) -> None:
    dataset = catalog.dataset(state.current().data)
    own = sum(q in dataset.left_out for q in dataset.splits.get(split or "", ()))
    if own:
        st.caption(OWN_LEFT_OUT.format(count(own, "query is", "queries are")))


def _show_judged(split: str) -> None:
    selection = state.current()
    # this page has no control for k: it is the one chosen on Failures
    measured = evaluations.evaluation(selection.data, selection.system, split, selection.top_k)
    # measured apart from the evaluation: BM25 is the same for all adapters
    bm25 = evaluations.bm25(selection.data, split)
    unjudged = evaluations.ndcg_range(selection.data, selection.system, split)
    with_baselines = evaluations.baselines(selection.data, selection.system, split)
    _show_answers(*answers_of(measured, with_baselines))
    report.show(split)
    if measured.batch.certainty:
        st.caption(scope_line(measured.batch))
    dataset = catalog.dataset(selection.data)
    if by_people := dataset.judged_by_people(split):
        judgments = sum(map(len, dataset.splits[split].values()))
        st.caption(JUDGED_HERE.format(by_people, judgments))
    if measured.without_relevant:
        notices.show("info", *answers.without_relevant(measured.without_relevant))
    with st.expander("What do the outcomes mean?"):
        st.markdown(
            "Better: rescued or improved. Worse: broken or worsened.\n\n"
            + outcome_legend.markdown(selection.top_k)
        )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Mean of each group", anchor=False)
        st.caption(GROUPS_READING + _group_meanings(measured))
        chart.show(overview.groups(group_rows(measured, bm25), NDCG), "groups")
        charts.gain(evaluations.gain(selection.data, selection.system, split))
        charts.shares(evaluations.shares(selection.data, selection.system, split))
    with right:
        charts.scatter(measured)
        unjudged_range.show(unjudged, measured.judged_means())
    baselines.show(with_baselines)
    measure_table.show(measured, bm25)


def _group_meanings(measured: Evaluation) -> str:
    return "".join(f" {g.capitalize()}: {MEANINGS[g]}." for g in measured.group_masks())


def _show_unjudged() -> None:
    selection = state.current()
    overlap = evaluations.overlap(selection.data, selection.system, selection.top_k)
    _show_answers(*answers.unjudged(overlap))
    left, right = st.columns(2, gap="large")
    with left:
        charts.overlaps(overlap)
    with right:
        if state.has_adapter():
            charts.shares(overlap.shares)


def _show_answers(*shown: answers.Answer) -> None:
    for column, answer in zip(st.columns(len(shown)), shown, strict=True):
        with column:
            notices.answer(answer.kind, answer.question, answer.answer, answer.figures)
