"""Exact candidate search over the base embeddings by cosine or dot product."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from imrnns_core.data.embeddings import BLOCK, unit
from imrnns_core.types import FloatArray, IntArray, Similarity

QUERY_BATCH, DOCUMENT_BATCH = 256, 65_536
"""Sizes of one matrix product: its scores take at most 67 MB."""

MEMORY_BYTES = 3_000_000_000
"""Larger indexes are in a temporary file, which the system reads in parts: 2 million vectors with
384 dimensions are in memory."""


def _room_for(shape: tuple[int, int]) -> FloatArray:
    """Return an array (U, n) without values: in memory, or in a file that ends with it."""
    if 4 * shape[0] * shape[1] <= MEMORY_BYTES:
        return np.empty(shape, np.float32)
    with tempfile.TemporaryFile(prefix="imrnns-index-") as file:
        return np.memmap(file, np.float32, "w+", shape=shape)


def _keys(vectors: FloatArray) -> NDArray[np.uint64]:
    """Return a key (N,) of each vector (N, n); only equal vectors have the same one.

    It is a sum of products of the bits of all numbers, modulo 2⁶⁴. Among a million vectors, two
    different ones have the same key with a probability of 3 · 10⁻⁸.
    """
    factors = np.random.default_rng(0).integers(2**63, size=vectors.shape[1], dtype=np.uint64)
    keys = np.empty(len(vectors), np.uint64)
    for start in range(0, len(vectors), BLOCK):
        block = np.asarray(vectors[start : start + BLOCK], np.float32) + 0.0  # −0 is equal to 0
        keys[start : start + BLOCK] = block.view(np.uint32).astype(np.uint64) @ (2 * factors + 1)
    return keys


@dataclass(frozen=True)
class DenseIndex:
    """An exact index over the U distinct vectors of N documents.

    Matrix products of torch compute all scores, which is at least as fast as the flat index of
    FAISS, and often several times as fast (docs/performance.md, `search_ratio`). They can round the
    score of a vector differently at another row. With one row per distinct vector, in an order that
    does not depend on that of the corpus, the index finds the same documents for every order of the
    corpus.

    Attributes:
        vectors: (U, n) the distinct vectors, in the order of ties; unit vectors for cosine.
        rows: (N,) corpus rows. Those of one vector are next to each other, in the order of ties.
        starts: (U + 1,) where the rows of each distinct vector start in `rows`, and N.
        numbers: (N,) the number of each document's vector in `vectors`.
        similarity: How documents are ranked.
    """

    vectors: FloatArray
    rows: IntArray
    starts: IntArray
    numbers: IntArray
    similarity: Similarity = "cosine"

    @classmethod
    def build(
        cls, vectors: FloatArray, ties: IntArray, similarity: Similarity = "cosine"
    ) -> DenseIndex:
        """Return an index of (N, n) vectors; `ties` (N,) is their order where scores are equal."""
        order = np.argsort(ties)
        _, first, own = np.unique(_keys(vectors)[order], return_index=True, return_inverse=True)
        # the number of each vector: that of its first document in the order of ties
        in_order = np.argsort(np.argsort(first))[own]
        rows = order[np.argsort(in_order, kind="stable")]
        starts = np.concatenate([[0], np.cumsum(np.bincount(in_order, minlength=len(first)))])
        first = rows[starts[:-1]]
        numbers = np.empty_like(rows)
        numbers[order] = in_order
        # the inner product of unit vectors is their cosine
        stored = _room_for((len(first), vectors.shape[1]))
        for start in range(0, len(first), BLOCK):
            block = vectors[first[start : start + BLOCK]]
            stored[start : start + BLOCK] = unit(block) if similarity == "cosine" else block
        return cls(stored, rows, starts, numbers, similarity)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def representatives(self) -> IntArray:
        """(N,) for each document, the first row in the order of ties with the same vector."""
        return np.asarray(self.rows[self.starts[self.numbers]])

    def take(self, rows: IntArray) -> FloatArray:
        """Return the vectors (…, n) of rows (…)."""
        return np.asarray(self.vectors[self.numbers[rows]])

    def products(self, query: FloatArray) -> FloatArray:
        """Return the products (N,) of a query (n,) with all vectors."""
        return np.asarray((self.vectors @ query)[self.numbers])

    @property
    def has_duplicates(self) -> bool:
        """Whether two documents have the same vector."""
        return len(self.starts) <= len(self)

    def equalized(self, scores: FloatArray, rows: IntArray) -> FloatArray:
        """Return scores (B, …, K) of rows (B, K), equal for documents with the same vector.

        Matrix products can round the same vector differently at another position.
        """
        if self.has_duplicates:
            for i, same in enumerate(self.numbers[rows]):
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
        if self.similarity == "cosine":
            queries = unit(queries)
        numbers = self._nearest_vectors(np.ascontiguousarray(queries), k)
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

    def _nearest_vectors(self, queries: FloatArray, k: int) -> IntArray:
        """Return the numbers (B, min(k, U)) of the most similar vectors.

        Of equal scores at the end of the list, the first vectors in the order of ties are kept.
        """
        count = len(self.vectors)
        k = min(k, count)
        # one more, to see whether the last score goes on
        wanted = min(k + 1, count)
        scores, numbers = _largest_products(self.vectors, queries, wanted)
        for i in np.flatnonzero(scores[:, k - 1] == scores[:, -1]) if wanted > k else ():
            products = self.vectors @ queries[i]
            # vectors are numbered in the order of ties
            numbers[i, :k] = np.lexsort((np.arange(count), -products))[:k]
        return np.asarray(numbers[:, :k])


@torch.inference_mode()
def _largest_products(
    vectors: FloatArray, queries: FloatArray, k: int
) -> tuple[FloatArray, IntArray]:
    """Return the k largest products of each query with vectors (U, n), and their numbers; (B, k).

    The largest product comes first.
    """
    stored, asked = torch.from_numpy(vectors), torch.from_numpy(queries)
    products_of = torch.empty(len(asked), k)
    numbers = torch.empty(len(asked), k, dtype=torch.int64)
    for first in range(0, len(asked), QUERY_BATCH):
        batch = slice(first, first + QUERY_BATCH)
        count = len(asked[batch])
        scores, best = torch.empty(count, 0), torch.empty(count, 0, dtype=torch.int64)
        for start in range(0, len(stored), DOCUMENT_BATCH):
            products = asked[batch] @ stored[start : start + DOCUMENT_BATCH].T
            own = products.topk(min(k, products.shape[1]))
            scores = torch.cat([scores, own.values], dim=1)
            best = torch.cat([best, own.indices + start], dim=1)
            scores, kept = scores.topk(min(k, scores.shape[1]))
            best = best.gather(1, kept)
        products_of[batch], numbers[batch] = scores, best
    return products_of.numpy(), numbers.numpy()
