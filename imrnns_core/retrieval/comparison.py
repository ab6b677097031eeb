"""All rankings of one query, with the relevance and the vectors of its candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.embeddings import tie_ranks
from imrnns_core.data.records import Query
from imrnns_core.errors import AdapterError
from imrnns_core.model.modulation import BaseVectors, Modulation
from imrnns_core.retrieval.batch import Certainty, rank
from imrnns_core.retrieval.passages import BestPassage
from imrnns_core.types import (
    BASE_ONLY,
    STAGES,
    UNJUDGED,
    FloatArray,
    IntArray,
    Stage,
    is_relevant,
    relevant_ids,
)

SHOWN_IN_NOTEBOOKS = 10
"""Documents of each ranking in a notebook."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A document in a ranking.

    Attributes:
        document_id: The id of the document.
        rank: Its rank, counted from 1.
        score: Its score.
        relevance: Its grade, −1 if it has no judgment for the query.
    """

    document_id: str
    rank: int
    score: float
    relevance: int


@dataclass(frozen=True)
class Ranking:
    """One system's ranking of R documents for one query.

    Attributes:
        system: The name of the system: a stage, "BM25" or the name of a run.
        document_ids: (R,) ids of the ranked documents, in any order.
        scores: (R,) their scores, float32; NaN where a ranking has only ranks.
        ranks: (R,) their ranks, counted from 1.
    """

    system: str
    document_ids: tuple[str, ...]
    scores: FloatArray
    ranks: IntArray

    @cached_property
    def order(self) -> IntArray:
        """(R,) positions of the documents, best first."""
        return np.argsort(self.ranks).astype(np.int64)

    @cached_property
    def position(self) -> dict[str, int]:
        """Document id → position in the arrays."""
        return {document_id: i for i, document_id in enumerate(self.document_ids)}


@dataclass(frozen=True)
class Comparison:
    """The rankings, judgments and vectors of one query and its K candidates.

    Attributes:
        query: The query.
        rankings: System name → ranking. "base" is always present; its documents are the candidates,
            in base order. An adapter adds the other stages.
        rows: (K,) corpus rows of the candidates.
        judgments: Document id → grade for all judgments of the query; empty if it has none.
        feedback: (K,) True for the candidates that refine the query.
        stage_vectors: The vectors of the stages, with the candidates in base order: a `Modulation`
            if there is an adapter. None if only the rankings are known.
        vector_rows: (K,) rows of the vectors behind the scores, in `Collection.ranked`.
        passages: Document id → the passage by which it is ranked, for documents that were split.
        certainty: If the adapter ranked the whole corpus: how certain its top k is. The documents
            are then the base candidates and, after them, those that the adapter ranks highest of
            all others. Their base ranks are those in the whole corpus.
        candidates: The number of base candidates then; None if all documents are candidates.
    """

    query: Query
    rankings: Mapping[str, Ranking]
    rows: IntArray
    judgments: Mapping[str, int] = field(default_factory=dict)
    feedback: NDArray[np.bool_] = field(default_factory=lambda: np.ones(0, dtype=bool))
    stage_vectors: BaseVectors | None = None
    vector_rows: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    passages: Mapping[str, BestPassage] = field(default_factory=dict)
    certainty: Certainty | None = None
    candidates: int | None = None

    @property
    def document_ids(self) -> tuple[str, ...]:
        """(K,) ids of the candidates, in base order."""
        return self.rankings["base"].document_ids

    @property
    def candidate_ids(self) -> tuple[str, ...]:
        """The ids of the base candidates, in base order, without further documents."""
        return self.document_ids[: self.candidates]

    @cached_property
    def ties(self) -> IntArray:
        """(K,) order of the candidates where scores are equal."""
        return tie_ranks(self.document_ids)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that have a ranking: "base", or all four with an adapter."""
        return tuple(stage for stage in STAGES if stage in self.rankings)

    @property
    def final(self) -> Stage:
        """The last stage: "modulated", or "base" without an adapter."""
        return self.stages[-1]

    @property
    def vectors(self) -> BaseVectors:
        """The base vectors.

        Raises:
            ValueError: If only the rankings are known.
        """
        if self.stage_vectors is None:
            raise ValueError("this comparison has rankings only, no vectors")
        return self.stage_vectors

    @property
    def modulation(self) -> Modulation:
        """The vectors of the stages.

        Raises:
            AdapterError: If the query was ranked without an adapter.
        """
        if not isinstance(self.stage_vectors, Modulation):
            raise AdapterError(
                "this query was ranked without an adapter, so it has no modulation; choose an "
                "adapter"
            )
        return self.stage_vectors

    def rank(self, system: str) -> IntArray:
        """Return (K,) ranks of the candidates in a system's ranking, 0 if it does not rank them.

        Raises:
            KeyError: If there is no ranking of this system.
        """
        # stages share the tuple of ids with "base", so most calls need no look-up
        ranking = self.rankings[system]
        if ranking.document_ids is self.document_ids:
            return ranking.ranks
        rank_of = dict(zip(ranking.document_ids, ranking.ranks.tolist(), strict=True))
        return np.array([rank_of.get(i, 0) for i in self.document_ids], dtype=np.int64)

    def score(self, system: str) -> FloatArray:
        """Return (K,) scores of the candidates in a system's ranking, NaN if it does not rank them.

        Raises:
            KeyError: If there is no ranking of this system.
        """
        ranking = self.rankings[system]
        if ranking.document_ids is self.document_ids:
            return ranking.scores
        score_of = dict(zip(ranking.document_ids, ranking.scores.tolist(), strict=True))
        return np.array([score_of.get(i, np.nan) for i in self.document_ids], dtype=np.float32)

    def order(self, system: str) -> IntArray:
        """Return (K,) positions of the candidates, best first; unranked candidates come last.

        Raises:
            KeyError: If there is no ranking of this system.
        """
        ranks = self.rank(system)
        # the last key is the primary one: unranked candidates (rank 0) come last, in base order
        return np.lexsort((np.arange(len(ranks)), ranks, ranks == 0)).astype(np.int64)

    def ranking(self, system: str, top_k: int | None = None) -> list[Hit]:
        """Return the top documents of a system's ranking, best first; all documents if None.

        Raises:
            KeyError: If there is no ranking of this system.
        """
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
        """(K,) grade of each candidate, −1 if it has no judgment."""
        return np.array(
            [self.judgments.get(i, UNJUDGED) for i in self.document_ids], dtype=np.int64
        )

    @property
    def relevant(self) -> NDArray[np.bool_]:
        """(K,) True for the candidates that are judged relevant."""
        return np.array([is_relevant(int(grade)) for grade in self.relevance], dtype=bool)

    @cached_property
    def position(self) -> dict[str, int]:
        """Candidate id → position in the arrays."""
        return {document_id: i for i, document_id in enumerate(self.document_ids)}

    @property
    def relevant_not_retrieved(self) -> list[str]:
        """Ids of the relevant documents that are not candidates."""
        return [i for i in relevant_ids(self.judgments) if i not in self.position]

    def best_relevant_rank(self, system: str) -> int | None:
        """Return the rank of the best-ranked relevant document, or None if none is ranked.

        Raises:
            KeyError: If there is no ranking of this system.
        """
        hits = (hit.rank for hit in self.ranking(system) if is_relevant(hit.relevance))
        return next(hits, None)

    def _repr_html_(self) -> str:
        """Return the top ten of every ranking side by side, as notebooks show an object.

        A star marks a relevant document, a cross one that is judged not relevant.
        """
        signs = {UNJUDGED: "", 0: "✕ "}
        tops = {system: self.ranking(system, top_k=SHOWN_IN_NOTEBOOKS) for system in self.rankings}
        head = "".join(f"<th>{escape(system)}</th>" for system in tops)
        rows = "".join(
            f"<tr><td>{rank}</td>"
            + "".join(
                f"<td>{signs.get(hit.relevance, '★ ')}{escape(hit.document_id)} "
                f"({hit.score:.4f})</td>"
                if hit
                else "<td></td>"
                for hit in hits
            )
            + "</tr>"
            for rank, hits in enumerate(zip_longest(*tops.values()), start=1)
        )
        return (
            f"<p>{escape(self.query.text)}</p>"
            f"<table><thead><tr><th>rank</th>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def hit(self, system: str, document_id: str) -> Hit | None:
        """Return a document in a system's ranking, None if the system does not rank it.

        Raises:
            KeyError: If there is no ranking of this system.
        """
        ranking = self.rankings[system]
        if document_id not in ranking.position:
            return None
        i = ranking.position[document_id]
        grade = self.judgments.get(document_id, UNJUDGED)
        return Hit(document_id, int(ranking.ranks[i]), float(ranking.scores[i]), grade)


def stage_rankings(
    document_ids: tuple[str, ...], scores: FloatArray, ranks: IntArray
) -> dict[str, Ranking]:
    """Return stage → ranking from scores and ranks (S, K) of all stages, or of the base alone."""
    stages = STAGES if len(scores) == len(STAGES) else BASE_ONLY
    return {
        stage: Ranking(stage, document_ids, stage_scores, stage_ranks)
        for stage, stage_scores, stage_ranks in zip(stages, scores, ranks, strict=True)
    }


def blend(comparison: Comparison, alpha: float) -> tuple[FloatArray, IntArray]:
    """Return scores (K,) and ranks (K,) of (1 − α) · base + α · modulated, with α in [0, 1].

    With α between 0 and 1, the K documents are ranked among themselves; `Ranker.blending` ranks
    them among all documents.
    """
    scores = (
        (1.0 - alpha) * comparison.score("base") + alpha * comparison.score("modulated")
    ).astype(np.float32)
    if alpha in (0.0, 1.0):
        return scores, comparison.rank("modulated" if alpha else "base")
    return scores, rank(scores, comparison.ties)
