"""Modulation: how do the query and the documents act on each other?"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from dashboard import formatting, state
from dashboard import selection as selections
from dashboard.figures import modulation as figures
from dashboard.services import catalog, comparisons, modulations
from dashboard.views.modulation import dimension_words
from dashboard.widgets import chart, document_panel, notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.explanation.score_accounting import account, shifts
from imrnns_core.projection.target_view import neighbourhood_order
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import ROUNDING

SHOWN = 20
TITLE = 90


def show() -> None:
    notices.heading(
        "How do the query and the documents act on each other?",
        (
            "The query moves every document by one scale and one bias; the documents together "
            "refine the query."
        ),
    )
    selection = state.current()
    dataset = catalog.collection(selection.data).dataset
    comparison = comparisons.selected(selection)
    document_panel.query(comparison)
    _controls()
    order = _order(comparison)
    names = [_label(comparison, dataset, int(i)) for i in order]
    part = state.current().part
    if part == "query refined":
        picked = _refinement(comparison, order, names)
    elif part == "score accounting":
        picked = _accounting(comparison, dataset, order, names)
    else:
        picked = _strips(comparison) or _shift_heatmap(comparison, order, names)
    if picked:
        st.rerun()
    _detail(comparison, dataset)


def _controls() -> None:
    with st.container(horizontal=True, gap="medium"):
        st.segmented_control(
            "Show", selections.options("part"), required=True, wrap=True, **state.bound("part")
        )
        st.segmented_control(
            "Rows by",
            selections.options("order"),
            required=True,
            help="Cluster: documents that moved alike stand together.",
            **state.bound("order"),
        )
        if state.current().part == "score accounting":
            return
        if state.current().part != "query refined":
            help_text = (
                "Query-specific: less the adapter’s mean over many queries, without which every "
                "query looks alike."
            )
            st.segmented_control(
                "Shift",
                selections.options("shift"),
                required=True,
                help=help_text,
                **state.bound("shift"),
            )
        st.segmented_control(
            "Dimensions", selections.options("width"), required=True, **state.bound("width")
        )
        help_text = (
            "Strength: the largest mean |value| first. Cluster: dimensions that behave alike stand "
            "together. Sign: those that rise most, to those that fall most."
        )
        st.segmented_control(
            "Columns by",
            selections.options("columns"),
            required=True,
            help=help_text,
            **state.bound("columns"),
        )


def _order(comparison: Comparison) -> NDArray[np.int64]:
    """Return the first candidates (by modulated rank), in the chosen order of rows."""
    first = comparison.order("modulated")[:SHOWN]
    by = state.current().order
    if by == "base rank":
        return first[np.argsort(comparison.ranks[0, first])]
    if by == "cluster":
        return first[neighbourhood_order(comparison.modulation.documents.numpy()[first])]
    return first


def _label(comparison: Comparison, dataset: Dataset, i: int) -> str:
    document = dataset.document[comparison.document_ids[i]]
    sign = {"relevant": "★ ", "not relevant": "✕ ", "unjudged": ""}[
        formatting.relevance_name(int(comparison.relevance[i]))
    ]
    return f"{sign}{formatting.short(document.title or document.id, 20)} {comparison.ranks[3, i]}"


def _columns(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the dimensions to draw, in the chosen order."""
    selection = state.current()
    return figures.columns(
        values, 40 if selection.width == "top 40" else values.shape[1], selection.columns
    )


def _pick_cell(figure: go.Figure, key: str, alt: str) -> bool:
    """Draw a heatmap; take document and dimension of a newly clicked cell into the Selection."""
    selection = state.current()
    for document_id, dimension in chart.clicks(
        figure, key, alt, context=selection.query or selection.text
    ).new[:1]:
        state.update(document=str(document_id), dimension=int(dimension))
        return True
    return False


def _strips(comparison: Comparison) -> bool:
    """Draw the query's scale and bias; nothing is picked in them."""
    selection = state.current()
    found, specific = (
        modulations.ranges(selection.data, selection.adapter),
        selection.shift == "query-specific",
    )
    scale, bias = (
        comparison.modulation.query_scale.numpy(),
        comparison.modulation.query_bias.numpy(),
    )
    st.header("What the query does to every document", anchor=False)
    st.caption(
        "One scale and one bias a dimension, the same for all candidates: each becomes "
        "LayerNorm(s ∘ d + b). Drawn "
        f"{'less the adapter’s mean over many ' + ('queries' if modulations.has_mean(selection.data) else 'documents, taken as queries') if specific else 'about ½ and 0, where the adapter does nothing'}; "
        "colours mean the same for all queries."
    )
    scale, bias = (
        (scale - found.mean_scale, bias - found.mean_bias)
        if specific
        else (scale - np.float32(0.5), bias)
    )
    nothing = [
        name
        for name, values in (("scale", scale), ("bias", bias))
        if np.abs(values).max() < ROUNDING
    ]
    for name in nothing:
        same = "the adapter’s mean" if specific else {"scale": "½ everywhere", "bias": "zero"}[name]
        st.caption(f"This query’s {name} is {same}: no strip is drawn for it.")
    if len(nothing) == 2:
        return False
    figure = figures.strips(
        scale, bias, (found.scale[specific], found.bias[specific]), state.dark(), specific
    )
    chart.show(figure, "strips", "The query’s scale and bias in each dimension")
    return False


def _shift_heatmap(comparison: Comparison, order: NDArray[np.int64], names: list[str]) -> bool:
    selection = state.current()
    found, specific = (
        modulations.ranges(selection.data, selection.adapter),
        selection.shift == "query-specific",
    )
    values = shifts(comparison)[order] - (found.mean_shift if specific else 0)
    st.header("How each document moved", anchor=False)
    if np.abs(values).max() < ROUNDING:
        st.caption(
            f"{'Every document moves by the adapter’s mean shift' if specific else 'No document moves'}: what is left is rounding, and is not drawn."
        )
        return False
    chosen, limit = _columns(values), found.shift[specific]
    st.caption(
        f"Modulated − projected embedding, both of unit length, of the first {len(order)} documents{', less the adapter’s mean shift' if specific else ''}. ★ relevant; the number is the modulated rank. Colours mean the same for all queries (clipped at ± {figures.written(limit)}, the 99.5th percentile). Click a cell for its document and dimension."
    )
    ids = [comparison.document_ids[i] for i in order]
    figure = figures.heatmap(values[:, chosen], ids, names, chosen, limit, state.dark(), "shift")
    return _pick_cell(
        figure, "shift_heatmap", f"Shift of {len(order)} documents in {len(chosen)} dimensions"
    )


def _detail(comparison: Comparison, dataset: Dataset) -> None:
    """Draw the picked document, and the words that drive the picked dimension."""
    if state.current().dimension < 0:
        document_panel.show(comparison, dataset, key="modulation_document")
        return
    left, right = st.columns(2)
    with left:
        document_panel.show(comparison, dataset, key="modulation_document")
    with right:
        dimension_words.show(comparison)


def _refinement(comparison: Comparison, order: NDArray[np.int64], names: list[str]) -> bool:
    selection = state.current()
    found = modulations.influence(selection)
    limit = modulations.ranges(selection.data, selection.adapter).contribution
    st.header("How the documents refine the query", anchor=False)
    st.caption(
        f"Each document’s part of the refined query, before LayerNorm, less the mean part. All {int(comparison.feedback.sum())} feedback documents count; the first {len(order)} are drawn. Colours mean the same for all queries (clipped at ± {figures.written(limit)})."
    )
    values = found.contributions[order]
    chosen = _columns(values)
    ids = [comparison.document_ids[i] for i in order]
    figure = figures.heatmap(values[:, chosen], ids, names, chosen, limit, state.dark(), "part")
    picked = _pick_cell(
        figure,
        "refinement_heatmap",
        f"Part of {len(order)} documents in the refined query, in {len(chosen)} dimensions",
    )
    st.header("The ranking without one of them", anchor=False)
    if comparison.feedback.sum() < 2:
        notices.show(
            "info",
            "Only one document refines the query",
            "Without it there is no refinement to speak of.",
        )
        return picked
    if not found.moved[order].any():
        change = float(np.abs(found.score_effect).max())
        notices.show(
            "info",
            "No rank changes when any one of them is left out",
            f"All candidates refine the query together; one of {int(comparison.feedback.sum())} weighs little. The largest change of any score is {formatting.minus(f'{change:.1e}')}.",
        )
        return picked
    relevant = comparison.relevance > 0
    best = None
    if relevant.any():
        target = int(np.flatnonzero(relevant)[comparison.ranks[3, relevant].argmin()])
        best = found.rank_effect[:, target]
    st.caption(
        "Leave-one-out: how many candidates change rank when a document no longer refines the query. Computed, not estimated."
    )
    chart.show(
        figures.effects(found.moved, order, comparison.document_ids, names, best),
        "effects",
        "Candidates that change rank without a document",
    )
    return picked


def _accounting(
    comparison: Comparison, dataset: Dataset, order: NDArray[np.int64], names: list[str]
) -> bool:
    accounting = account(comparison)
    st.header("Where each score change comes from", anchor=False)
    st.caption(
        f"Exact: projector + document modulation + query refinement = modulated − base, for every document (largest residual {formatting.minus(f'{np.abs(accounting.residual).max():.1e}')}). It says where the numbers come from, not which words caused them. Click a bar for its document."
    )
    left, right = st.columns([3, 2])
    with left:
        figure = figures.parts(accounting, order, comparison.document_ids, names)
        context = state.current().query or state.current().text
        picked = chart.clicks(
            figure, "parts", "Parts of the score change of each document", context=context
        ).new[:1]
    for (document_id,) in picked:
        state.update(document=str(document_id))
    position = comparison.position.get(state.current().document, int(order[0]))
    with right:
        st.caption(
            "The picked document"
            if state.current().document in comparison.position
            else "The first document; click a bar for another"
        )
        document = dataset.document[comparison.document_ids[position]]
        title = document.title or document.id
        notices.text_block(
            title if len(title) <= TITLE else title[: TITLE - 1] + "…", "", document.id
        )
        chart.show(
            figures.waterfall(accounting, position),
            "waterfall",
            "From the base to the modulated score, part by part",
        )
    return bool(picked)
