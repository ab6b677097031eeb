"""All rankings of one query, and what is known about its candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.records import Query
from imrnns_core.model.modulation import Modulation
from imrnns_core.types import STAGES, UNJUDGED, FloatArray, IntArray, Stage


@dataclass(frozen=True, slots=True)
class Hit:
    """One ranked candidate.

    `rank` counts from 1; `relevance` is -1 where nobody judged the pair.
    """

    document_id: str
    rank: int
    score: float
    relevance: int


@dataclass(frozen=True)
class Comparison:
    """All that is known about one query.

    K candidates at the four stages, and the vectors behind them.

    Attributes:
        query: The query.
        document_ids: (K,) candidate ids in base order.
        rows: (K,) rows of the candidates in the corpus.
        scores: (4, K) cosine at each stage of `STAGES`, float32.
        ranks: (4, K) rank at each stage, from 1.
        judgments: All judgments of the query, candidates or not; empty if it has none.
        modulation: The vectors, candidates in the same order.
        feedback: (K,) True for the candidates that refine the query.
    """

    query: Query
    document_ids: tuple[str, ...]
    rows: IntArray
    scores: FloatArray
    ranks: IntArray
    judgments: Mapping[str, int]
    modulation: Modulation
    feedback: NDArray[np.bool_]

    @cached_property
    def relevance(self) -> IntArray:
        """(K,) judged relevance of each candidate, -1 where unjudged."""
        return np.array(
            [self.judgments.get(i, UNJUDGED) for i in self.document_ids], dtype=np.int64
        )

    @cached_property
    def position(self) -> dict[str, int]:
        """Position of each candidate id in the arrays."""
        return {document_id: i for i, document_id in enumerate(self.document_ids)}

    @property
    def relevant_outside(self) -> list[str]:
        """Ids of relevant documents that the base retriever did not put among the candidates."""
        return [i for i, grade in self.judgments.items() if grade > 0 and i not in self.position]

    def order(self, stage: Stage) -> IntArray:
        """Return (K,) positions of the candidates, best first, at a stage."""
        return np.argsort(self.ranks[STAGES.index(stage)]).astype(np.int64)

    def rank(self, stage: Stage) -> IntArray:
        """Return (K,) rank of each candidate at a stage, from 1."""
        ranks: IntArray = self.ranks[STAGES.index(stage)]
        return ranks

    def score(self, stage: Stage) -> FloatArray:
        """Return (K,) cosine of each candidate at a stage."""
        scores: FloatArray = self.scores[STAGES.index(stage)]
        return scores

    def hits(self, stage: Stage, top_k: int | None = None) -> list[Hit]:
        """Return the ranking at a stage, best first."""
        row = STAGES.index(stage)
        return [
            Hit(
                self.document_ids[i],
                int(self.ranks[row, i]),
                float(self.scores[row, i]),
                int(self.relevance[i]),
            )
            for i in self.order(stage)[:top_k]
        ]

    def best_relevant_rank(self, stage: Stage) -> int | None:
        """Return the rank of the best-ranked relevant candidate, or None if there is none."""
        ranks = self.ranks[STAGES.index(stage)][self.relevance > 0]
        return int(ranks.min()) if ranks.size else None
