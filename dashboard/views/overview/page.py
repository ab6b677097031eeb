"""Overview: does this adapter help, where, and can I trust it?"""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from dashboard import navigation, state
from dashboard.figures import overview
from dashboard.services import catalog, evaluations
from dashboard.views.overview import measure_table, wording
from dashboard.views.overview.groups import group_rows
from dashboard.widgets import chart, notices, split_choice
from imrnns_core.evaluation.change_decomposition import ChangeDecomposition
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
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
        _shares(evaluations.shares(selection.data, selection.adapter, split))
    with right:
        st.subheader("Query by query", anchor=False)
        st.caption("Above the line it helped. Click a query to compare.")
        _open_clicked(_scatter(measured), "scatter")
    measure_table.show(measured, bm25)
    _memory(selection.data, selection.adapter)


def _unjudged() -> None:
    selection = state.current()
    moved = evaluations.overlap(selection.data, selection.adapter, selection.top_k)
    _answer(*wording.unjudged(moved))
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Query by query", anchor=False)
        st.caption(
            "Each query by the overlap of its two rankings, the most moved first. Click one to "
            "compare its rankings."
        )
        figure = overview.overlaps(moved.rbo, moved.query_ids, _texts(moved.query_ids))
        _open_clicked(figure, "overlaps")
    with right:
        _shares(moved.shares)


def _answer(*given: wording.Answer) -> None:
    for column, answer in zip(st.columns(len(given)), given, strict=True):
        with column:
            notices.answer(answer.kind, answer.question, answer.answer, answer.figures)


def _scatter(measured: Evaluation) -> go.Figure:
    return overview.scatter(
        measured.column("base"),
        measured.column("modulated"),
        measured.query_ids,
        _texts(measured.query_ids),
        None if measured.groups is None else measured.groups.tolist(),
        NDCG,
    )


def _open_clicked(figure: go.Figure, key: str) -> None:
    for (query_id,) in chart.clicks(figure, key).new[:1]:
        navigation.go_to_query(str(query_id))


def _shares(parts: ChangeDecomposition) -> None:
    st.subheader("Where the change of scores comes from", anchor=False)
    shares = {
        "projector": parts.projector,
        "constant modulation": parts.constant,
        "query-specific modulation": parts.query_specific,
    }
    if any(shares.values()):
        chart.show(overview.shares(shares), "shares")
    else:
        st.caption(wording.NO_SHARES)


def _texts(query_ids: Sequence[str]) -> list[str]:
    queries = catalog.dataset(state.current().data).queries
    return [queries[query_id].text for query_id in query_ids]


def _memory(data: str, adapter_name: str) -> None:
    """Say so where the adapter holds sentences of the collection."""
    card = catalog.load_adapter(adapter_name).card
    held = card.outcome.start.get("sentences") if card.outcome else None
    if held:
        notices.show("info", *wording.memory(held, card.dataset, data))
