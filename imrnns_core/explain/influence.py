"""What each feedback document does to the query, and which words drive a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from imrnns_core.adapter import IMRNN
from imrnns_core.ranking import rank
from imrnns_core.records import Comparison, Document, FloatArray, IntArray

MIN_DOCUMENTS = 3
"""A word counts for a dimension from this many documents on."""


@dataclass(frozen=True)
class Influence:
    """What K feedback documents do to one query.

    Attributes:
        contributions: (K, m) each document's part of the refined query before LayerNorm, less the mean
            part: (s_i ∘ q_p + b_i)/k − mean. Before LayerNorm the parts add up exactly; the common mean
            is left out, because it would hide the differences. Zero for dropped documents.
        score_effect: (K, K) change of candidate j's modulated score when document i no longer refines the query.
        rank_effect: (K, K) change of candidate j's rank (negative: it rises).
    """

    contributions: FloatArray
    score_effect: FloatArray
    rank_effect: IntArray

    @property
    def moved(self) -> IntArray:
        """(K,) how many candidates change rank without document i."""
        return np.asarray((self.rank_effect != 0).sum(axis=1))


@torch.inference_mode()
def feedback_influence(comparison: Comparison, model: IMRNN) -> Influence:
    """Measure every feedback document's part in the refinement, and the ranking without it (leave-one-out, exact).

    Where only one document refines the query, leaving it out is undefined and its effect is given as zero.
    """
    modulation = comparison.modulation
    mask = torch.from_numpy(comparison.feedback)
    count = int(mask.sum())
    query = modulation.projected_query
    parts = (modulation.document_scale * query + modulation.document_bias) * mask[:, None] / count  # (K, m)
    contributions = (parts - parts.sum(0) / count) * mask[:, None]
    rows = comparison.rows
    shape = (len(rows), len(rows))
    if count < 2:
        return Influence(contributions.numpy(), np.zeros(shape, np.float32), np.zeros(shape, np.int64))
    without = (parts.sum(0) - parts) * count / (count - 1)  # (K, m) the mean over the others
    refined = torch.nn.functional.normalize(model.query_norm(without), dim=-1)
    scores = (refined @ modulation.modulated_documents.T).numpy()  # (left out, candidate)
    effect = np.where(comparison.feedback[:, None], scores - comparison.scores[3], 0.0).astype(np.float32)
    ranks = np.where(comparison.feedback[:, None], rank(scores, rows) - comparison.ranks[3], 0)
    return Influence(contributions.numpy(), effect, ranks)


@dataclass(frozen=True)
class DrivingWord:
    """A word whose documents lie high (or low) on a dimension: `z` standard errors from the corpus mean."""

    word: str
    z: float
    documents: int


class WordIndex:
    """Which documents hold which words, for a corpus of N documents."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._texts = [f"{d.title} {d.text}" for d in documents]

    @cached_property
    def _counted(self) -> tuple[Any, list[str]]:
        from scipy.sparse import csr_matrix
        from sklearn.feature_extraction.text import CountVectorizer  # takes a second to import

        vectorizer = CountVectorizer(binary=True, stop_words="english", min_df=min(MIN_DOCUMENTS, len(self._texts)), dtype=np.float32)
        try:
            matrix = vectorizer.fit_transform(self._texts)
        except ValueError:  # no word is frequent enough
            return csr_matrix((len(self._texts), 0), dtype=np.float32), []
        return matrix, list(vectorizer.get_feature_names_out())

    def drivers(self, values: FloatArray, count: int = 8) -> list[DrivingWord]:
        """Return the words with the largest |z| for the values (N,) of one dimension.

        z = (mean over the documents with the word − mean over the corpus) / (deviation / √documents).
        """
        matrix, words = self._counted
        if not words:
            return []
        frequency = np.asarray(matrix.sum(axis=0)).ravel()
        mean = np.asarray(matrix.T @ values).ravel() / frequency
        z = (mean - values.mean()) / (max(float(values.std()), 1e-12) / np.sqrt(frequency))
        top = np.argsort(-np.abs(z))[:count]
        return [DrivingWord(words[i], float(z[i]), int(frequency[i])) for i in top]
