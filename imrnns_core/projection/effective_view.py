"""The effective-query view: the documents stay where they are, and the query moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imrnns_core.model.effective_query import query_move
from imrnns_core.retrieval.batch import rank
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import FloatArray, IntArray


@dataclass(frozen=True)
class EffectiveView:
    """The N documents of a corpus in the plane of the query q and its effective query q_eff.

    Nothing is estimated. The first coordinate of a document is its base score, q · d. The product
    with q_eff, which orders the documents nearly as the adapter does, is the distance along the
    direction of q_eff.

    Attributes:
        places: (N, 2) coordinates of the documents' base embeddings. q is at (1, 0).
        query: (2,) coordinates of q_eff, scaled to unit length.
        base: (k,) rows of the documents with the highest base scores, best first.
        effective: (k,) rows of those with the highest products with q_eff.
        modulated: (k,) rows of those with the highest modulated scores of all documents.
    """

    places: FloatArray
    query: FloatArray
    base: IntArray
    effective: IntArray
    modulated: IntArray

    @property
    def angle(self) -> float:
        """Angle between q and q_eff in degrees."""
        return float(np.degrees(np.arctan2(self.query[1], self.query[0])))

    @property
    def found(self) -> int:
        """Number of the k documents with the highest modulated scores that q_eff finds."""
        return len(np.intersect1d(self.effective, self.modulated))


def effective_view(ranker: Ranker, comparison: Comparison, k: int) -> EffectiveView:
    """Return the view of a query, with the k best documents of each ranking.

    Raises:
        AdapterError: If the ranker has no adapter, or a score is NaN.
    """
    vectors = comparison.modulation
    query, moved = (
        vector.numpy()
        for vector in query_move(
            ranker.adapter.model,
            vectors.query,
            vectors.query_scale,
            vectors.query_bias,
            vectors.modulated_query,
        )
    )
    along = float(np.clip(query @ moved, -1.0, 1.0))
    across = moved - along * query
    length = float(np.linalg.norm(across))
    # without a movement every direction will do; a vector of zeros draws all documents on a line
    axes = np.stack([query, across / length if length > 0 else across])
    scores = ranker.corpus_scores(comparison)
    index = ranker.collection.index
    places = index.take(scores.rows) @ axes.T.astype(np.float32)
    position = np.array([along, length], np.float32)
    # the query's own document is not ranked
    # the search with q_eff ranks a document by the passage that is nearest to q_eff
    nearest = ranker.collection.ranked.best_rows(index.products(moved))
    products = index.take(nearest) @ moved
    products = np.where(np.isfinite(scores.stages["base"]), products, -np.inf)
    best = (
        np.argsort(rank(values, ranker.collection.tie_ranks))[:k]
        for values in (scores.stages["base"], products, scores.stages["modulated"])
    )
    return EffectiveView(places, position, *best)
