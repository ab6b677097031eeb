"""Modulation: how do the query and the documents act on each other?"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from dashboard import resources, state
from dashboard.components import chart, document_panel, notices
from dashboard.figures import modulation as figures
from dashboard.figures import theme
from imrnns_core.dataset import Dataset
from imrnns_core.explain.accounting import account, shifts
from imrnns_core.mapping import neighbourhood_order
from imrnns_core.records import Comparison

SHOWN = 20
SHIFTS = ["query-specific", "whole"]
ORDERS = ["modulated rank", "base rank", "similarity"]
WIDTHS = ["top 40", "all"]


def show() -> None:
    notices.heading(
        "How do the query and the documents act on each other?",
        "The query moves every document by one scale and one bias; the documents together refine the query. All shifts are between unit vectors.",
    )
    selection = state.current()
    dataset = resources.collection(selection.data).dataset
    comparison = resources.selected_comparison(selection)
    document_panel.query(comparison)
    order = _order(comparison)
    names = [_label(comparison, dataset, int(i)) for i in order]
    picked = _shift_heatmap(comparison, order, names)
    _detail(comparison, dataset)
    _refinement(comparison, order, names)
    _accounting(comparison, order, names)
    st.subheader("What the query does to every document", anchor=False)
    st.caption("One scale and one bias per dimension, the same for all candidates: each document becomes LayerNorm(s ∘ d + b).")
    chart.show(figures.strips(comparison.modulation.query_scale.numpy(), comparison.modulation.query_bias.numpy()), "strips")
    if picked:
        st.rerun()


def _order(comparison: Comparison) -> NDArray[np.int64]:
    """Return the first candidates (by modulated rank), in the chosen order of rows."""
    left, middle, right = st.columns(3)
    left.segmented_control(
        "Shift",
        SHIFTS,
        required=True,
        help="Query-specific: less the adapter’s mean shift over many queries, without which every query looks alike.",
        **state.bound("shift", SHIFTS),
    )
    middle.segmented_control("Rows by", ORDERS, required=True, **state.bound("order", ORDERS))
    right.segmented_control("Dimensions", WIDTHS, required=True, **state.bound("width", WIDTHS))
    first = comparison.order("modulated")[:SHOWN]
    by = state.current().order
    if by == "base rank":
        return first[np.argsort(comparison.ranks[0, first])]
    if by == "similarity":
        return first[neighbourhood_order(comparison.modulation.documents.numpy()[first])]
    return first


def _label(comparison: Comparison, dataset: Dataset, i: int) -> str:
    document = dataset.document[comparison.document_ids[i]]
    sign = {"relevant": "★ ", "not relevant": "✕ ", "unjudged": ""}[theme.relevance_name(int(comparison.relevance[i]))]
    return f"{sign}{theme.short(document.title or document.id, 22)} {comparison.ranks[3, i]}"


def _top(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the 40 dimensions with the largest mean |value|, or all of them."""
    strength = np.abs(values).mean(axis=0)
    return np.argsort(-strength)[:40] if state.current().width == "top 40" else np.arange(len(strength))


def _pick_cell(figure: go.Figure, key: str) -> bool:
    """Draw a heatmap; take document and dimension of a newly clicked cell into the Selection."""
    for document_id, dimension in chart.clicks(figure, key).new[:1]:
        state.update(document=str(document_id), dimension=int(dimension))
        return True
    return False


def _shift_heatmap(comparison: Comparison, order: NDArray[np.int64], names: list[str]) -> bool:
    selection = state.current()
    mean, limit = resources.mean_shift(selection.data, selection.adapter)
    values = shifts(comparison)[order]
    specific = selection.shift == "query-specific"
    values = values - mean if specific else values
    chosen = _top(values)
    st.subheader("How each document moved", anchor=False)
    st.caption(
        f"Modulated − projected embedding of the first {len(order)} documents{', less the adapter’s mean shift' if specific else ''}. ★ relevant; the number is the modulated rank. The colour range is the same for all queries (± {limit:.3f}, the 99.5th percentile). Click a cell for its document and dimension."
    )
    ids = [comparison.document_ids[i] for i in order]
    figure = figures.heatmap(values[:, chosen], ids, names, chosen, limit, _dark(), "shift")
    return _pick_cell(figure, "shift_heatmap")


def _detail(comparison: Comparison, dataset: Dataset) -> None:
    """Draw the picked document, and the words that drive the picked dimension."""
    selection = state.current()
    document_panel.show(comparison, dataset, key="modulation_document")
    if selection.dimension < 0:
        return
    ranker = resources.ranker(selection.data, selection.adapter)
    if selection.dimension >= ranker.adapter.card.output_dim:
        notices.show("info", f"This adapter has no dimension {selection.dimension}", f"It has {ranker.adapter.card.output_dim}.")
        return
    drivers = resources.words(selection.data).drivers(ranker.transform.projected[:, selection.dimension].numpy())
    with st.container(border=True, key="dimension"):
        at = comparison.position.get(selection.document)
        shift = f" Here it shifts {selection.document} by {shifts(comparison)[at, selection.dimension]:+.4f}." if at is not None else ""
        listing = ", ".join(f"{w.word} ({w.z:+.1f}; {w.documents} documents)" for w in drivers) or "no word is frequent enough"
        notices.text_block(
            f"Dimension {selection.dimension}: which words drive it?",
            listing,
            f"Words whose documents lie high (+) or low (−) on it over the corpus, in standard errors.{shift} With {comparison.modulation.projected_query.shape[0]} dimensions and many words some stand out by chance: read values beyond ± 5.",
        )


def _refinement(comparison: Comparison, order: NDArray[np.int64], names: list[str]) -> None:
    selection = state.current()
    found = resources.influence(
        selection.data, selection.adapter, selection.query, selection.text, frozenset(filter(None, selection.dropped.split(",")))
    )
    st.subheader("How the documents refine the query", anchor=False)
    st.caption(
        f"First: each document’s part of the refined query, before LayerNorm, less the mean part. Then leave-one-out: what happens to the ranking without it. All {int(comparison.feedback.sum())} feedback documents count; the first {len(order)} are drawn."
    )
    values = found.contributions[order]
    chosen = _top(values)
    limit = float(np.quantile(np.abs(found.contributions), 0.995)) or 1e-6
    ids = [comparison.document_ids[i] for i in order]
    figure = figures.heatmap(values[:, chosen], ids, names, chosen, limit, _dark(), "part")
    if _pick_cell(figure, "refinement_heatmap"):
        st.rerun()
    relevant = comparison.relevance > 0
    best = None
    if relevant.any():
        target = int(np.flatnonzero(relevant)[comparison.ranks[3, relevant].argmin()])
        best = found.rank_effect[:, target]
    chart.show(figures.effects(found.moved, order, comparison.document_ids, names, best), "effects")


def _accounting(comparison: Comparison, order: NDArray[np.int64], names: list[str]) -> None:
    accounting = account(comparison)
    st.subheader("Where each score change comes from", anchor=False)
    st.caption(
        f"Exact: projector + document modulation + query refinement = modulated − base, for every document (largest residual {np.abs(accounting.residual).max():.1e}). It says where the numbers come from, not which words caused them."
    )
    left, right = st.columns([3, 2])
    with left:
        chart.show(figures.parts(accounting, order, comparison.document_ids, names), "parts")
    position = comparison.position.get(state.current().document, int(order[0]))
    with right:
        st.caption(
            "The picked document"
            if state.current().document in comparison.position
            else "The first document; click a cell above for another"
        )
        notices.text_block(comparison.document_ids[position], "")
        chart.show(figures.waterfall(accounting, position), "waterfall")


def _dark() -> bool:
    return st.context.theme.type == "dark"
