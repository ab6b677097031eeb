"""Candidate search over the base embeddings: exact inner product of unit vectors, through FAISS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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


def content_words(text: str) -> list[str]:
    """Return the words of a text as BM25 counts them: lower case, English stop words left out, each once, in their order."""
    import bm25s

    (words,) = bm25s.tokenize([text], stopwords="en", show_progress=False, return_ids=False)
    return list(dict.fromkeys(words))


class LexicalIndex:
    """BM25 over title and text, English stop words left out; the lexical baseline, through bm25s.

    Args:
        documents: The N documents.
        folder: Where `save` has written the index of these documents; it is read instead of being built.
    """

    def __init__(self, documents: Sequence[Document], folder: Path | None = None) -> None:
        import bm25s  # takes half a second to import

        self._bm25s, self._count = bm25s, len(documents)
        if folder is not None:
            self._retriever = bm25s.BM25.load(str(folder))
            return
        self._retriever = bm25s.BM25()
        tokens = bm25s.tokenize([f"{d.title}\n{d.text}" for d in documents], stopwords="en", show_progress=False)
        empty = not any(len(ids) for ids in tokens.ids)  # bm25s fails on a corpus without a word
        self._retriever.index([[" "]] * self._count if empty else tokens, show_progress=False)

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        self._retriever.save(str(folder), show_progress=False)

    def search(self, texts: Sequence[str], k: int) -> IntArray:
        """Return (B, min(k, N)) corpus rows, best first; where too few documents match, any others follow."""
        return self._retrieve(texts, k)[0]

    def matches(self, texts: Sequence[str], k: int) -> list[IntArray]:
        """Return up to k corpus rows for each of B texts, best first, of the documents that share a word with it.

        Equal scores stand in corpus order.
        """
        found = []
        for rows, scores in zip(*self._retrieve(texts, k), strict=True):
            order = np.lexsort((rows, -scores))
            found.append(rows[order][scores[order] > 0])
        return found

    def _retrieve(self, texts: Sequence[str], k: int) -> tuple[IntArray, FloatArray]:
        tokens = self._bm25s.tokenize(list(texts), stopwords="en", show_progress=False, return_ids=False)
        words = [found or ["\n"] for found in tokens]  # of stop words alone none is left; bm25s fails on none and on ""
        rows, scores = self._retriever.retrieve(words, k=min(k, self._count), show_progress=False)
        return np.asarray(rows, dtype=np.int64), np.asarray(scores, dtype=np.float32)
