"""Overview: does this adapter help, where, and can I trust it?"""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.figures import overview
from dashboard.services import catalog, evaluations
from dashboard.views.overview import baselines, charts, measure_table, wording
from dashboard.views.overview.groups import group_rows
from dashboard.widgets import chart, notices, outcome_legend, split_choice
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT
from imrnns_core.evaluation.verdicts import judge_effect, judge_generalization, judge_outcomes

GROUPS_READING = (
    "The line goes from base to modulated; the number on the right is the change. Band: the 95 % "
    "interval of the change, drawn from the base. Green: a gain, orange: a loss, grey: it includes "
    "zero."
)
ALL_UNSEEN = " No judged query was a training example of this adapter, so all queries are unseen."


def show() -> None:
    """Draw the page."""
    split = split_choice.heading(
        "Does this adapter help?",
        "All queries of a split, base against modulated. A query is “seen” if one of its relevant "
        "documents was used in training.",
    )
    if split == UNJUDGED_SPLIT:
        _show_unjudged()
    elif split is not None:
        _show_judged(split)


def _show_judged(split: str) -> None:
    selection = state.current()
    # this page has no control for k: it is the one chosen on Failures
    measured = evaluations.evaluation(selection.data, selection.adapter, split, selection.top_k)
    # measured apart from the evaluation: BM25 is the same for all adapters
    bm25 = evaluations.bm25(selection.data, split)
    with_baselines = evaluations.baselines(selection.data, selection.adapter, split)
    _show_answers(
        baselines.with_strongest(
            wording.helps(judge_effect(measured, bm25)), with_baselines.judge()
        ),
        wording.where(judge_outcomes(measured)),
        wording.trust(judge_generalization(measured)),
    )
    with st.expander("What do the outcomes mean?"):
        st.markdown(
            "Better: rescued or improved. Worse: broken or worsened.\n\n"
            + outcome_legend.markdown(selection.top_k)
        )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Mean of each group", anchor=False)
        st.caption(GROUPS_READING + (ALL_UNSEEN if _all_unseen(measured) else ""))
        chart.show(overview.groups(group_rows(measured, bm25), NDCG), "groups")
        charts.shares(evaluations.shares(selection.data, selection.adapter, split))
    with right:
        charts.scatter(measured)
    baselines.show(with_baselines)
    measure_table.show(measured, bm25)
    _show_memory(selection.data, selection.adapter)


def _all_unseen(measured: Evaluation) -> bool:
    return measured.groups is not None and bool((measured.groups == "unseen").all())


def _show_unjudged() -> None:
    selection = state.current()
    overlap = evaluations.overlap(selection.data, selection.adapter, selection.top_k)
    _show_answers(*wording.unjudged(overlap))
    left, right = st.columns(2, gap="large")
    with left:
        charts.overlaps(overlap)
    with right:
        charts.shares(overlap.shares)


def _show_answers(*answers: wording.Answer) -> None:
    for column, answer in zip(st.columns(len(answers)), answers, strict=True):
        with column:
            notices.answer(answer.kind, answer.question, answer.answer, answer.figures)


def _show_memory(data: str, adapter_name: str) -> None:
    """Say so if the adapter stores sentences of a collection."""
    card = catalog.load_adapter(adapter_name).card
    # imported adapters have no outcome of a training run
    sentences = card.outcome.initialization.get("sentences") if card.outcome else None
    if sentences:
        notices.show("info", *wording.memory(sentences, card.dataset, data))
