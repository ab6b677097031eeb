"""Causes of a failure: a cause is shown if its remedy does better than chance for the query.

Each remedy is applied to the query alone, with its default setting. It shows its cause if the best
relevant document is higher than in the base ranking, and if it rarely gains as much in random
changes of the same size (`placebo`). No remedy uses the judgments of the query.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from imrnns_core.evaluation.evaluate import Evaluation
from imrnns_core.evaluation.outcomes import Outcome
from imrnns_core.remedies.placebo import corrected_p
from imrnns_core.remedies.remedy import (
    NO_ALTERNATIVES,
    Alternatives,
    Remedy,
    Search,
    all_remedies,
)
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.types import IntArray, LabelledProgress, relevant_ids

LEVEL = 0.05
"""A cause is shown if p, corrected for the number of tests, is at most this."""
NONE_SHOWN = "none shown"
THE_ADAPTER = "the adapter"
"""The base ranking has a relevant document at rank 1, the modulated one has not."""
_NOT_RANKED = 10**6


@dataclass(frozen=True)
class RemedyOutcome:
    """The best relevant document of a query with a remedy.

    Attributes:
        remedy: The remedy, with its default setting.
        rank: The rank of the document; 0 if no relevant document is ranked.
        document_id: The document; empty if there is none.
        p: The share of random changes of the same size in which a relevant document gains as much,
            corrected for the number of tests; 1 if the base has a relevant document at rank 1. The
            remedies of a cause are tested together, those of each adapter apart.
        rows: (R,) corpus rows of the ranking with the remedy, best first.
    """

    remedy: Remedy
    rank: int
    document_id: str
    p: float
    rows: IntArray = field(repr=False, compare=False)


@dataclass(frozen=True)
class TriedRemedies:
    """What each remedy does to one query.

    Attributes:
        base_rank: Rank of the best relevant document in the base ranking; 0 if it has none.
        outcomes: The outcome of each remedy that changes the ranking.
    """

    base_rank: int
    outcomes: tuple[RemedyOutcome, ...] = ()

    @property
    def shown(self) -> list[RemedyOutcome]:
        """The outcomes that show a cause, the best rank first."""
        shown = [own for own in self.outcomes if own.p <= LEVEL and self.is_better(own)]
        return sorted(shown, key=lambda own: (own.rank, own.p))

    def is_better(self, outcome: RemedyOutcome) -> bool:
        """Return whether the best relevant document is higher than in the base ranking."""
        return 0 < outcome.rank < (self.base_rank or _NOT_RANKED)

    @property
    def causes(self) -> list[str]:
        """The names of the causes that are shown, that of the best remedy first."""
        return list(dict.fromkeys(own.remedy.cause for own in self.shown))


@dataclass(frozen=True)
class Diagnosis:
    """The outcome of one judged query, and what each remedy does to it.

    Attributes:
        query_id: The query.
        outcome: What the adapter did to it, or how the base alone ranks it.
        change: Modulated − base nDCG@10; 0 without an adapter.
        ranks: (S,) rank of the best relevant candidate at each stage, 0 if no candidate is
            relevant.
        bm25_rank: Rank of the best relevant document by BM25, 0 if it is not retrieved.
        tried: The remedies; None if they are not tried yet.
    """

    query_id: str
    outcome: Outcome
    change: float
    ranks: tuple[int, ...]
    bm25_rank: int
    tried: TriedRemedies | None

    @property
    def causes(self) -> str:
        """The names of the causes that are shown; empty if nothing is wrong or not tried yet."""
        if self.is_moved_down:
            return THE_ADAPTER
        if self.tried is None or self.ranks[0] == 1:
            return ""
        return ", ".join(self.tried.causes) or NONE_SHOWN

    @property
    def is_moved_down(self) -> bool:
        """Whether only the adapter keeps the best relevant document from rank 1."""
        return self.ranks[0] == 1 != self.ranks[-1]

    @property
    def remedy(self) -> RemedyOutcome | None:
        """The remedy that shows a cause and has the best rank; None if no cause is shown."""
        return next(iter(self.tried.shown), None) if self.tried else None


def worst_ranks_first(diagnoses: Iterable[Diagnosis]) -> list[Diagnosis]:
    """Return diagnoses by the rank of the last stage, the worst first, then by their change."""
    # rank 0 means not retrieved, which is worse than any rank
    return sorted(diagnoses, key=lambda d: (-(d.ranks[-1] or _NOT_RANKED), d.change))


def try_remedies(
    search: Search,
    relevant: Sequence[Collection[str]],
    progress: LabelledProgress | None = None,
) -> list[TriedRemedies]:
    """Return what each remedy does to each query of a search.

    Args:
        search: A search for Q queries.
        relevant: Ids of the relevant documents of each query.
        progress: Called with (what is done, done, total).
    """
    remedies = list(all_remedies(search))
    rankings = []
    for number, remedy in enumerate(remedies):
        if progress:
            progress(f"Remedy {remedy.name}", number, len(remedies))
        rankings.append(remedy.rank(search, remedy.settings[0]))
    tried = []
    for i, ids in enumerate(relevant):
        if progress:
            progress("Comparing with random changes, query", i, len(relevant))
        tried.append(_tried(search, remedies, [own[i] for own in rankings], i, ids))
    return tried


def remedies_of(
    ranker: Ranker,
    lexical: BM25Index,
    comparison: Comparison,
    alternatives: Alternatives = NO_ALTERNATIVES,
) -> TriedRemedies | None:
    """Return what each remedy does to a ranked query; None if no document is relevant."""
    relevant, query = relevant_ids(comparison.judgments), comparison.query
    if not relevant:
        return None
    vectors = None if query.id else ranker.collection.encode(query.text)[None]
    search = Search.of(ranker, lexical, [query], vectors, alternatives)
    (tried,) = try_remedies(search, [relevant])
    return tried


def _tried(
    search: Search,
    remedies: Sequence[Remedy],
    rankings: Sequence[IntArray],
    i: int,
    relevant: Collection[str],
) -> TriedRemedies:
    row, base = search.collection.documents.row, search.base[i].rows
    # a remedy that does not change the ranking, such as a correct spelling, is none for this query
    changing = [n for n, own in enumerate(rankings) if not np.array_equal(own, base)]
    remedies, rankings = [remedies[n] for n in changing], [rankings[n] for n in changing]
    rows = np.array(sorted(row[d] for d in relevant if d in row), dtype=np.int64)
    best = [best_relevant(search, own, relevant) for own in rankings]
    base_rank = best_relevant(search, base, relevant)[0]
    by_test = dict[str, list[IntArray]]()
    for remedy, ranked in zip(remedies, rankings, strict=True):
        by_test.setdefault(remedy.tested_as, []).append(ranked)
    p = dict.fromkeys(by_test, 1.0)
    if base_rank != 1 and len(rows) and rankings:
        corrected = corrected_p(base, list(by_test.values()), rows)
        p = dict(zip(by_test, corrected.tolist(), strict=True))
    outcomes = [
        RemedyOutcome(remedy, *own, p[remedy.tested_as], ranked)
        for remedy, own, ranked in zip(remedies, best, rankings, strict=True)
    ]
    return TriedRemedies(base_rank, tuple(outcomes))


def best_relevant(search: Search, rows: IntArray, relevant: Collection[str]) -> tuple[int, str]:
    """Return rank and id of the best relevant document among ranked rows (R,); else 0 and ""."""
    ids = search.collection.dataset.document_ids
    ranked = ((rank, ids[row]) for rank, row in enumerate(rows.tolist(), 1))
    return next((own for own in ranked if own[1] in relevant), (0, ""))


def causes_of(
    ranker: Ranker,
    evaluation: Evaluation,
    lexical: BM25Index,
    progress: LabelledProgress | None = None,
    alternatives: Alternatives = NO_ALTERNATIVES,
) -> dict[str, TriedRemedies]:
    """Try the remedies on each query whose best relevant document is not first in the base.

    Args:
        ranker: The ranker of the evaluation.
        evaluation: The evaluation of Q queries.
        lexical: The BM25 index of the collection.
        progress: Called with (what is done, done, total).
        alternatives: Other adapters and other vectors of the data set.

    Returns:
        Id of each of these queries → what the remedies do to it.
    """
    dataset, ranks = ranker.collection.dataset, evaluation.best_rank("base").tolist()
    ids = [q for q, rank in zip(evaluation.query_ids, ranks, strict=True) if rank != 1]
    if not ids:
        return {}
    queries = [dataset.queries[query_id] for query_id in ids]
    search = Search.of(ranker, lexical, queries, None, alternatives)
    relevant = [relevant_ids(evaluation.qrels[query_id]) for query_id in ids]
    return dict(zip(ids, try_remedies(search, relevant, progress), strict=True))


def diagnose(
    evaluation: Evaluation, bm25: SystemMetrics, causes: Mapping[str, TriedRemedies] | None
) -> list[Diagnosis]:
    """Return the diagnosis of each query of an evaluation.

    Args:
        evaluation: The evaluation of Q queries.
        bm25: Measures (Q, M) and best ranks (Q,) of BM25 on the same queries.
        causes: Those of `causes_of`; None if the remedies are not tried yet.
    """
    found = zip(
        *(evaluation.query_ids, evaluation.outcomes(), evaluation.change.tolist()),
        *(evaluation.best_ranks.T.tolist(), bm25.best_ranks.tolist()),
        strict=True,
    )
    return [
        Diagnosis(
            *(query_id, outcome, change, tuple(own), bm25_rank),
            None if causes is None else causes.get(query_id, TriedRemedies(1)),
        )
        for query_id, outcome, change, own, bm25_rank in found
    ]
