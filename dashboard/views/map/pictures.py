"""The three pictures of a move: the exact target view, and the two maps of the corpus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from dashboard import formatting, state
from dashboard.figures import plane as planes
from dashboard.figures import target as targets
from dashboard.figures.cloud import Cloud, Group
from dashboard.figures.map_marks import Points
from dashboard.figures.plane import Move
from dashboard.services import catalog, maps
from dashboard.views.map import drawn_documents
from dashboard.widgets import notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.projection.corpus_map import CorpusMap
from imrnns_core.projection.movement import Movement, pca_movement, true_movement, umap_movement
from imrnns_core.projection.target_view import target_view
from imrnns_core.retrieval.comparison import Comparison

RINGS = (1, 5, 10)
LABELLED = 1_000
"""Up to so many documents carry a hover label; more would be a megabyte to send for every query.

A click tells the document.
"""
TARGET = (
    "The query is in the centre and distance is the true angle to it: a move inward is a higher "
    "score, and rank is distance from the centre. Rings are modulated ranks. Directions only keep "
    "similar documents together. Arrows run from base to modulated; the scale starts at the "
    "innermost angle less 4°."
)
PLANE = (
    "The map is of projected embeddings: base and projected are one place in it. Document "
    "modulation moves the documents, query refinement then moves the query."
)
NOT_TO_READ = "The arrows are shorter than twice the map’s noise floor: do not read them"


@dataclass(frozen=True)
class Picture:
    """What is drawn, whatever the picture.

    Attributes:
        comparison: Of the query.
        dataset: Its data set.
        chosen: (R,) positions of the candidates that are drawn.
        points: How they are drawn.
    """

    comparison: Comparison
    dataset: Dataset
    chosen: NDArray[np.int64]
    points: Points


def target(picture: Picture) -> go.Figure:
    """Return the target view, and say how to read it."""
    view = target_view(picture.comparison, picture.chosen)
    scores = np.sort(picture.comparison.score("modulated"))[::-1]
    angles = np.degrees(np.arccos(np.clip(scores, -1.0, 1.0)))
    rings = {rank: float(angles[rank - 1]) for rank in (*RINGS, len(angles)) if rank <= len(angles)}
    drawn = targets.drawn_rings(view, rings)
    beyond = [
        f" Rank {rank} lies at {angle:.1f}°, beyond the picture."
        for rank, angle in rings.items()
        if rank not in drawn
    ]
    st.caption(TARGET + "".join(beyond))
    return targets.target(view, drawn, picture.points, state.dark())


def plane(picture: Picture, corpus_map: CorpusMap, three: bool) -> tuple[go.Figure, list[Group]]:
    """Return the map of the corpus with the move over it, and the groups of its cloud."""
    selection, documents = state.current(), picture.dataset.documents
    dimensions = 3 if three else 2
    groups = drawn_documents.groups(picture.dataset, corpus_map, three)
    labels = (
        [formatting.plain(f"{d.id}: {d.title}") for d in documents]
        if len(documents) <= LABELLED
        else None
    )
    draw = _neighbourhood if selection.view == "neighbourhood" else _linear
    ground, move = draw(picture, corpus_map, dimensions)
    st.caption(PLANE)
    cloud = Cloud(ground, groups, labels)
    return planes.plane(cloud, move, picture.points, selection.view, state.dark()), groups


def _neighbourhood(
    picture: Picture, corpus_map: CorpusMap, dimensions: int
) -> tuple[NDArray[np.float32], Move]:
    """Return the UMAP map and the move in it; say how far its arrows can be trusted."""
    selection = state.current()
    projected = catalog.ranker(selection.data, selection.adapter).transform.projected.numpy()
    placed = umap_movement(corpus_map, projected, picture.comparison, picture.chosen, dimensions)
    _say_trust(placed.movement)
    query = (placed.query_base, placed.query_modulated)
    return corpus_map.umap[dimensions], Move(placed.base, placed.modulated, query)


def _linear(
    picture: Picture, corpus_map: CorpusMap, dimensions: int
) -> tuple[NDArray[np.float32], Move]:
    """Return the PCA map and the move in it; say how much of the move its axes show."""
    selection, comparison = state.current(), picture.comparison
    base, modulated, share = pca_movement(corpus_map, comparison, picture.chosen, dimensions)
    true = float(np.median(true_movement(comparison)[picture.chosen]))
    _say_share(corpus_map, share, true, dimensions)
    ground = maps.pca_places(selection.data, selection.adapter, dimensions)
    query = (
        corpus_map.pca_project(comparison.modulation.projected_query.numpy(), dimensions),
        corpus_map.pca_project(comparison.modulation.modulated_query.numpy(), dimensions),
    )
    return ground, Move(base, modulated, query)


def _say_trust(movement: Movement) -> None:
    numbers = (
        f"Median true movement {np.median(movement.true):.4f} (cosine distance); median arrow "
        f"{np.median(movement.arrow_length):.3f} map widths; "
        f"noise floor {np.median(movement.noise):.3f}, "
        "the arrow of a document that did not move."
    )
    if movement.within_noise:
        notices.show("warning", NOT_TO_READ, f"{numbers} See the target view for the exact move.")
    else:
        notices.show("info", "UMAP keeps neighbourhoods, not distances", numbers)


def _say_share(corpus_map: CorpusMap, share: float, true: float, dimensions: int) -> None:
    axes = ", ".join(f"{100 * s:.1f} %" for s in corpus_map.pca_share[:dimensions])
    notices.show(
        "info" if share > 0.5 else "warning",
        f"These axes show {100 * share:.0f} % of the true movement",
        f"PCA of the projected corpus; the axes hold {axes} of its variance. Median true "
        f"movement {true:.4f} (cosine distance).",
    )
