"""Exact candidate search over the base embeddings by cosine or dot product, by FAISS."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import faiss
import numpy as np

from imrnns_core.data.embeddings import BLOCK, unit
from imrnns_core.types import FloatArray, IntArray, Similarity


def _hash(vector: FloatArray) -> bytes:
    return hashlib.blake2b((vector + 0.0).tobytes(), digest_size=16).digest()  # −0 is equal to 0


@dataclass(frozen=True)
class DenseIndex:
    """An exact FAISS index over the U distinct vectors of N documents.

    FAISS orders equal scores by rules of its own, and it can round the score of a vector
    differently at another row. With one row per distinct vector, in an order that does not depend
    on that of the corpus, it finds the same documents for every order of the corpus.

    Attributes:
        faiss_index: The index.
        rows: (N,) corpus rows. Those of one vector are next to each other, in the order of ties.
        starts: (U + 1,) where the rows of each distinct vector start in `rows`, and N.
        representatives: (N,) for each document, the first row in `rows` with the same vector.
        similarity: How documents are ranked.
    """

    faiss_index: faiss.IndexFlatIP
    rows: IntArray
    starts: IntArray
    representatives: IntArray
    similarity: Similarity = "cosine"

    @classmethod
    def build(
        cls, vectors: FloatArray, ties: IntArray, similarity: Similarity = "cosine"
    ) -> DenseIndex:
        """Return an index of (N, n) vectors; `ties` (N,) is their order where scores are equal."""
        order, number_of = np.argsort(ties), dict[bytes, int]()
        # hashes instead of the vectors: of a million vectors, the latter have more than a gigabyte
        numbers = np.array(
            [number_of.setdefault(_hash(vectors[row]), len(number_of)) for row in order],
            dtype=np.int64,
        )
        rows = order[np.argsort(numbers, kind="stable")]
        sizes = np.bincount(numbers, minlength=len(number_of))
        starts = np.concatenate([[0], np.cumsum(sizes)])
        first = rows[starts[:-1]]
        representatives = np.empty_like(rows)
        representatives[rows] = np.repeat(first, sizes)
        # the inner product of unit vectors is their cosine
        dimension = int(vectors.shape[1])
        index = faiss.IndexFlatIP(dimension)
        # `add` would double its memory again and again, and needs a copy of the corpus
        index.codes.resize(4 * dimension * len(first))
        index.ntotal = len(first)
        stored = faiss.rev_swig_ptr(index.get_xb(), dimension * len(first)).reshape(-1, dimension)
        for start in range(0, len(first), BLOCK):
            block = vectors[first[start : start + BLOCK]]
            stored[start : start + BLOCK] = unit(block) if similarity == "cosine" else block
        return cls(index, rows, starts, representatives, similarity)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def has_duplicates(self) -> bool:
        """Whether two documents have the same vector."""
        return len(self.starts) <= len(self)

    def equalized(self, scores: FloatArray, rows: IntArray) -> FloatArray:
        """Return scores (B, …, K) of rows (B, K), equal for documents with the same vector.

        Matrix products can round the same vector differently at another position.
        """
        if self.has_duplicates:
            for i, same in enumerate(self.representatives[rows]):
                _, first, group = np.unique(same, return_index=True, return_inverse=True)
                scores[i] = scores[i][..., first[group]]
        return scores

    def search(self, queries: FloatArray, k: int, left_out: IntArray | None = None) -> IntArray:
        """Return (B, min(k, N)) corpus rows for (B, n) queries, most similar first.

        Documents with the same vector are in the order of ties, also where only some of them fit.

        Args:
            queries: The queries.
            k: Number of documents.
            left_out: (B,) a corpus row that is left out for each query, −1 for none; there are
                then min(k, N − 1) rows.
        """
        if left_out is None:
            return self._nearest(queries, k)
        k = min(k, len(self) - 1)
        rows = self._nearest(queries, k + 1)
        dropped = np.asarray(rows == left_out[:, None])
        dropped[~dropped.any(axis=1), k] = True
        return np.asarray(rows[~dropped].reshape(-1, k))

    def _nearest(self, queries: FloatArray, k: int) -> IntArray:
        # with a k above the number of vectors, FAISS would fill the rows with −1
        if self.similarity == "cosine":
            queries = unit(queries)
        _, numbers = self.faiss_index.search(queries, min(k, len(self.starts) - 1))
        if not self.has_duplicates:
            return np.asarray(self.rows[numbers], dtype=np.int64)
        return np.stack(
            [
                np.concatenate([self.rows[self.starts[n] : self.starts[n + 1]] for n in nearest])[
                    :k
                ]
                for nearest in numbers
            ]
        )
