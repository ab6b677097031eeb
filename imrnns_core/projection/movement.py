"""Movement of candidates by modulation: its true size, and how a map draws it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.near_copies import copies
from imrnns_core.data.shingles import Passage
from imrnns_core.model.modulation import Modulation
from imrnns_core.projection.arrow_agreement import ArrowAgreement, arrow_agreement
from imrnns_core.projection.corpus_map import CorpusMap, knn_project
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import FloatArray, IntArray

NEAR_COPY = 0.9
"""Cosine of base embeddings from which two documents count as near copies."""


@dataclass(frozen=True)
class DrawnMovement:
    """Coordinates of R candidates and the query on a map with d dimensions.

    Attributes:
        start: (R, d) coordinates of the unmoved candidates.
        end: (R, d) coordinates of the modulated candidates.
        query_start: (d,) coordinates of the projected query.
        query_end: (d,) coordinates of the modulated query.
        true: (R,) true movement: cosine distance between projected and modulated embedding.
        agreement: How well the arrows agree with the true movement.
    """

    start: FloatArray
    end: FloatArray
    query_start: FloatArray
    query_end: FloatArray
    true: FloatArray
    agreement: ArrowAgreement


def true_movement(comparison: Comparison) -> FloatArray:
    """Return (K,) cosine distance between each candidate's projected and modulated embedding.

    Without an adapter, nothing moves.
    """
    if not isinstance(comparison.vectors, Modulation):
        return np.zeros(len(comparison.rows), dtype=np.float32)
    modulation = comparison.modulation
    cosine = (modulation.projected_documents * modulation.modulated_documents).sum(-1)
    return np.asarray((1.0 - cosine).clamp_min(0.0).numpy())


def umap_movement(
    corpus_map: CorpusMap,
    projected: FloatArray,
    comparison: Comparison,
    dataset: Dataset,
    positions: IntArray,
    dimensions: int,
) -> DrawnMovement:
    """Return the coordinates of candidates and query on the UMAP map.

    Both ends of an arrow are projections that ignore the document itself, of its unmoved and of
    its modulated vector. If an arrow started at the document's own coordinates, most of it would
    be the error of the projection, which is there without any movement.

    Args:
        corpus_map: The map.
        projected: (N, m) projected documents of the map.
        comparison: The query and its candidates.
        dataset: The data set of the query.
        positions: (R,) positions of the candidates in the comparison.
        dimensions: 2 or 3.
    """
    rows = comparison.rows[positions]

    def place(vectors: FloatArray, leave_out: IntArray | None = None) -> FloatArray:
        return knn_project(corpus_map, projected, vectors, dimensions, leave_out)

    return _drawn(
        comparison,
        dataset,
        positions,
        corpus_map.umap[dimensions][comparison.rows],
        lambda documents: place(documents, rows),
        place,
    )


def pca_movement(
    corpus_map: CorpusMap,
    comparison: Comparison,
    dataset: Dataset,
    positions: IntArray,
    dimensions: int,
) -> DrawnMovement:
    """Return the coordinates of candidates, positions (R,), and query on the PCA map."""

    def place(vectors: FloatArray) -> FloatArray:
        return corpus_map.pca_project(vectors, dimensions)

    targets = place(comparison.modulation.projected_documents.numpy())
    return _drawn(comparison, dataset, positions, targets, place, place)


def _drawn(
    comparison: Comparison,
    dataset: Dataset,
    positions: IntArray,
    targets: FloatArray,
    place_documents: Callable[[FloatArray], FloatArray],
    place_queries: Callable[[FloatArray], FloatArray],
) -> DrawnMovement:
    """Return the movement of candidates, positions (R,); targets (K, d) are all on the map."""
    modulation = comparison.modulation
    projected = modulation.projected_documents.numpy()  # (K, m)
    unmoved, moved = projected[positions], modulation.modulated_documents.numpy()[positions]
    start, end = place_documents(unmoved), place_documents(moved)
    queries = np.stack([modulation.projected_query.numpy(), modulation.modulated_query.numpy()])
    query_start, query_end = place_queries(queries)
    true = true_movement(comparison)[positions]
    agreement = arrow_agreement(
        (start, end),
        true,
        targets,
        (moved - unmoved) @ projected.T,
        positions,
        near_copies(
            [dataset.documents[row] for row in comparison.rows[positions]],
            modulation.documents.numpy()[positions],
        ),
    )
    return DrawnMovement(start, end, query_start, query_end, true, agreement)


def placement_error(
    corpus_map: CorpusMap, comparison: Comparison, positions: IntArray, start: FloatArray
) -> float:
    """Return the median distance of unmoved candidates, start (R, d), from their own coordinates.

    Args:
        corpus_map: The map, whose longest side is 1.
        comparison: The query and its candidates.
        positions: (R,) positions of the candidates in the comparison.
        start: (R, d) where UMAP's map places their unmoved vectors.
    """
    own = corpus_map.umap[start.shape[1]][comparison.rows[positions]]
    return float(np.median(np.linalg.norm(start - own, axis=1)))


def visible_share(comparison: Comparison, positions: IntArray, drawn: DrawnMovement) -> float:
    """Return the part of the squared true movement that is visible on the axes of a PCA map."""
    modulation = comparison.modulation
    moves = (modulation.modulated_documents - modulation.projected_documents).numpy()[positions]
    total = float((moves**2).sum())
    return float(((drawn.end - drawn.start) ** 2).sum()) / total if total > 0 else 0.0


def near_copies(documents: Sequence[Passage], vectors: FloatArray) -> IntArray:
    """Return the group (R,) of each document; near copies are in one.

    Documents that fill in one template share runs of words, though their embeddings may differ.

    Args:
        documents: The R documents.
        vectors: (R, n) their base embeddings, unit vectors.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    groups = copies(documents)
    near = csr_array((vectors @ vectors.T >= NEAR_COPY) | (groups[:, None] == groups))
    return np.asarray(connected_components(near, directed=False)[1], dtype=np.int64)
