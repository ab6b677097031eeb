"""Movement of candidates by modulation: its true size, and its size on a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imrnns_core.projection.corpus_map import CorpusMap, knn_project
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import FloatArray, IntArray


@dataclass(frozen=True)
class Movement:
    """True movement of R candidates, and its size on the map.

    Attributes:
        true: (R,) cosine distance between projected and modulated embedding.
        arrow_length: (R,) length of the arrow, in map units.
        noise: (R,) length that the arrow would have if the embedding did not change.
    """

    true: FloatArray
    arrow_length: FloatArray
    noise: FloatArray

    @property
    def within_noise(self) -> bool:
        """Whether the median arrow is shorter than twice the median noise and so not meaningful."""
        return bool(np.median(self.arrow_length) < 2 * np.median(self.noise))


def true_movement(comparison: Comparison) -> FloatArray:
    """Return (K,) cosine distance between each candidate's projected and modulated embedding."""
    modulation = comparison.modulation
    cosine = (modulation.projected_documents * modulation.modulated_documents).sum(-1)
    return np.asarray((1.0 - cosine).clamp_min(0.0).numpy())


@dataclass(frozen=True)
class UmapMovement:
    """Coordinates of R candidates and the query on a UMAP map with d dimensions.

    Attributes:
        base: (R, d) coordinates of the candidates, base.
        modulated: (R, d) coordinates of the candidates, modulated.
        query_base: (d,) coordinates of the query, base.
        query_modulated: (d,) coordinates of the query, modulated.
        movement: The movement of the candidates.
    """

    base: FloatArray
    modulated: FloatArray
    query_base: FloatArray
    query_modulated: FloatArray
    movement: Movement


def umap_movement(
    corpus_map: CorpusMap,
    projected: FloatArray,
    comparison: Comparison,
    positions: IntArray,
    dimensions: int,
) -> UmapMovement:
    """Return the coordinates of candidates and query on the UMAP map, base and modulated.

    The base coordinates of a candidate are those of its document on the map. The modulated ones are
    the projection of its modulated vector, which ignores its own document. The noise is the
    distance between the base coordinates and the same projection of its unmodulated vector.

    Args:
        corpus_map: The map.
        projected: (N, m) projected documents of the map.
        comparison: The query and its candidates.
        positions: (R,) positions of the candidates in the comparison.
        dimensions: 2 or 3.
    """
    modulation = comparison.modulation
    rows = comparison.rows[positions]
    base = corpus_map.umap[dimensions][rows]
    unmodulated = knn_project(
        corpus_map, projected, modulation.projected_documents.numpy()[positions], dimensions, rows
    )
    modulated = knn_project(
        corpus_map, projected, modulation.modulated_documents.numpy()[positions], dimensions, rows
    )
    queries = np.stack([modulation.projected_query.numpy(), modulation.modulated_query.numpy()])
    query_base, query_modulated = knn_project(corpus_map, projected, queries, dimensions)
    movement = Movement(
        true_movement(comparison)[positions],
        np.linalg.norm(modulated - base, axis=1),
        np.linalg.norm(unmodulated - base, axis=1),
    )
    return UmapMovement(base, modulated, query_base, query_modulated, movement)


def pca_movement(
    corpus_map: CorpusMap, comparison: Comparison, positions: IntArray, dimensions: int
) -> tuple[FloatArray, FloatArray, float]:
    """Return PCA coordinates (R, d) of candidates, base and modulated, and the share they show.

    The share is the part of the squared true movement that is visible on the map's axes.
    """
    # PCA is linear, so the difference of coordinates is the projected movement
    modulation = comparison.modulation
    base_vectors = modulation.projected_documents.numpy()[positions]
    modulated_vectors = modulation.modulated_documents.numpy()[positions]
    base = corpus_map.pca_project(base_vectors, dimensions)
    modulated = corpus_map.pca_project(modulated_vectors, dimensions)
    total = float(((modulated_vectors - base_vectors) ** 2).sum())
    visible = float(((modulated - base) ** 2).sum())
    return base, modulated, visible / total if total > 0 else 0.0
