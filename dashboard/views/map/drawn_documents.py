"""The marks of a map: which documents are drawn, in which colours, and what these mean."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import formatting, state, theme
from dashboard.figures.cloud import Group
from dashboard.figures.map_marks import Points
from dashboard.widgets import chart
from imrnns_core.data.dataset import Dataset
from imrnns_core.projection.corpus_map import CorpusMap
from imrnns_core.projection.movement import true_movement
from imrnns_core.retrieval.comparison import Comparison

SHOWN = 30
MAX_3D = 20_000


def chosen(comparison: Comparison) -> NDArray[np.int64]:
    """Return the candidates that are drawn: the first of either ranking and every relevant one."""
    base, modulated = comparison.rank("base"), comparison.rank("modulated")
    near = (base <= SHOWN // 2) | (modulated <= SHOWN // 2)
    return np.flatnonzero(near | (comparison.relevance > 0))


def colours(
    comparison: Comparison,
    dataset: Dataset,
    chosen: NDArray[np.int64],
    corpus_map: CorpusMap | None,
) -> tuple[list[str], list[str]]:
    """Return the colours of the drawn documents, and what they stand for where that is a name."""
    colour, ids = state.current().colour, [comparison.document_ids[i] for i in chosen]
    if colour == "movement":
        return theme.ramp(true_movement(comparison)[chosen]), []
    if colour == "cluster" and corpus_map is not None:
        found = corpus_map.clusters.labels[comparison.rows[chosen]]
        return [theme.CLUSTERS[n] for n in found], [corpus_map.clusters.names[n] for n in found]
    if colour == "subject":
        names = sorted({d.subject for d in dataset.documents})
        subjects = [dataset.document[d].subject for d in ids]
        return [theme.CLUSTERS[names.index(s) % len(theme.CLUSTERS)] for s in subjects], subjects
    return [theme.relevance_colour(int(comparison.relevance[i])) for i in chosen], []


def points(
    comparison: Comparison, dataset: Dataset, chosen: NDArray[np.int64], colours: list[str]
) -> Points:
    """Return how the chosen candidates are drawn."""
    ids = [comparison.document_ids[i] for i in chosen]
    base, modulated = comparison.rank("base"), comparison.rank("modulated")
    moved = true_movement(comparison)
    relevance = [formatting.relevance_name(int(comparison.relevance[i])) for i in chosen]
    labels = [
        (
            f"{formatting.plain(f'{d}: {dataset.document[d].title}')}<br>{r}; base rank "
            f"{base[i]}, modulated rank {modulated[i]}<br>true movement "
            f"{moved[i]:.4f}"
        )
        for i, d, r in zip(chosen, ids, relevance, strict=True)
    ]
    return Points(ids, labels, colours, [theme.SYMBOLS[r] for r in relevance])


def groups(dataset: Dataset, corpus_map: CorpusMap, three: bool) -> list[Group]:
    """Return the groups in which the cloud is drawn.

    Clusters, subjects, or the corpus as one; in three dimensions a part of a large one.
    """
    colour = state.current().colour
    if colour == "cluster":
        labels, names = corpus_map.clusters.labels, list(corpus_map.clusters.names)
    elif colour == "subject":
        names = sorted({d.subject for d in dataset.documents})
        labels = np.array([names.index(d.subject) for d in dataset.documents])
    else:
        labels, names = np.zeros(len(dataset.documents), np.int64), ["corpus"]
    drawn = np.ones(len(labels), bool)
    if three and len(labels) > MAX_3D:
        drawn[:] = False
        drawn[np.random.default_rng(0).choice(len(labels), MAX_3D, replace=False)] = True
        st.caption(f"The cloud shows {MAX_3D:,} of {len(labels):,} documents, drawn at random.")
    several = len(names) > 1
    return [
        Group(
            name,
            theme.CLUSTERS[n % len(theme.CLUSTERS)] if several else theme.UNJUDGED,
            np.flatnonzero((labels == n) & drawn),
        )
        for n, name in enumerate(names)
    ]


def document_id(mark: chart.Mark, groups: list[Group], dataset: Dataset) -> str:
    """Return the document of a mark.

    Drawn ones carry their id, those of the cloud are known by their place in it.
    """
    if mark.custom:
        return str(mark.custom[0])
    if mark.trace < len(groups) and mark.index < len(groups[mark.trace].rows):
        return dataset.document_ids[int(groups[mark.trace].rows[mark.index])]
    return ""
