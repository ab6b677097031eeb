"""Fusion of two rankings of one query: a mix of scores, and reciprocal rank fusion.

Shapes: N documents of the corpus, R of one ranking, U of either ranking. Documents with equal
scores are in the order of their tie ranks (N,), which do not depend on the order of the corpus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imrnns_core.types import DoubleArray, FloatArray, IntArray

RRF_CONSTANT = 60
"""The k of reciprocal rank fusion in Cormack, Clarke and Büttcher, SIGIR 2009."""


@dataclass(frozen=True)
class ScoredRows:
    """The documents of one ranking: corpus rows (R,) and scores (R,), in any order."""

    rows: IntArray
    scores: FloatArray

    def without(self, row: int) -> ScoredRows:
        """Return the other documents."""
        others = self.rows != row
        return ScoredRows(self.rows[others], self.scores[others])

    def top(self, depth: int) -> ScoredRows:
        """Return the first documents."""
        return ScoredRows(self.rows[:depth], self.scores[:depth])


@dataclass(frozen=True)
class ScorePair:
    """Two scores of each of U documents, which a weight mixes to one score.

    Attributes:
        rows: (U,) corpus rows.
        first: (U,) scores of the first system.
        second: (U,) scores of the second system.
    """

    rows: IntArray
    first: DoubleArray
    second: DoubleArray

    def rank(self, weight: float, depth: int, ties: IntArray) -> IntArray:
        """Return up to `depth` corpus rows by (1 − weight) · first + weight · second, best first.

        `ties` (N,) are the tie ranks of the corpus.
        """
        mixed = (1 - weight) * self.first + weight * self.second
        return _best_first(self.rows, mixed, depth, ties)


def min_max_pair(first: ScoredRows, second: ScoredRows) -> ScorePair:
    """Return the min-max normalised scores of the documents of either ranking.

    In each ranking, the lowest score becomes 0 and the highest 1. A document that a ranking lacks
    gets the lowest score of this ranking, 0.
    """
    rows = np.union1d(first.rows, second.rows)
    return ScorePair(rows, _min_max(rows, first), _min_max(rows, second))


def reciprocal_rank_fusion(rankings: Sequence[IntArray], depth: int, ties: IntArray) -> ScoredRows:
    """Return up to `depth` documents, best first; their score is the sum of 1 / (60 + rank).

    A ranking that lacks a document adds nothing to its sum. Source: Cormack, Clarke and Büttcher,
    "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009.

    Args:
        rankings: Corpus rows of each ranking, best first.
        depth: Largest number of documents.
        ties: (N,) tie ranks of the corpus.
    """
    rows = np.unique(np.concatenate(rankings))
    sums = np.zeros(len(rows))
    for ranked in rankings:
        sums[np.searchsorted(rows, ranked)] += 1 / (RRF_CONSTANT + 1 + np.arange(len(ranked)))
    best = _best_first(rows, sums, depth, ties)
    return ScoredRows(best, sums[np.searchsorted(rows, best)].astype(np.float32))


def _min_max(rows: IntArray, ranking: ScoredRows) -> DoubleArray:
    """Return (U,) normalised scores; equal scores all become 1, so they stay above missing ones."""
    normalised = np.zeros(len(rows))
    if len(ranking.rows):
        scores = ranking.scores.astype(np.float64)
        low, high = scores.min(), scores.max()
        values = (scores - low) / (high - low) if high > low else np.ones(len(scores))
        normalised[np.searchsorted(rows, ranking.rows)] = values
    return normalised


def _best_first(rows: IntArray, scores: DoubleArray, depth: int, ties: IntArray) -> IntArray:
    return rows[np.lexsort((ties[rows], -scores))[:depth]]
