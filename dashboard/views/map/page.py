"""Map: where did they go?"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from dashboard import formatting, state
from dashboard import selection as selections
from dashboard.figures import maps as figures
from dashboard.services import catalog, comparisons, maps
from dashboard.views.map import document_list, drawn_documents, legend, map_progress
from dashboard.widgets import chart, document_panel, notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.projection.corpus_map import CorpusMap
from imrnns_core.projection.movement import Movement, neighbourhood, pca_movement, true_movement
from imrnns_core.projection.target_view import target_view
from imrnns_core.retrieval.comparison import Comparison

COLOURS = ["relevance", "movement", "cluster", "subject"]
RINGS = (1, 5, 10)
LABELLED = 1_000
"""Up to so many documents carry a hover label; more would be a megabyte to send for every query.

A click tells the document.
"""


def show() -> None:
    notices.heading(
        "Where did they go?",
        (
            "Three pictures of the same move. Only the target view is exact; the maps stand beside "
            "their noise floor. Click a mark to read its document."
        ),
    )
    selection = state.current()
    dataset = catalog.collection(selection.data).dataset
    comparison = comparisons.selected(selection)
    document_panel.query(comparison)
    _controls(dataset)
    chosen = drawn_documents.chosen(comparison)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        groups: list[figures.Group] = []
        corpus_map = maps.corpus_map(selection.data, selection.adapter)
        target = state.current().view == "target"
        if corpus_map is None and (not target or state.current().colour == "cluster"):
            map_progress.show(len(dataset.documents))
            return
        colours, names = drawn_documents.colours(comparison, dataset, chosen, corpus_map)
        points = drawn_documents.points(comparison, dataset, chosen, colours)
        if target:
            figure = _target(comparison, chosen, points)
        elif corpus_map is not None:
            figure, groups = _plane(comparison, dataset, chosen, points, corpus_map)
        if state.current().drag == "lasso" and not _three():
            figure.layout.dragmode = "lasso"
        key = f"map_{state.current().view}_{'3-D' if _three() else '2-D'}"
        picked = chart.clicks(
            figure,
            key,
            _alt(comparison, chosen),
            lasso=True,
            context=selection.query or selection.text,
        )
        legend.show(colours, names)
    ids = [drawn_documents.document_id(mark, groups, dataset) for mark in picked.marks]
    inside = list(dict.fromkeys(i for i in ids if i))
    if picked.changed and len(inside) == 1:
        state.update(document=inside[0])
        st.rerun()
    with right:
        document_panel.show(comparison, dataset, key="map_document")
        lasso = len(inside) > 1
        ids = inside if lasso else [comparison.document_ids[i] for i in chosen]
        document_list.show(
            comparison,
            dataset,
            ids,
            "in the lasso" if lasso else "drawn",
            "lasso" if lasso else "map",
            key="listing",
        )


def _three() -> bool:
    return state.current().view != "target" and state.current().axes == "3-D"


def _controls(dataset: Dataset) -> None:
    target = state.current().view == "target"
    colours = [c for c in COLOURS if c != "subject" or any(d.subject for d in dataset.documents)]
    with st.container(horizontal=True, gap="medium"):
        st.segmented_control(
            "View", selections.options("view"), required=True, wrap=True, **state.bound("view")
        )
        st.segmented_control(
            "Colour", colours, required=True, wrap=True, **state.bound("colour", colours)
        )
        if not target:
            st.segmented_control(
                "Axes", selections.options("axes"), required=True, **state.bound("axes")
            )
        if not _three():
            help_text = (
                "With the lasso, draw around marks to list their documents. Two clicks take the "
                "selection back."
            )
            st.segmented_control(
                "Drag to",
                selections.options("drag"),
                required=True,
                help=help_text,
                **state.bound("drag"),
            )


def _alt(comparison: Comparison, chosen: NDArray[np.int64]) -> str:
    return (
        f"{len(chosen)} documents around the query, from base to modulated: {state.current().view} "
        "view. The list beside it has their ranks."
    )


def _target(comparison: Comparison, chosen: NDArray[np.int64], points: figures.Points) -> go.Figure:
    view = target_view(comparison, chosen)
    angles = np.degrees(np.arccos(np.clip(np.sort(comparison.scores[3])[::-1], -1.0, 1.0)))
    rings = {rank: float(angles[rank - 1]) for rank in (*RINGS, len(angles)) if rank <= len(angles)}
    drawn = figures.drawn_rings(view, rings)
    beyond = [
        f" Rank {rank} lies at {angle:.1f}°, beyond the picture."
        for rank, angle in rings.items()
        if rank not in drawn
    ]
    st.caption(
        (
            "The query is in the centre and distance is the true angle to it: a move inward is a "
            "higher score, and rank is distance from the centre. Rings are modulated ranks. "
            "Directions only keep similar documents together. Arrows run from base to modulated; "
            "the scale starts at the innermost angle less 4°."
        )
        + "".join(beyond)
    )
    return figures.target(view, drawn, points, state.dark())


def _plane(
    comparison: Comparison,
    dataset: Dataset,
    chosen: NDArray[np.int64],
    points: figures.Points,
    corpus_map: CorpusMap,
) -> tuple[go.Figure, list[figures.Group]]:
    """Return the map of the corpus with the move over it, and the groups of its cloud."""
    selection = state.current()
    dimensions = 3 if _three() else 2
    projected = catalog.ranker(selection.data, selection.adapter).transform.projected.numpy()
    groups = drawn_documents.groups(dataset, corpus_map, _three())
    labels = (
        [formatting.plain(f"{d.id}: {d.title}") for d in dataset.documents]
        if len(dataset.documents) <= LABELLED
        else None
    )
    if selection.view == "neighbourhood":
        placed = neighbourhood(corpus_map, projected, comparison, chosen, dimensions)
        _trust(placed.movement)
        ground, base, modulated = corpus_map.umap[dimensions], placed.base, placed.modulated
        query = (placed.query_base, placed.query_modulated)
    else:
        base, modulated, share = pca_movement(corpus_map, comparison, chosen, dimensions)
        _share(corpus_map, share, float(np.median(true_movement(comparison)[chosen])), dimensions)
        ground = maps.linear_places(selection.data, selection.adapter, dimensions)
        both = (comparison.modulation.projected_query, comparison.modulation.modulated_query)
        query = (
            corpus_map.linear(both[0].numpy(), dimensions),
            corpus_map.linear(both[1].numpy(), dimensions),
        )
    st.caption(
        "The map is of projected embeddings: base and projected are one place in it. Document "
        "modulation moves the documents, query refinement then moves the query."
    )
    return figures.plane(
        ground, groups, base, modulated, query, points, selection.view, labels, state.dark()
    ), groups


def _trust(movement: Movement) -> None:
    """Say how far the arrows of the UMAP map can be trusted."""
    numbers = (
        f"Median true movement {np.median(movement.true):.4f} (cosine distance); median arrow "
        f"{np.median(movement.drawn):.3f} map widths; noise floor {np.median(movement.noise):.3f}, "
        "the arrow of a document that did not move."
    )
    if movement.within_noise:
        notices.show(
            "warning",
            "The arrows are shorter than twice the map’s noise floor: do not read them",
            f"{numbers} See the target view for the exact move.",
        )
    else:
        notices.show("info", "UMAP keeps neighbourhoods, not distances", numbers)


def _share(corpus_map: CorpusMap, share: float, true: float, dimensions: int) -> None:
    """Say how much of the move the axes of the PCA show."""
    axes = ", ".join(f"{100 * s:.1f} %" for s in corpus_map.pca_share[:dimensions])
    notices.show(
        "info" if share > 0.5 else "warning",
        f"These axes show {100 * share:.0f} % of the true movement",
        (
            f"PCA of the projected corpus; the axes hold {axes} of its variance. Median true "
            f"movement {true:.4f} (cosine distance)."
        ),
    )
