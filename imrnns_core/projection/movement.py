"""How far candidates moved, truly and as a map draws it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imrnns_core.projection.corpus_map import CorpusMap, knn_project
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import FloatArray, IntArray


@dataclass(frozen=True)
class Movement:
    """How far candidates moved, truly and as drawn.

    Attributes:
        true: (R,) cosine distance between projected and modulated embedding.
        drawn: (R,) length of the arrow, in the map's units.
        noise: (R,) how far the same documents would be drawn from their own places if they had not
            moved.
    """

    true: FloatArray
    drawn: FloatArray
    noise: FloatArray

    @property
    def within_noise(self) -> bool:
        """True where the median arrow is shorter than twice the median noise.

        Then it shows nothing.
        """
        return bool(np.median(self.drawn) < 2 * np.median(self.noise))


def true_movement(comparison: Comparison) -> FloatArray:
    """Return (K,) cosine distance between each candidate's projected and modulated embedding."""
    modulation = comparison.modulation
    cosine = (modulation.projected_documents * modulation.modulated_documents).sum(-1)
    return np.asarray((1.0 - cosine).clamp_min(0.0).numpy())


@dataclass(frozen=True)
class UmapMovement:
    """Where R candidates and the query of a comparison lie on the UMAP map, base and modulated."""

    base: FloatArray  # (R, d)
    modulated: FloatArray  # (R, d)
    query_base: FloatArray  # (d,)
    query_modulated: FloatArray  # (d,)
    movement: Movement


def umap_movement(
    corpus_map: CorpusMap,
    projected: FloatArray,
    comparison: Comparison,
    positions: IntArray,
    dimensions: int,
) -> UmapMovement:
    """Place some candidates (positions (R,) in the comparison) and the query on the UMAP map.

    A candidate starts at its own place and ends where its modulated vector is placed; the document
    itself does not attract it, and the noise is what that rule does to a document that did not
    move.
    """
    modulation = comparison.modulation
    rows = comparison.rows[positions]
    base = corpus_map.umap[dimensions][rows]
    unmoved = knn_project(
        corpus_map, projected, modulation.projected_documents.numpy()[positions], dimensions, rows
    )
    moved = knn_project(
        corpus_map, projected, modulation.modulated_documents.numpy()[positions], dimensions, rows
    )
    queries = np.stack([modulation.projected_query.numpy(), modulation.modulated_query.numpy()])
    query_places = knn_project(corpus_map, projected, queries, dimensions)
    movement = Movement(
        true_movement(comparison)[positions],
        np.linalg.norm(moved - base, axis=1),
        np.linalg.norm(unmoved - base, axis=1),
    )
    return UmapMovement(base, moved, query_places[0], query_places[1], movement)


def pca_movement(
    corpus_map: CorpusMap, comparison: Comparison, positions: IntArray, dimensions: int
) -> tuple[FloatArray, FloatArray, float]:
    """Return PCA places (R, d) of candidates, base and modulated, and the share that they show.

    The share is that of the squared true move.
    """
    modulation = comparison.modulation
    start, end = (
        modulation.projected_documents.numpy()[positions],
        modulation.modulated_documents.numpy()[positions],
    )
    before, after = (
        corpus_map.pca_project(start, dimensions),
        corpus_map.pca_project(end, dimensions),
    )
    whole = float(((end - start) ** 2).sum())
    return before, after, float(((after - before) ** 2).sum()) / whole if whole > 0 else 0.0
