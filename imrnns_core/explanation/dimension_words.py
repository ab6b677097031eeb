"""Words whose documents score unusually high or low on a dimension, over the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from imrnns_core.data.records import Document
from imrnns_core.text.stop_words import stop_words
from imrnns_core.text.words import terms
from imrnns_core.types import FloatArray

MIN_DOCUMENTS = 3
"""Only words that occur in this many documents or more are considered."""


@dataclass(frozen=True)
class DimensionWord:
    """A word whose documents score unusually high or low on a dimension.

    Attributes:
        word: The word.
        z: Distance of their mean from the corpus mean, in standard errors.
        documents: Number of documents with the word.
    """

    word: str
    z: float
    documents: int


class DimensionWordIndex:
    """An index of which of N documents contain which words."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._texts = [f"{d.title} {d.text}" for d in documents]

    @cached_property
    def _occurrences(self) -> tuple[Any, list[str]]:
        """(N, W) sparse matrix, 1 where a document contains a word; and the W words."""
        from scipy.sparse import csr_matrix
        from sklearn.feature_extraction.text import CountVectorizer  # takes a second to import

        vectorizer = CountVectorizer(
            binary=True,
            tokenizer=terms,
            token_pattern=None,
            stop_words=sorted(stop_words()),
            min_df=min(MIN_DOCUMENTS, len(self._texts)),
            dtype=np.float32,
        )
        try:
            matrix = vectorizer.fit_transform(self._texts)
        except ValueError:  # no word is frequent enough
            return csr_matrix((len(self._texts), 0), dtype=np.float32), []
        return matrix, list(vectorizer.get_feature_names_out())

    def dimension_words(self, values: FloatArray, count: int = 8) -> list[DimensionWord]:
        """Return the words with the largest |z| for the values (N,) of one dimension.

        z = (mean over the documents with the word − mean over the corpus) / (deviation /
        √documents).
        """
        matrix, words = self._occurrences
        if not words:
            return []
        frequency = np.asarray(matrix.sum(axis=0)).ravel()
        mean = np.asarray(matrix.T @ values).ravel() / frequency
        z = (mean - values.mean()) / (max(float(values.std()), 1e-12) / np.sqrt(frequency))
        top = np.argsort(-np.abs(z))[:count]
        return [DimensionWord(words[i], float(z[i]), int(frequency[i])) for i in top]
