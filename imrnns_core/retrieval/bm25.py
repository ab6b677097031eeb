"""The lexical baseline: BM25 over title and text, computed by bm25s."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from imrnns_core.data.embeddings import tie_ranks
from imrnns_core.data.records import Document
from imrnns_core.retrieval.fusion import ScoredRows
from imrnns_core.text.stop_words import tokenize
from imrnns_core.types import FloatArray, IntArray


class BM25Index:
    """BM25 index over title and text of N documents, without English stop words.

    Args:
        documents: The N documents.
        folder: Folder in which `save` has written the index of these documents; None builds it.
    """

    def __init__(self, documents: Sequence[Document], folder: Path | None = None) -> None:
        import bm25s  # takes half a second to import

        self._count, self._ties = len(documents), tie_ranks([d.id for d in documents])
        if folder is not None:
            self._retriever = bm25s.BM25.load(str(folder))
            return
        self._retriever = bm25s.BM25()
        tokens = tokenize([f"{d.title}\n{d.text}" for d in documents])
        if not any(tokens):  # bm25s fails on a corpus without a word
            tokens = [[" "]] * self._count
        self._retriever.index(tokens, show_progress=False)

    def save(self, folder: Path) -> None:
        """Write the index to a folder."""
        self._retriever.save(str(folder), show_progress=False)

    @cached_property
    def document_counts(self) -> dict[str, int]:
        """Word → number of documents that have it."""
        counts = np.diff(self._retriever.scores["indptr"]).tolist()
        known = self._retriever.vocab_dict
        return {word: counts[i] for word, i in known.items() if i < len(counts) and counts[i]}

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """The words of the corpus, sorted."""
        return tuple(sorted(self.document_counts))

    def has_together(self, first: str, second: str) -> bool:
        """Return whether a document has both words."""
        index, known = self._retriever.scores, self._retriever.vocab_dict
        if first not in known or second not in known:
            return False
        ends = [index["indptr"][known[word] : known[word] + 2] for word in (first, second)]
        rows = [index["indices"][start:end] for start, end in ends]
        return bool(np.isin(*rows).any())

    def search(self, texts: Sequence[str], k: int) -> IntArray:
        """Return (B, min(k, N)) corpus rows for B texts, best first.

        If fewer documents match, other documents fill the rows.
        """
        return self._retrieve(texts, k)[0]

    def matches(
        self, texts: Sequence[str], k: int, left_out: IntArray | None = None
    ) -> list[IntArray]:
        """Return the corpus rows (up to k,) of matching documents for each of B texts, best first.

        A document matches if it shares a word with the text. Documents with equal scores are in
        the order of `tie_ranks`, also where only some of them fit.

        Args:
            texts: The texts.
            k: Largest number of documents.
            left_out: (B,) a corpus row that is left out for each text, −1 for none.
        """
        return [match.rows for match in self.scored_matches(texts, k, left_out)]

    def scored_matches(
        self, texts: Sequence[str], k: int, left_out: IntArray | None = None
    ) -> list[ScoredRows]:
        """Return the documents that `matches` returns, in its order, with their BM25 scores."""
        if left_out is None:
            return self._matches(texts, k)
        matches = zip(self._matches(texts, k + 1), left_out.tolist(), strict=True)
        return [match.without(row).top(k) for match, row in matches]

    def weighted_matches(
        self,
        texts: Sequence[str],
        added: Sequence[Mapping[str, float]],
        weight: float,
        k: int,
        left_out: IntArray | None = None,
    ) -> list[ScoredRows]:
        """Return the documents for texts whose words are mixed with weighted ones, best first.

        A word of the text counts (1 − weight) times its share of the words of the text, an added
        one `weight` times its own weight.

        Args:
            texts: The B texts.
            added: Word → weight for each text; words are those of `tokenize`.
            weight: Weight of the added words.
            k: Largest number of documents.
            left_out: See `matches`.
        """
        index, known = self._retriever.scores, self._retriever.vocab_dict
        found = []
        for number, (words, further) in enumerate(zip(tokenize(list(texts)), added, strict=True)):
            weights = defaultdict[str, float](float)
            for word in words:
                weights[word] += (1 - weight) / len(words)
            for word, own in further.items():
                weights[word] += weight * own
            scores = np.zeros(self._count)
            for word, own in weights.items():
                if own > 0 and word in known:
                    start, end = index["indptr"][known[word] : known[word] + 2]
                    scores[index["indices"][start:end]] += own * index["data"][start:end]
            if left_out is not None and left_out[number] >= 0:
                scores[left_out[number]] = 0.0
            best = np.lexsort((self._ties, -scores))[:k]
            best = best[scores[best] > 0]
            found.append(ScoredRows(best, scores[best].astype(np.float32)))
        return found

    def _matches(self, texts: Sequence[str], k: int) -> list[ScoredRows]:
        depth = 2 * k
        rows, scores = self._retrieve(texts, depth)
        # bm25s keeps any of the documents with the last score, so all of them must be there
        while depth < self._count and (scores[:, -1] == np.maximum(scores[:, k - 1], 1e-9)).any():
            depth *= 2
            rows, scores = self._retrieve(texts, depth)
        matching = []
        for row, score in zip(rows, scores, strict=True):
            order = np.lexsort((self._ties[row], -score))[:k]
            # bm25s fills the list up with documents that share no word; their score is 0
            order = order[score[order] > 0]
            matching.append(ScoredRows(row[order], score[order]))
        return matching

    def _retrieve(self, texts: Sequence[str], k: int) -> tuple[IntArray, FloatArray]:
        # bm25s fails on a text without words (all are stop words) and on "" as a word
        words_of_texts = [words or ["\n"] for words in tokenize(list(texts))]
        rows, scores = self._retriever.retrieve(
            words_of_texts, k=min(k, self._count), show_progress=False
        )
        return np.asarray(rows, dtype=np.int64), np.asarray(scores, dtype=np.float32)
