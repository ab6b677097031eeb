"""BM25 over title and text, through bm25s: the lexical baseline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imrnns_core.data.records import Document
from imrnns_core.text.stop_words import tokenize
from imrnns_core.types import FloatArray, IntArray


class BM25Index:
    """BM25 over title and text, English stop words left out; the lexical baseline, through bm25s.

    Args:
        documents: The N documents.
        folder: Where `save` has written the index of these documents; it is read instead of being
            built.
    """

    def __init__(self, documents: Sequence[Document], folder: Path | None = None) -> None:
        import bm25s  # takes half a second to import

        self._count = len(documents)
        if folder is not None:
            self._retriever = bm25s.BM25.load(str(folder))
            return
        self._retriever = bm25s.BM25()
        tokens = tokenize([f"{d.title}\n{d.text}" for d in documents])
        if not any(tokens):  # bm25s fails on a corpus without a word
            tokens = [[" "]] * self._count
        self._retriever.index(tokens, show_progress=False)

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        self._retriever.save(str(folder), show_progress=False)

    def search(self, texts: Sequence[str], k: int) -> IntArray:
        """Return (B, min(k, N)) corpus rows, best first.

        Where too few documents match, any others follow.
        """
        return self._retrieve(texts, k)[0]

    def matches(self, texts: Sequence[str], k: int) -> list[IntArray]:
        """Return up to k corpus rows for each of B texts, best first.

        Only documents that share a word with the text are among them.

        Equal scores stand in corpus order.
        """
        found = []
        for rows, scores in zip(*self._retrieve(texts, k), strict=True):
            order = np.lexsort((rows, -scores))
            found.append(rows[order][scores[order] > 0])
        return found

    def _retrieve(self, texts: Sequence[str], k: int) -> tuple[IntArray, FloatArray]:
        # a text of stop words has none left, and bm25s fails on an empty list and on ""
        words = [found or ["\n"] for found in tokenize(list(texts))]
        rows, scores = self._retriever.retrieve(words, k=min(k, self._count), show_progress=False)
        return np.asarray(rows, dtype=np.int64), np.asarray(scores, dtype=np.float32)
