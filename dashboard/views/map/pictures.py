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
from dashboard.formatting import p_value, signed
from dashboard.services import catalog, maps
from dashboard.views.map import drawn_documents
from dashboard.widgets import notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.projection.corpus_map import CorpusMap, knn_project
from imrnns_core.projection.movement import (
    DrawnMovement,
    pca_movement,
    placement_error,
    umap_movement,
    visible_share,
)
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
BASE_TARGET = (
    "The query is in the centre. Only the distance from the centre is exact: it is the angle "
    "between document and query. Around the circle, similar documents are placed side by side. "
    "Dotted rings are base ranks."
)
BASE_PLANE = "Dots: the base embeddings of the corpus. Large marks: the candidates."
BASE_SHARE = "The axes explain {} of the variance of the corpus."
SCALE_START = (
    " The scale of the radius starts at {:.1f}°, not at 0°, to give the documents more room."
)
PLANE = (
    "Dots: the projected embeddings of the corpus. Large marks: modulated embeddings of the "
    "candidates. What the projector itself changes is not drawn."
)
PATHS = " {} run from projected to modulated."
TURN = " Drag to turn the map."
BETTER_THAN_CHANCE = "The arrows pass both tests against chance"
NO_BETTER_THAN_CHANCE = "The arrows fail at least one of two tests against chance"
AGREEMENT = (
    "Rank correlation of the arrow lengths with the true movements: {} ({}), and of the arrow "
    "directions with the true changes of similarity: {} ({}); by chance, if the "
    "documents exchange their arrows, {}, because all documents of a query share a part of their "
    "movement. The target view is exact."
)
TESTS = """
- **Lengths**: do documents that move more have longer arrows?
- **Directions**: does an arrow point to the candidates that become more similar to its document?
- Both p values come from one-sided permutation tests. If one of them is above 0.05, the arrows are
  hidden until you switch them on.
- {}
- {}
"""
PLACEMENT = (
    "Arrows start where UMAP places the projected embedding as a new point. This is not exactly "
    "the dot of the document: over the drawn documents, the median distance is {:.3f} map widths."
)
SHARE = (
    "{:.0f} % of the movement is along these axes (share of the squared length). The axes explain "
    "{} of the variance of the projected corpus."
)
MOVEMENT = "True movement: median cosine distance {:.4f} between projected and modulated embedding."
SHOW_ARROWS = "Show these arrows"
ARROWS_HELP = (
    "At least one test does not tell these arrows from random ones. Do not read lengths or "
    "directions from them."
)


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
    final = picture.comparison.rankings[picture.comparison.final]
    # rounding can take a cosine just above 1, where arccos is not a number
    angles = np.degrees(np.arccos(np.clip(final.scores, -1.0, 1.0)))
    angle = dict(zip(final.ranks.tolist(), angles.tolist(), strict=True))
    # the last ring is the last document that is ranked here
    rings = {rank: angle[rank] for rank in (*RINGS, max(angle)) if rank in angle}
    drawn = targets.drawn_rings(view, rings)
    beyond = [
        f" Rank {rank} is at {angle:.1f}°, outside the picture."
        for rank, angle in rings.items()
        if rank not in drawn
    ]
    centre = targets.centre_angle(view)
    scale_start = SCALE_START.format(centre) if centre else ""
    reading = TARGET if state.has_adapter() else BASE_TARGET
    st.caption(reading + scale_start + "".join(beyond))
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
    draw = _unmoved
    if state.has_adapter():
        draw = _neighbourhood if selection.view == "neighbourhood" else _linear
    layer = draw(picture, corpus_map, 3 if three else 2)
    paths = PATHS.format("Lines" if three else "Arrows") if layer.paths else ""
    reading = PLANE if state.has_adapter() else BASE_PLANE
    st.caption(reading + paths + (TURN if three else ""))
    cloud = Cloud(layer.corpus, groups, labels)
    look = Look(selection.view, state.dark(), layer.paths, layer.axis_names)
    return planes.plane(cloud, layer.move, picture.points, look), groups


def _unmoved(picture: Picture, corpus_map: CorpusMap, dimensions: int) -> Layer:
    """Return the map of the base embeddings: without an adapter, nothing moves."""
    selection = state.current()
    documents = catalog.ranker(selection.data, selection.system).mapped_documents
    query = picture.comparison.vectors.query.numpy()[None]
    if selection.view == "neighbourhood":
        corpus = corpus_map.umap[dimensions]
        place = knn_project(corpus_map, documents, query, dimensions)[0]
        names = ("UMAP 1", "UMAP 2", "UMAP 3")
    else:
        corpus = maps.pca_places(selection.data, selection.system, dimensions)
        place = corpus_map.pca_project(query, dimensions)[0]
        names = _axis_names(corpus_map)
        shares = ", ".join(f"{100 * s:.1f} %" for s in corpus_map.pca_share[:dimensions])
        st.caption(BASE_SHARE.format(shares))
    places = corpus[picture.comparison.rows[picture.drawn]]
    return Layer(corpus, Move(places, places, (place,)), False, names)


def _axis_names(corpus_map: CorpusMap) -> tuple[str, str, str]:
    first, second, third = (
        f"PC {n} ({100 * variance:.0f} %)" for n, variance in enumerate(corpus_map.pca_share[:3], 1)
    )
    return first, second, third


def _neighbourhood(picture: Picture, corpus_map: CorpusMap, dimensions: int) -> Layer:
    """Return the UMAP map, and write how well its arrows agree with the true movement."""
    selection = state.current()
    projected = catalog.ranker(selection.data, selection.system).mapped_documents
    drawn = umap_movement(
        corpus_map, projected, picture.comparison, picture.dataset, picture.drawn, dimensions
    )
    error = placement_error(corpus_map, picture.comparison, picture.drawn, drawn.start)
    paths = _agreement_notice(drawn, PLACEMENT.format(error))
    return Layer(corpus_map.umap[dimensions], _move(drawn), paths, ("UMAP 1", "UMAP 2", "UMAP 3"))


def _linear(picture: Picture, corpus_map: CorpusMap, dimensions: int) -> Layer:
    """Return the PCA map, and write how well its arrows agree with the true movement."""
    selection = state.current()
    drawn = pca_movement(corpus_map, picture.comparison, picture.dataset, picture.drawn, dimensions)
    share = visible_share(picture.comparison, picture.drawn, drawn)
    axes = ", ".join(f"{100 * s:.1f} %" for s in corpus_map.pca_share[:dimensions])
    paths = _agreement_notice(drawn, SHARE.format(100 * share, axes))
    corpus = maps.pca_places(selection.data, selection.system, dimensions)
    return Layer(corpus, _move(drawn), paths, _axis_names(corpus_map))


def _move(drawn: DrawnMovement) -> Move:
    return Move(drawn.start, drawn.end, (drawn.query_start, drawn.query_end))


def _agreement_notice(drawn: DrawnMovement, map_figures: str) -> bool:
    """Write how well the arrows agree with the true movement; return whether they are drawn."""
    agreement = drawn.agreement
    text = AGREEMENT.format(
        signed(agreement.length, 2),
        p_value(agreement.length_p),
        signed(agreement.direction, 2),
        p_value(agreement.direction_p),
        signed(agreement.direction_by_chance, 2),
    )
    passed = agreement.better_than_chance
    notices.show(
        "info" if passed else "warning",
        BETTER_THAN_CHANCE if passed else NO_BETTER_THAN_CHANCE,
        text,
    )
    with st.expander("How are the arrows tested?"):
        st.markdown(TESTS.format(map_figures, MOVEMENT.format(np.median(drawn.true))))
    # these arrows mislead, so they are off until a reader asks for them
    return passed or st.toggle(SHOW_ARROWS, key="arrows_by_chance", help=ARROWS_HELP)
