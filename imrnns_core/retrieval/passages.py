"""Passages of long documents, and the vectors by which documents are ranked.

A document that the encoder reads whole has one vector. One that was split has a vector for each of
its passages and is ranked by the best one.

Shapes: N documents, P passages of the documents that were split, V vectors of all documents, n
encoder dimensions, B queries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from imrnns_core.data.records import Document
from imrnns_core.retrieval.dense import DenseIndex
from imrnns_core.types import FloatArray, IntArray, Similarity


@dataclass(frozen=True)
class Passages:
    """The passages of the documents that were split, in corpus order.

    Attributes:
        vectors: (P, n) base embeddings.
        rows: (P,) corpus rows of their documents, ascending.
        parts: (P,) the passages; id and title are those of the document.
    """

    vectors: FloatArray
    rows: IntArray
    parts: Sequence[Document]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the vectors and of the documents that they belong to."""
        sha = hashlib.sha256(self.rows.tobytes())
        sha.update(np.ascontiguousarray(self.vectors).data)
        return sha.hexdigest()


@dataclass(frozen=True)
class BestPassage:
    """The passage by which a document is ranked for a query.

    Attributes:
        number: Which passage of the document it is, counted from 1.
        count: Number of passages of the document.
        part: The passage; id and title are those of the document.
    """

    number: int
    count: int
    part: Document

    def __str__(self) -> str:
        return f"passage {self.number} of {self.count}"

    def to_json(self) -> dict[str, int]:
        """Return which passage it is as a JSON record."""
        return {"number": self.number, "count": self.count}


@dataclass(frozen=True)
class RankedVectors:
    """The V vectors by which N documents are ranked; those of a document are next to each other.

    Attributes:
        vectors: (V, n) base embeddings.
        documents: (V,) corpus row of each vector, ascending.
        ties: (V,) order of the vectors where scores are equal.
        index: The exact index of the vectors.
        parts: Row in `vectors` → passage, for documents that were split.
    """

    vectors: FloatArray
    documents: IntArray
    ties: IntArray
    index: DenseIndex
    parts: dict[int, Document]

    @classmethod
    def of(
        cls,
        whole: FloatArray,
        ties: IntArray,
        similarity: Similarity,
        passages: Passages | None = None,
    ) -> RankedVectors:
        """Return the vectors of documents.

        Args:
            whole: (N, n) embeddings of the whole documents.
            ties: (N,) order of the documents where scores are equal.
            similarity: How documents are ranked.
            passages: The passages of those that were split.
        """
        documents = np.arange(len(whole), dtype=np.int64)
        if passages is None:
            index = DenseIndex.build(whole, ties, similarity)
            return cls(whole, documents, ties, index, {})
        kept = np.setdiff1d(documents, passages.rows)
        rows = np.concatenate([kept, passages.rows])
        order = np.argsort(rows, kind="stable")
        vectors = np.concatenate([whole[kept], passages.vectors])[order]
        documents = rows[order]
        by_tie = np.lexsort((np.arange(len(documents)), ties[documents]))
        ranked_ties = np.empty_like(by_tie)
        ranked_ties[by_tie] = np.arange(len(by_tie))
        parts = {
            row: passages.parts[number - len(kept)]
            for row, number in enumerate(order.tolist())
            if number >= len(kept)
        }
        index = DenseIndex.build(vectors, ranked_ties, similarity)
        return cls(vectors, documents, ranked_ties, index, parts)

    @cached_property
    def first(self) -> IntArray:
        """(N,) row of the first vector of each document."""
        return np.flatnonzero(np.diff(self.documents, prepend=-1)).astype(np.int64)

    def search(self, queries: FloatArray, k: int, left_out: IntArray | None = None) -> IntArray:
        """Return (B, up to k) rows: the best vector of each of the nearest documents.

        The arguments are those of `DenseIndex.search`; `left_out` has corpus rows.
        """
        if not self.parts:
            return self.index.search(queries, k, left_out)
        k = min(k, len(self.first) - (left_out is not None))
        own = np.full(len(queries), -1) if left_out is None else left_out
        depth = k
        while True:
            depth = min(2 * depth, len(self.documents))
            nearest = self.index.search(queries, depth)
            best = [self._best_of(rows, int(row)) for rows, row in zip(nearest, own, strict=True)]
            # all passages of one document can be before the other documents
            if depth == len(self.documents) or all(len(rows) >= k for rows in best):
                return np.stack([rows[:k] for rows in best])

    def in_tie_order(self, rows: IntArray) -> IntArray:
        """Return rows (B, K) in the order of ties, which does not depend on that of the corpus.

        Scores are rounded by the position of a row, so positions must not depend on it either.
        """
        return np.take_along_axis(rows, np.argsort(self.ties[rows], axis=1), axis=1)

    def best_rows(self, scores: FloatArray) -> IntArray:
        """Return (N,) the row of the best vector of each document, by scores (V,)."""
        if not self.parts:
            return self.documents.copy()
        order = np.lexsort((self.ties, -scores, self.documents))
        return np.asarray(order[self.first])

    def best_passage(self, row: int) -> BestPassage | None:
        """Return the passage of a row, None if its document was not split."""
        if row not in self.parts:
            return None
        first = int(self.first[self.documents[row]])
        count = int(np.searchsorted(self.documents, self.documents[row], side="right")) - first
        return BestPassage(row - first + 1, count, self.parts[row])

    def _best_of(self, rows: IntArray, left_out: int) -> IntArray:
        """Return the first of rows (R,), best first, of each document but the one left out."""
        documents, first = np.unique(self.documents[rows], return_index=True)
        return np.asarray(rows[np.sort(first[documents != left_out])])
