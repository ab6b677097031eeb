"""The charts of the page: query by query, and where the change of scores comes from."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from dashboard import navigation, state
from dashboard.figures import overview
from dashboard.services import catalog
from dashboard.views.overview import wording
from dashboard.widgets import chart
from imrnns_core.evaluation.change_decomposition import ChangeDecomposition
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.rank_overlap import RankOverlap


def scatter(measured: Evaluation) -> None:
    """Draw each query by its measure in both rankings; a click opens it."""
    st.subheader("Query by query", anchor=False)
    st.caption("Above the line it helped. Click a query to compare.")
    figure = overview.scatter(
        measured.column("base"),
        measured.column("modulated"),
        measured.query_ids,
        _texts(measured.query_ids),
        None if measured.groups is None else measured.groups.tolist(),
        NDCG,
    )
    _open_clicked(figure, "scatter")


def overlaps(moved: RankOverlap) -> None:
    """Draw each query by the overlap of its rankings; a click opens it."""
    st.subheader("Query by query", anchor=False)
    st.caption(
        "Each query by the overlap of its two rankings, the most moved first. Click one to "
        "compare its rankings."
    )
    figure = overview.overlaps(moved.rbo, moved.query_ids, _texts(moved.query_ids))
    _open_clicked(figure, "overlaps")


def shares(parts: ChangeDecomposition) -> None:
    """Draw the shares of the change, where there is one."""
    st.subheader("Where the change of scores comes from", anchor=False)
    named = {
        "projector": parts.projector,
        "constant modulation": parts.constant,
        "query-specific modulation": parts.query_specific,
    }
    if any(named.values()):
        chart.show(overview.shares(named), "shares")
    else:
        st.caption(wording.NO_SHARES)


def _open_clicked(figure: go.Figure, key: str) -> None:
    for (query_id,) in chart.clicks(figure, key).new[:1]:
        navigation.go_to_query(str(query_id))


def _texts(query_ids: Sequence[str]) -> list[str]:
    queries = catalog.dataset(state.current().data).queries
    return [queries[query_id].text for query_id in query_ids]
