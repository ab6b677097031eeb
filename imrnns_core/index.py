"""Candidate search over the base embeddings: exact inner product of unit vectors, through FAISS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import faiss
import numpy as np

from imrnns_core.embeddings import unit
from imrnns_core.records import Document, FloatArray, IntArray


@dataclass(frozen=True)
class Index:
    """An exact FAISS index over N unit vectors."""

    faiss_index: faiss.IndexFlatIP

    @classmethod
    def build(cls, vectors: FloatArray) -> Index:
        """Index (N, n) vectors by cosine similarity."""
        index = faiss.IndexFlatIP(int(vectors.shape[1]))
        index.add(unit(vectors))
        return cls(index)

    def __len__(self) -> int:
        return int(self.faiss_index.ntotal)

    def search(self, queries: FloatArray, k: int) -> IntArray:
        """Return (B, min(k, N)) corpus rows for (B, n) queries, most similar first."""
        _, rows = self.faiss_index.search(unit(queries), min(k, len(self)))
        return np.asarray(rows, dtype=np.int64)


class LexicalIndex:
    """BM25 over title and text, English stop words left out; the lexical baseline, through bm25s."""

    def __init__(self, documents: Sequence[Document]) -> None:
        import bm25s  # takes a second to import

        self._bm25s = bm25s
        self._retriever = bm25s.BM25()
        tokens = bm25s.tokenize([f"{d.title}\n{d.text}" for d in documents], stopwords="en", show_progress=False)
        self._retriever.index(tokens, show_progress=False)
        self._count = len(documents)

    def search(self, texts: Sequence[str], k: int) -> IntArray:
        """Return (B, min(k, N)) corpus rows, best first."""
        tokens = self._bm25s.tokenize(list(texts), stopwords="en", show_progress=False, return_ids=False)
        words = [found or [""] for found in tokens]  # a query of stop words only has none left
        rows, _ = self._retriever.retrieve(words, k=min(k, self._count), show_progress=False)
        return np.asarray(rows, dtype=np.int64)
