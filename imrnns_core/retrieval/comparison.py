"""All rankings of one query, and what is known about its candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.records import Query
from imrnns_core.errors import AdapterError
from imrnns_core.model.modulation import Modulation
from imrnns_core.types import STAGES, UNJUDGED, FloatArray, IntArray, is_relevant, relevant_ids


@dataclass(frozen=True, slots=True)
class Hit:
    """One ranked document.

    `rank` counts from 1; `relevance` is -1 where the document has no judgment.
    """

    document_id: str
    rank: int
    score: float
    relevance: int


@dataclass(frozen=True)
class Ranking:
    """How one system ranks R documents for one query.

    Attributes:
        system: The name of the system: a stage, "BM25", the name of a run.
        document_ids: (R,) the documents that it ranks, in any order.
        scores: (R,) their scores, float32.
        ranks: (R,) their ranks, from 1.
    """

    system: str
    document_ids: tuple[str, ...]
    scores: FloatArray
    ranks: IntArray

    @cached_property
    def order(self) -> IntArray:
        """(R,) positions of the documents, best first."""
        return np.argsort(self.ranks).astype(np.int64)


@dataclass(frozen=True)
class Comparison:
    """All that is known about one query and its K candidates.

    Attributes:
        query: The query.
        rankings: The rankings by the name of their system. "base" is always there, and its
            documents are the candidates, in base order; an adapter adds its stages.
        rows: (K,) rows of the candidates in the corpus.
        judgments: All judgments of the query, of candidates or not; empty if it has none.
        feedback: (K,) True for the candidates that refine the query.
        passes: The vectors behind the stages, candidates in base order; None without an adapter.
    """

    query: Query
    rankings: Mapping[str, Ranking]
    rows: IntArray
    judgments: Mapping[str, int] = field(default_factory=dict)
    feedback: NDArray[np.bool_] = field(default_factory=lambda: np.ones(0, dtype=bool))
    passes: Modulation | None = None

    @property
    def document_ids(self) -> tuple[str, ...]:
        """(K,) ids of the candidates, in base order."""
        return self.rankings["base"].document_ids

    @property
    def modulation(self) -> Modulation:
        """The vectors behind the stages; AdapterError where no adapter was used."""
        if self.passes is None:
            raise AdapterError(
                "this query was ranked without an adapter: there is no modulation to show; "
                "choose an adapter"
            )
        return self.passes

    def rank(self, system: str) -> IntArray:
        """Return (K,) ranks of the candidates in a system's ranking, from 1.

        0 where it has none.
        """
        ranking = self.rankings[system]
        if ranking.document_ids is self.document_ids:
            return ranking.ranks
        known = dict(zip(ranking.document_ids, ranking.ranks.tolist(), strict=True))
        return np.array([known.get(i, 0) for i in self.document_ids], dtype=np.int64)

    def score(self, system: str) -> FloatArray:
        """Return (K,) scores of the candidates in a system's ranking; NaN where it has none."""
        ranking = self.rankings[system]
        if ranking.document_ids is self.document_ids:
            return ranking.scores
        known = dict(zip(ranking.document_ids, ranking.scores.tolist(), strict=True))
        return np.array([known.get(i, np.nan) for i in self.document_ids], dtype=np.float32)

    def order(self, system: str) -> IntArray:
        """Return (K,) positions of the candidates, best first; those without a rank come last."""
        ranks = self.rank(system)
        return np.lexsort((np.arange(len(ranks)), ranks, ranks == 0)).astype(np.int64)

    def ranking(self, system: str, top_k: int | None = None) -> list[Hit]:
        """Return a system's ranking, best first; `top_k` documents, all of them if None."""
        ranking = self.rankings[system]
        return [
            Hit(
                ranking.document_ids[i],
                int(ranking.ranks[i]),
                float(ranking.scores[i]),
                self.judgments.get(ranking.document_ids[i], UNJUDGED),
            )
            for i in ranking.order[:top_k]
        ]

    @cached_property
    def relevance(self) -> IntArray:
        """(K,) judged relevance of each candidate, -1 where it has no judgment."""
        return np.array(
            [self.judgments.get(i, UNJUDGED) for i in self.document_ids], dtype=np.int64
        )

    @property
    def relevant(self) -> NDArray[np.bool_]:
        """(K,) True for the candidates that were judged relevant."""
        return np.array([is_relevant(int(grade)) for grade in self.relevance], dtype=bool)

    @cached_property
    def position(self) -> dict[str, int]:
        """Position of each candidate id in the arrays."""
        return {document_id: i for i, document_id in enumerate(self.document_ids)}

    @property
    def relevant_outside(self) -> list[str]:
        """Ids of relevant documents that the base retriever did not put among the candidates."""
        return [i for i in relevant_ids(self.judgments) if i not in self.position]

    def best_relevant_rank(self, system: str) -> int | None:
        """Return the rank of the best-ranked relevant candidate, or None if there is none."""
        ranks = self.rank(system)[self.relevant]
        ranks = ranks[ranks > 0]
        return int(ranks.min()) if ranks.size else None


def stage_rankings(
    document_ids: tuple[str, ...], scores: FloatArray, ranks: IntArray
) -> dict[str, Ranking]:
    """Return the rankings of the four stages, scores and ranks (4, K) in their order."""
    return {
        stage: Ranking(stage, document_ids, stage_scores, stage_ranks)
        for stage, stage_scores, stage_ranks in zip(STAGES, scores, ranks, strict=True)
    }
