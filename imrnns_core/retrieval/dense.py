"""Exact candidate search over the base embeddings by cosine similarity, computed by FAISS."""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np

from imrnns_core.data.embeddings import unit
from imrnns_core.types import FloatArray, IntArray


@dataclass(frozen=True)
class DenseIndex:
    """An exact FAISS index over N unit vectors."""

    faiss_index: faiss.IndexFlatIP

    @classmethod
    def build(cls, vectors: FloatArray) -> DenseIndex:
        """Return an index of (N, n) vectors."""
        # the inner product of unit vectors is their cosine
        index = faiss.IndexFlatIP(int(vectors.shape[1]))
        index.add(unit(vectors))
        return cls(index)

    def __len__(self) -> int:
        return int(self.faiss_index.ntotal)

    def search(self, queries: FloatArray, k: int) -> IntArray:
        """Return (B, min(k, N)) corpus rows for (B, n) queries, most similar first."""
        # with a k above N, FAISS would fill the rows with −1
        _, rows = self.faiss_index.search(unit(queries), min(k, len(self)))
        return np.asarray(rows, dtype=np.int64)
