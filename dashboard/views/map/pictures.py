"""The three views of a movement: the exact target view, and two maps of the corpus."""

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
from dashboard.figures.plane import Look, Move
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
"""Larger corpora have no hover label per document: that would be a megabyte for every query.

A click still opens the document.
"""
TARGET = (
    "The query is in the centre. Only the distance from the centre is exact: it is the angle "
    "between document and query. Around the circle, similar documents are placed side by side. "
    "Arrows run from base to modulated: inward means a higher score. Dotted rings are "
    "modulated ranks; they do not apply to the base marks (○)."
)
SCALE_START = (
    " The scale of the radius starts at {:.1f}°, not at 0°, to give the documents more room."
)
PLANE = (
    "The map shows projected embeddings; the projector’s own effect is not drawn. First, document "
    "modulation moves the documents, then query refinement moves the query."
)
PATHS = " Arrows run from projected to modulated."
THREE = " Lines run from projected to modulated. Drag to turn the map."
WITHIN_NOISE = "The arrows are within noise, so they are hidden"
MOVEMENT = "True movement: median cosine distance {:.4f} between projected and modulated embedding."
SHOW_PATHS = "Show arrows within noise"


@dataclass(frozen=True)
class Picture:
    """What every view draws.

    Attributes:
        comparison: The query with its K candidates.
        dataset: Its data set.
        drawn: (R,) positions of the candidates that are drawn.
        points: How they are drawn.
    """

    comparison: Comparison
    dataset: Dataset
    drawn: NDArray[np.int64]
    points: Points


@dataclass(frozen=True)
class Layer:
    """A map of the corpus, with the movement over it.

    Attributes:
        corpus: (N, 2 or 3) positions of the corpus.
        move: The movement of the drawn candidates and the query.
        paths: Whether the ways of the documents are drawn.
        axis_names: What each axis is.
    """

    corpus: NDArray[np.float32]
    move: Move
    paths: bool
    axis_names: tuple[str, str, str]


def target(picture: Picture) -> go.Figure:
    """Return the target view, and write how to read it."""
    view = target_view(picture.comparison, picture.drawn)
    scores = np.sort(picture.comparison.score("modulated"))[::-1]
    # rounding can take a cosine just above 1, where arccos is not a number
    angles = np.degrees(np.arccos(np.clip(scores, -1.0, 1.0)))
    # the last ring is the last candidate: documents beyond it were not retrieved
    rings = {rank: float(angles[rank - 1]) for rank in (*RINGS, len(angles)) if rank <= len(angles)}
    drawn = targets.drawn_rings(view, rings)
    beyond = [
        f" Rank {rank} is at {angle:.1f}°, outside the picture."
        for rank, angle in rings.items()
        if rank not in drawn
    ]
    centre = targets.centre_angle(view)
    scale_start = SCALE_START.format(centre) if centre else ""
    st.caption(TARGET + scale_start + "".join(beyond))
    return targets.target(view, drawn, picture.points, state.dark())


def plane(picture: Picture, corpus_map: CorpusMap, three: bool) -> tuple[go.Figure, list[Group]]:
    """Return the map of the corpus with the movement over it, and the groups of its cloud."""
    selection, documents = state.current(), picture.dataset.documents
    groups = drawn_documents.groups(
        picture.comparison, picture.dataset, picture.drawn, corpus_map, three
    )
    labels = (
        [formatting.plain(f"{d.id}: {d.title}") for d in documents]
        if len(documents) <= LABELLED
        else None
    )
    # notices come before the figure, so each map writes its own while it is computed
    draw = _neighbourhood if selection.view == "neighbourhood" else _linear
    layer = draw(picture, corpus_map, 3 if three else 2)
    st.caption(PLANE + ((THREE if three else PATHS) if layer.paths else ""))
    cloud = Cloud(layer.corpus, groups, labels)
    look = Look(selection.view, state.dark(), layer.paths, layer.axis_names)
    return planes.plane(cloud, layer.move, picture.points, look), groups


def _neighbourhood(picture: Picture, corpus_map: CorpusMap, dimensions: int) -> Layer:
    """Return the UMAP map, and write how far its arrows can be trusted."""
    selection = state.current()
    projected = catalog.ranker(selection.data, selection.adapter).transform.projected.numpy()
    placed = umap_movement(corpus_map, projected, picture.comparison, picture.drawn, dimensions)
    paths = _noise_notice(placed.movement)
    query = (placed.query_base, placed.query_modulated)
    names = ("UMAP 1", "UMAP 2", "UMAP 3")
    move = Move(placed.base, placed.modulated, query)
    return Layer(corpus_map.umap[dimensions], move, paths, names)


def _linear(picture: Picture, corpus_map: CorpusMap, dimensions: int) -> Layer:
    """Return the PCA map, and write how much of the movement its axes show."""
    selection, comparison = state.current(), picture.comparison
    base, modulated, share = pca_movement(corpus_map, comparison, picture.drawn, dimensions)
    true = float(np.median(true_movement(comparison)[picture.drawn]))
    _share_notice(corpus_map, share, true, dimensions)
    corpus = maps.pca_places(selection.data, selection.adapter, dimensions)
    query = (
        corpus_map.pca_project(comparison.modulation.projected_query.numpy(), dimensions),
        corpus_map.pca_project(comparison.modulation.modulated_query.numpy(), dimensions),
    )
    first, second, third = (
        f"PC {n} ({100 * variance:.0f} %)" for n, variance in enumerate(corpus_map.pca_share[:3], 1)
    )
    return Layer(corpus, Move(base, modulated, query), True, (first, second, third))


def _noise_notice(movement: Movement) -> bool:
    """Write whether the arrows exceed the noise; return whether they are drawn."""
    arrow, noise = (f"{np.median(v):.3f}" for v in (movement.arrow_length, movement.noise))
    explanation = (
        "Noise level: the median length of the arrow that this map draws for documents that did "
        f"not move. {MOVEMENT.format(np.median(movement.true))}"
    )
    # arrows within noise mislead, so they are off until a reader asks for them
    if not movement.within_noise:
        notices.show(
            "info",
            "UMAP shows which documents are similar, not distances",
            f"The median arrow is {arrow} map widths long, more than twice the noise level of "
            f"{noise}. {explanation}",
        )
        return True
    notices.show(
        "warning",
        WITHIN_NOISE,
        f"The median arrow is {arrow} map widths long. The noise level is {noise}, and arrows are "
        f"shown only if their median is more than twice that. {explanation} The target view is "
        "exact.",
    )
    return st.toggle(
        SHOW_PATHS,
        key="paths_within_noise",
        help="Arrows are within noise if their median length is less than twice the noise level.",
    )


def _share_notice(corpus_map: CorpusMap, share: float, true: float, dimensions: int) -> None:
    axes = ", ".join(f"{100 * s:.1f} %" for s in corpus_map.pca_share[:dimensions])
    notices.show(
        # below half, most of the movement happens outside the picture
        "info" if share > 0.5 else "warning",
        f"{'' if share > 0.5 else 'Only '}{100 * share:.0f} % of the movement is along these axes",
        "This is the share of the squared length of the movements; the rest cannot be seen here. "
        f"The axes explain {axes} of the variance of the projected corpus. "
        f"{MOVEMENT.format(true)}",
    )
