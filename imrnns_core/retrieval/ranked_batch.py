"""The rankings of several queries at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from imrnns_core.data.dataset import Dataset
from imrnns_core.types import STAGES, FloatArray, IntArray, Stage


@dataclass(frozen=True)
class RankedBatch:
    """Rankings of B queries with K candidates each, in base order.

    Attributes:
        rows: (B, K) corpus rows of the candidates.
        scores: (B, S, K) scores at the S stages.
        ranks: (B, S, K) ranks at the S stages, counted from 1.
        vector_rows: (B, K) rows of the vectors behind the scores, in `Collection.ranked`: those of
            the best passages.
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

    def ranked_rows(self, stage: Stage) -> IntArray:
        """Return (B, K) corpus rows at a stage, best first."""
        return np.take_along_axis(self.rows, np.argsort(self.rank(stage), axis=1), axis=1)


def ranked_ids(
    dataset: Dataset, query_ids: Iterable[str], rows: Iterable[IntArray]
) -> dict[str, list[str]]:
    """Return the ranked document ids of each query from its corpus rows, best first."""
    ids = dataset.document_ids
    return {
        query_id: [ids[row] for row in ranked.tolist()]
        for query_id, ranked in zip(query_ids, rows, strict=True)
    }
