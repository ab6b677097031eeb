"""The rankings of several queries as arrays, and how certain their top documents are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import numpy as np

from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.fusion import ScoredRows
from imrnns_core.types import STAGES, FloatArray, IntArray, Stage

NO_ROW = -1
"""Fills the rows of a query that has fewer candidates than another one."""

Proof = Literal["exact", "proven", "not proven"]
PROOFS: tuple[Proof, ...] = get_args(Proof)


@dataclass(frozen=True)
class Certainty:
    """Whether a document that was not scored can belong into the modulated top k.

    Attributes:
        proof: "exact" if all documents were scored, "proven" if bounds of the scores exclude all
            others, or else "not proven".
        top_k: The k.
        pool: Number of documents that the search with the effective query returned, or that of all
            documents if they were all scored.
    """

    proof: Proof
    top_k: int
    pool: int

    def __str__(self) -> str:
        return f"proven from a pool of {self.pool:,}" if self.proof == "proven" else self.proof

    def to_json(self) -> dict[str, str | int]:
        """Return the certainty as a JSON record."""
        return asdict(self)


@dataclass(frozen=True)
class RankedBatch:
    """Rankings of B queries with up to K candidates each, in base order.

    If an adapter ranks the whole corpus, the K documents are the candidates of the base and, after
    them, as many other documents: those with the highest modulated scores.

    Attributes:
        rows: (B, K) corpus rows of the candidates. If the base is a run, queries can have fewer
            candidates; `NO_ROW` follows the last one.
        scores: (B, S, K) scores at the S stages.
        ranks: (B, S, K) ranks at the S stages, counted from 1.
        vector_rows: (B, K) rows of the vectors behind the scores, in `Collection.ranked`: those of
            the best passages. A run has no vectors; there, they are the corpus rows.
        stages: Names of the S stages.
        candidates: Number of candidates of the base, which refine the query, if the adapter ranks
            the whole corpus; None if there are no other documents.
        certainty: (B,) certainty of the top k of each query; empty if only candidates are ranked.
    """

    rows: IntArray
    scores: FloatArray
    ranks: IntArray
    vector_rows: IntArray
    stages: tuple[Stage, ...] = STAGES
    candidates: int | None = None
    certainty: tuple[Certainty, ...] = ()

    @property
    def proofs(self) -> Counter[str]:
        """The number of queries with each text of a certainty."""
        return Counter(str(each) for each in self.certainty)

    @property
    def feedback_rows(self) -> IntArray:
        """(B, F) vector rows of the candidates of the base, which refine the query."""
        return self.vector_rows[:, : self.candidates]

    def score(self, stage: Stage) -> FloatArray:
        """Return (B, K) scores at a stage, candidates in base order."""
        return self.scores[:, self.stages.index(stage)]

    def rank(self, stage: Stage) -> IntArray:
        """Return (B, K) ranks at a stage, candidates in base order."""
        return self.ranks[:, self.stages.index(stage)]

    def ranked(self, stage: Stage) -> list[ScoredRows]:
        """Return corpus rows and scores of each query at a stage, best first.

        If the adapter ranks the whole corpus, a ranking is as long as the list of candidates: below
        that, documents are missing.
        """
        order = np.argsort(self.rank(stage), axis=1)[:, : self.candidates]
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


def joined(batches: Sequence[RankedBatch]) -> RankedBatch:
    """Return the queries of several batches, which have equally many candidates, as one."""
    first = batches[0]
    return RankedBatch(
        np.concatenate([batch.rows for batch in batches]),
        np.concatenate([batch.scores for batch in batches]),
        np.concatenate([batch.ranks for batch in batches]),
        np.concatenate([batch.vector_rows for batch in batches]),
        first.stages,
        first.candidates,
        tuple(each for batch in batches for each in batch.certainty),
    )


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
