"""Overview: does this adapter help, where, and can I trust it?"""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.figures import overview
from dashboard.services import catalog, evaluations
from dashboard.views.overview import charts, measure_table, wording
from dashboard.views.overview.groups import group_rows
from dashboard.widgets import chart, notices, split_choice
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT
from imrnns_core.evaluation.verdicts import judge_effect, judge_generalization, judge_outcomes


def show() -> None:
    """Draw the page."""
    split = split_choice.heading(
        "Does this adapter help?",
        "All queries of a split. Those of which the adapter met a relevant document in training "
        "are called seen.",
    )
    if split == UNJUDGED_SPLIT:
        _unjudged()
    elif split is not None:
        _judged(split)


def _judged(split: str) -> None:
    selection = state.current()
    measured = evaluations.evaluation(selection.data, selection.adapter, split, selection.top_k)
    bm25 = evaluations.bm25(selection.data, split)
    _answer(
        wording.helps(judge_effect(measured, bm25)),
        wording.where(judge_outcomes(measured)),
        wording.trust(judge_generalization(measured)),
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Mean of each group", anchor=False)
        chart.show(overview.groups(group_rows(measured, bm25), NDCG), "groups")
        charts.shares(evaluations.shares(selection.data, selection.adapter, split))
    with right:
        charts.scatter(measured)
    measure_table.show(measured, bm25)
    _memory(selection.data, selection.adapter)


def _unjudged() -> None:
    selection = state.current()
    moved = evaluations.overlap(selection.data, selection.adapter, selection.top_k)
    _answer(*wording.unjudged(moved))
    left, right = st.columns(2, gap="large")
    with left:
        charts.overlaps(moved)
    with right:
        charts.shares(moved.shares)


def _answer(*given: wording.Answer) -> None:
    for column, answer in zip(st.columns(len(given)), given, strict=True):
        with column:
            notices.answer(answer.kind, answer.question, answer.answer, answer.figures)


def _memory(data: str, adapter_name: str) -> None:
    """Say so where the adapter holds sentences of the collection."""
    card = catalog.load_adapter(adapter_name).card
    held = card.outcome.initialization.get("sentences") if card.outcome else None
    if held:
        notices.show("info", *wording.memory(held, card.dataset, data))
