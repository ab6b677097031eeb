"""Similarity of a query to the best sentence of a document.

Shapes: S sentences, N documents, n encoder dimensions, K candidates of a query.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imrnns_core.types import FloatArray, IntArray


@dataclass(frozen=True)
class SentenceVectors:
    """The sentences of a collection, in corpus order.

    Attributes:
        vectors: (S, n) unit vectors, float16 or float32.
        rows: (S,) corpus rows of their documents, ascending.
    """

    vectors: NDArray[np.floating]
    rows: IntArray

    def max_similarity(self, query: FloatArray, candidates: IntArray) -> FloatArray:
        """Return (K,) cosines of a unit query (n,) and the best sentence of each candidate row.

        A document without a sentence gets 0.
        """
        first = np.searchsorted(self.rows, candidates, side="left")
        counts = np.searchsorted(self.rows, candidates, side="right") - first
        present = np.flatnonzero(counts)
        best = np.zeros(len(candidates), dtype=np.float32)
        if len(present):
            sentences = np.concatenate([np.arange(first[i], first[i] + counts[i]) for i in present])
            similarity = self.vectors[sentences].astype(np.float32) @ query
            starts = np.cumsum(counts[present]) - counts[present]
            best[present] = np.maximum.reduceat(similarity, starts)
        return best
