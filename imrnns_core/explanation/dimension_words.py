"""Words whose documents score unusually high or low on a dimension, over the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from imrnns_core.data.near_copies import copies
from imrnns_core.data.records import Document
from imrnns_core.text.stop_words import stop_words
from imrnns_core.text.words import terms
from imrnns_core.types import FloatArray

MIN_DOCUMENTS = 3
"""Only words that occur in this many documents or more are considered; near copies count once."""


@dataclass(frozen=True)
class DimensionWord:
    """A word whose documents score unusually high or low on a dimension.

    Attributes:
        word: The word.
        z: Distance of their mean normal score from that of the corpus, in standard errors.
        documents: Number of documents with the word; near copies of a document count once.
    """

    word: str
    z: float
    documents: int


class DimensionWordIndex:
    """An index of which of N documents contain which words.

    Near copies, such as the pages of a form, have nearly the same words and values. As independent
    documents they would make chance look like a link, so their mean counts as one document.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents

    @cached_property
    def _means(self) -> Any:
        """(C, N) sparse matrix that takes the mean over each of C groups of near copies."""
        from scipy.sparse import csr_matrix

        groups = copies(self._documents)
        weights = 1.0 / np.bincount(groups)[groups]
        return csr_matrix((weights.astype(np.float32), (groups, np.arange(len(groups)))))

    @cached_property
    def _occurrences(self) -> tuple[Any, list[str]]:
        """(C, W) sparse matrix, 1 where a group of copies contains a word; and the W words."""
        from scipy.sparse import csr_matrix
        from sklearn.feature_extraction.text import CountVectorizer  # takes a second to import

        vectorizer = CountVectorizer(
            binary=True,
            tokenizer=terms,
            token_pattern=None,
            stop_words=sorted(stop_words()),
            dtype=np.float32,
        )
        texts, count = [f"{d.title} {d.text}" for d in self._documents], self._means.shape[0]
        try:
            has = (self._means @ vectorizer.fit_transform(texts)) > 0
        except ValueError:  # there is no word
            return csr_matrix((count, 0), dtype=np.float32), []
        frequent = np.asarray(has.sum(axis=0)).ravel() >= min(MIN_DOCUMENTS, count)
        words = vectorizer.get_feature_names_out()[frequent]
        return has[:, np.flatnonzero(frequent)].astype(np.float32), list(words)

    def dimension_words(self, values: FloatArray, count: int = 8) -> list[DimensionWord]:
        """Return the words with the largest |z| for the values (N,) of one dimension.

        z = (mean over the documents with the word − mean over the corpus) / (deviation /
        √documents), computed on normal scores: the value of the normal distribution at the rank of
        each document (van der Waerden, 1952). Equal values get ranks in random order. So chance
        gives the same z whatever the values are; with the values themselves, a few extreme
        documents would give their rare words a large z.
        """
        from scipy.special import ndtri

        matrix, words = self._occurrences
        if not words:
            return []
        values = self._means @ values
        order = np.lexsort((np.random.default_rng(0).random(len(values)), values))
        values[order] = ndtri((np.arange(len(values)) + 0.5) / len(values))
        frequency = np.asarray(matrix.sum(axis=0)).ravel()
        mean = np.asarray(matrix.T @ values).ravel() / frequency
        z = (mean - values.mean()) / (max(float(values.std()), 1e-12) / np.sqrt(frequency))
        top = np.argsort(-np.abs(z))[:count]
        return [DimensionWord(words[i], float(z[i]), int(frequency[i])) for i in top]
