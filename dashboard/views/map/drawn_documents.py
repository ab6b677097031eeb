"""The marks of a map: which documents are drawn, and in which colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import formatting, state, theme
from dashboard.figures.cloud import Group
from dashboard.figures.map_marks import Points
from dashboard.services import comparisons
from dashboard.widgets import chart
from imrnns_core.data.dataset import Dataset
from imrnns_core.projection.corpus_map import CorpusMap
from imrnns_core.projection.movement import true_movement
from imrnns_core.retrieval.comparison import Comparison

SHOWN = 30
MAX_3D = 20_000
OTHERS = "other subjects"


@dataclass(frozen=True)
class Colours:
    """The colours of R drawn documents.

    Attributes:
        colours: (R,) colours.
        names: (R,) the group of each document, if colours show groups; else empty.
        values: (R,) the value of each document, if colours show values; else empty.
    """

    colours: list[str]
    names: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


def positions(comparison: Comparison) -> NDArray[np.int64]:
    """Return the candidates to draw: the first of both rankings, and every relevant one."""
    base, final = comparison.rank("base"), comparison.rank(comparison.final)
    # the first of the base ranking, too: the ones that the adapter demoted start there
    first = (base <= SHOWN // 2) | (final <= SHOWN // 2)
    return np.flatnonzero(first | (comparison.relevance > 0))


def colours(
    comparison: Comparison,
    dataset: Dataset,
    drawn: NDArray[np.int64],
    corpus_map: CorpusMap | None,
) -> Colours:
    """Return the colours of the drawn candidates, positions (R,)."""
    by = state.current().colour
    if by == "movement":
        movement = true_movement(comparison)[drawn]
        return Colours(
            theme.movement_colours(movement, state.dark()), values=[float(m) for m in movement]
        )
    if by == "cluster" and corpus_map is not None:
        labels = corpus_map.clusters.labels[comparison.rows[drawn]]
        names = [corpus_map.clusters.names[n] for n in labels]
        return Colours([theme.CLUSTERS[n] for n in labels], names)
    if by == "subject":
        subjects = [dataset.document[comparison.document_ids[i]].subject for i in drawn]
        colour = subject_colours(subjects)
        return Colours(
            [colour.get(s, theme.OTHER_GROUPS) for s in subjects],
            [s if s in colour else OTHERS for s in subjects],
        )
    return Colours([theme.relevance_colour(int(comparison.relevance[i])) for i in drawn])


def subject_colours(subjects: Sequence[str]) -> dict[str, str]:
    """Return a colour of its own for each of the most frequent subjects of drawn documents.

    There are more subjects than colours that can be distinguished; no colour is used twice.
    """
    frequent = [subject for subject, _ in Counter(subjects).most_common(len(theme.CLUSTERS))]
    return dict(zip(frequent, theme.CLUSTERS, strict=False))


def points(
    comparison: Comparison, dataset: Dataset, drawn: NDArray[np.int64], colours: list[str]
) -> Points:
    """Return how the drawn candidates, positions (R,), look and what their hover labels say."""
    ids = [comparison.document_ids[i] for i in drawn]
    second = comparisons.second(comparison)
    base, other = comparison.rank("base"), comparison.rank(second)
    movement = true_movement(comparison)
    relevance = [formatting.relevance_name(int(comparison.relevance[i])) for i in drawn]
    labels = [
        (
            f"{formatting.plain(f'{d}: {dataset.document[d].title}')}<br>{r} · base rank "
            f"{base[i]}, {second} rank {other[i] or '—'}"
            + (f"<br>true movement {movement[i]:.4f}" if state.has_adapter() else "")
        )
        for i, d, r in zip(drawn, ids, relevance, strict=True)
    ]
    # the sign always shows the relevance, whatever the colour shows
    return Points(ids, labels, colours, [theme.SYMBOLS[r] for r in relevance])


def groups(
    comparison: Comparison,
    dataset: Dataset,
    drawn: NDArray[np.int64],
    corpus_map: CorpusMap,
    three: bool,
) -> list[Group]:
    """Return the groups of the cloud: clusters, subjects, or the corpus as one.

    In three dimensions a large corpus is sampled, because a browser cannot turn it smoothly.
    """
    names, colour_list, labels = _grouping(comparison, dataset, drawn, corpus_map)
    shown = np.ones(len(labels), bool)
    if three and len(labels) > MAX_3D:
        shown[:] = False
        # a fixed seed: the sample must not change with every click
        shown[np.random.default_rng(0).choice(len(labels), MAX_3D, replace=False)] = True
        st.caption(f"The map shows {MAX_3D:,} of {len(labels):,} documents, drawn at random.")
    return [
        Group(name, colour, np.flatnonzero((labels == n) & shown))
        for n, (name, colour) in enumerate(zip(names, colour_list, strict=True))
    ]


def _grouping(
    comparison: Comparison, dataset: Dataset, drawn: NDArray[np.int64], corpus_map: CorpusMap
) -> tuple[list[str], list[str], NDArray[np.int64]]:
    """Return the names and colours of the groups, and the group (N,) of each document."""
    by = state.current().colour
    if by == "cluster":
        cluster_names = list(corpus_map.clusters.names)
        return cluster_names, list(theme.CLUSTERS[: len(cluster_names)]), corpus_map.clusters.labels
    if by == "subject":
        colour = subject_colours(
            [dataset.document[comparison.document_ids[i]].subject for i in drawn]
        )
        names = [*colour, OTHERS]
        number = {name: n for n, name in enumerate(names)}
        labels = np.array([number.get(d.subject, len(colour)) for d in dataset.documents])
        return names, [*colour.values(), theme.OTHER_GROUPS], labels
    return ["corpus"], [theme.UNJUDGED], np.zeros(len(dataset.documents), np.int64)


def document_id(mark: chart.Mark, groups: list[Group], dataset: Dataset) -> str:
    """Return the document of a clicked mark, or an empty text if it has none.

    Candidates carry their id. Dots of the cloud do not, which would be much to send: the number of
    their trace and their number in it say which document they are.
    """
    if mark.custom:
        return str(mark.custom[0])
    if mark.trace < len(groups) and mark.index < len(groups[mark.trace].rows):
        return dataset.document_ids[int(groups[mark.trace].rows[mark.index])]
    return ""
