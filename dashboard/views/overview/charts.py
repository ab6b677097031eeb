"""The charts of the page: one mark per query, and what changes the scores."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from dashboard import navigation, state
from dashboard.figures import adapter_parts, overview
from dashboard.services import catalog
from dashboard.widgets import chart
from imrnns_core.evaluation.change_decomposition import ChangeDecomposition
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.gain_decomposition import GainDecomposition
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.reporting import answers
from imrnns_core.types import DoubleArray

SHARES_READING = (
    "A rank changes only if candidates gain or lose different amounts of score. Each bar is the "
    "share of these differences that one part of the adapter makes. Constant modulation: the mean "
    "scales and biases of all queries, as if each query modulated alike. Query-specific "
    "modulation: what each query’s own scales and biases add to it. A part with a negative share "
    "works against the others."
)


GAIN_READING = (
    "The parts of the adapter are added one after the other. A bar is the change of "
    f"{NDCG} when this part is added, averaged over all orders (Shapley value). Before rounding, "
    f"the bars add up to modulated − base. Line: 95 % interval. “Without it”: {NDCG} if only this "
    "part is missing; with all parts, it is {:.4f}."
)
PROJECTOR_FIRST = (
    " This projector changes the number of dimensions, so no other part works without it. Its part "
    "is the step from base to projected."
)


def scatter(measured: Evaluation) -> None:
    """Draw each query by its measure in the base and the modulated ranking."""
    groups = None if measured.groups is None else measured.groups.tolist()
    scatter_of(measured, measured.column("modulated"), ("base", "modulated"), groups)


def scatter_of(
    measured: Evaluation,
    other: DoubleArray,
    names: tuple[str, str],
    groups: Sequence[str] | None,
) -> None:
    """Draw each query by its measure in base and another ranking. A click opens it in Compare.

    Args:
        measured: The evaluation of Q queries.
        other: (Q,) nDCG@10 of the other ranking.
        names: Both names.
        groups: (Q,) group of each query, if the groups are shown.
    """
    st.subheader("Query by query", anchor=False)
    st.caption(
        f"One mark per query. Above the dotted line, {names[1]} is better than base. "
        "Points at the same place are moved apart slightly. Click a point to open the query in "
        "Compare."
    )
    figure = overview.scatter(
        measured.column("base"),
        other,
        measured.query_ids,
        _texts(measured.query_ids),
        groups,
        NDCG,
        names[1],
    )
    _open_clicked(figure, "scatter")


def overlaps(overlap: RankOverlap) -> None:
    """Draw each query by the overlap of its rankings. A click opens it in Compare."""
    st.subheader("Query by query", anchor=False)
    st.caption(
        f"One mark per query, smallest overlap first: the more base and {overlap.other} ranking "
        "differ, the smaller the overlap. Click a point to open the query in Compare."
    )
    figure = overview.overlaps(overlap.rbo, overlap.query_ids, _texts(overlap.query_ids))
    _open_clicked(figure, "overlaps")


def gain(parts: GainDecomposition | None) -> None:
    """Draw each part of the change of nDCG@10."""
    st.subheader(f"What changes {NDCG}", anchor=False)
    if parts is None:
        st.caption(answers.TOO_FEW_FOR_PARTS)
        return
    st.caption(
        GAIN_READING.format(parts.complete) + (PROJECTOR_FIRST if parts.projector_first else "")
    )
    values = {
        "projector": parts.projector,
        "constant modulation": parts.constant,
        "query-specific modulation": parts.query_specific,
    }
    chart.show(adapter_parts.gain(values, parts.complete, parts.measure), "gain")


def shares(parts: ChangeDecomposition | None) -> None:
    """Draw each part's share of the score change, if there is any change."""
    st.subheader("What changes the scores", anchor=False)
    if parts is None:
        st.caption(answers.TOO_FEW_FOR_PARTS)
        return
    values = {
        "projector": parts.projector,
        "constant modulation": parts.constant,
        "query-specific modulation": parts.query_specific,
    }
    # all shares are 0 if no score changes relative to the other candidates
    if any(values.values()):
        st.caption(SHARES_READING)
        chart.show(adapter_parts.shares(values), "shares")
    else:
        st.caption(answers.NO_SHARES)


def _open_clicked(figure: go.Figure, key: str) -> None:
    # only new clicks: the old selection would open the query again on the way back
    for (query_id,) in chart.clicks(figure, key).new[:1]:
        navigation.go_to_query(str(query_id))


def _texts(query_ids: Sequence[str]) -> list[str]:
    queries = catalog.dataset(state.current().data).queries
    return [queries[query_id].text for query_id in query_ids]
