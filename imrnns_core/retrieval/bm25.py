"""BM25 over title and text, through bm25s: the lexical baseline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imrnns_core.data.records import Document
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

        self._bm25s, self._count = bm25s, len(documents)
        if folder is not None:
            self._retriever = bm25s.BM25.load(str(folder))
            return
        self._retriever = bm25s.BM25()
        tokens = bm25s.tokenize(
            [f"{d.title}\n{d.text}" for d in documents], stopwords="en", show_progress=False
        )
        empty = not any(len(ids) for ids in tokens.ids)  # bm25s fails on a corpus without a word
        self._retriever.index([[" "]] * self._count if empty else tokens, show_progress=False)

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
        tokens = self._bm25s.tokenize(
            list(texts), stopwords="en", show_progress=False, return_ids=False
        )
        words = [
            found or ["\n"] for found in tokens
        ]  # of stop words alone none is left; bm25s fails on none and on ""
        rows, scores = self._retriever.retrieve(words, k=min(k, self._count), show_progress=False)
        return np.asarray(rows, dtype=np.int64), np.asarray(scores, dtype=np.float32)
