"""The rankings of several queries as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.fusion import ScoredRows
from imrnns_core.types import STAGES, FloatArray, IntArray, Stage

NO_ROW = -1
"""Fills the rows of a query that has fewer candidates than another one."""


@dataclass(frozen=True)
class RankedBatch:
    """Rankings of B queries with up to K candidates each, in base order.

    Attributes:
        rows: (B, K) corpus rows of the candidates. If the base is a run, queries can have fewer
            candidates; `NO_ROW` follows the last one.
        scores: (B, S, K) scores at the S stages.
        ranks: (B, S, K) ranks at the S stages, counted from 1.
        vector_rows: (B, K) rows of the vectors behind the scores, in `Collection.ranked`: those of
            the best passages. A run has no vectors; there, they are the corpus rows.
        stages: Names of the S stages.
    """

    rows: IntArray
    scores: FloatArray
    ranks: IntArray
    vector_rows: IntArray
    stages: tuple[Stage, ...] = STAGES

    def score(self, stage: Stage) -> FloatArray:
        """Return (B, K) scores at a stage, candidates in base order."""
        return self.scores[:, self.stages.index(stage)]

    def rank(self, stage: Stage) -> IntArray:
        """Return (B, K) ranks at a stage, candidates in base order."""
        return self.ranks[:, self.stages.index(stage)]

    def ranked(self, stage: Stage) -> list[ScoredRows]:
        """Return corpus rows and scores of the candidates of each query at a stage, best first."""
        order = np.argsort(self.rank(stage), axis=1)
        rows = np.take_along_axis(self.rows, order, axis=1)
        scores = np.take_along_axis(self.score(stage), order, axis=1)
        return [
            ScoredRows(own[own != NO_ROW], score[own != NO_ROW])
            for own, score in zip(rows, scores, strict=True)
        ]

    @property
    def unranked(self) -> int:
        """Number of queries without a candidate, which only a run can have."""
        return int((self.rows == NO_ROW).all(axis=1).sum())

    def ranked_rows(self, stage: Stage) -> list[IntArray]:
        """Return the corpus rows of the candidates of each query at a stage, best first."""
        return [ranked.rows for ranked in self.ranked(stage)]


def rank(scores: FloatArray, ties: IntArray) -> IntArray:
    """Return ranks (…, K), counted from 1, of scores (…, K).

    Documents with equal scores are in the order of `ties` (…, K).
    """
    order = np.lexsort((np.broadcast_to(ties, scores.shape), -scores), axis=-1)
    ranks = np.empty(scores.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.arange(1, scores.shape[-1] + 1), axis=-1)
    return ranks


def ranked_ids(
    dataset: Dataset, query_ids: Iterable[str], rows: Iterable[IntArray]
) -> dict[str, list[str]]:
    """Return the ranked document ids of each query from the corpus rows of each, best first."""
    ids = dataset.document_ids
    return {
        query_id: [ids[row] for row in ranked.tolist()]
        for query_id, ranked in zip(query_ids, rows, strict=True)
    }
