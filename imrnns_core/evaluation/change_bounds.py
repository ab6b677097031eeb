"""The smallest and the largest change of nDCG@10 that unjudged documents leave possible.

Shapes: Q queries, U documents in either top 10 of a query, G grades above 0.

A grade is a sum of levels: a document with grade 2 has the levels 1 and 2. So with the linear gain
of trec_eval, the change of a query is N / D with

    N = Σ over levels l, Σ over documents d with grade ≥ l, w(d)
    D = Σ over levels l, C(number of documents with grade ≥ l)

where w(d) is the discount of d in the other ranking minus that in the base, and C(k) is the sum of
the first k discounts (at most 10). Of the unjudged documents, only those with the largest w can be
part of the largest change. If the largest N / D is at most 0, it has every unjudged document at 0
or at the top grade, since N / D is quasi-convex where N ≤ 0. If it is above 0, Dinkelbach's method
finds it: for a fixed t, N − t D is largest for each level alone, and these choices are nested.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from imrnns_core.statistics.measures import Rankings
from imrnns_core.types import DoubleArray, IntArray, Qrels

CUTOFF = 10
_DISCOUNTS = 1 / np.log2(np.arange(2, CUTOFF + 2))
_IDEAL = np.concatenate([[0.0], np.cumsum(_DISCOUNTS)])
"""(11,) DCG@10 of 0 … 10 relevant documents of grade 1 at the top."""
_SMALLEST_STEP = 1e-13


@dataclass(frozen=True)
class TwoRankings:
    """The top 10 of two rankings of the same queries.

    Attributes:
        query_ids: The Q queries.
        documents: The documents in either top 10 of each query, sorted by id.
        weights: (Q, U) discount in the other ranking minus discount in the base; 0 where a query
            has fewer documents.
    """

    query_ids: tuple[str, ...]
    documents: tuple[tuple[str, ...], ...]
    weights: DoubleArray

    @classmethod
    def of(cls, base: Rankings, other: Rankings) -> TwoRankings:
        """Compare two rankings of the queries of `base`."""
        differences = []
        for query_id, ranked in base.items():
            weights: dict[str, float] = {}
            for sign, ids in ((-1.0, ranked), (1.0, other[query_id])):
                for document, discount in zip(ids, _DISCOUNTS, strict=False):
                    weights[document] = weights.get(document, 0.0) + sign * float(discount)
            differences.append(dict(sorted(weights.items())))
        table = np.zeros((len(differences), max(map(len, differences), default=0)))
        for row, weights in zip(table, differences, strict=True):
            row[: len(weights)] = list(weights.values())
        return cls(tuple(base), tuple(map(tuple, differences)), table)


@dataclass(frozen=True)
class OpenChange:
    """The change of nDCG@10 of Q queries, as far as judgments determine it.

    Attributes:
        weights: (Q, U) as in `TwoRankings`.
        unjudged: (Q, U) True where a document has no judgment.
        gains: (Q, G) sum of the weights of the judged documents with grade ≥ 1 … G.
        counts: (Q, G) number of judged documents with grade ≥ 1 … G, in the rankings or not.
    """

    weights: DoubleArray
    unjudged: NDArray[np.bool_]
    gains: DoubleArray
    counts: IntArray

    @classmethod
    def of(cls, rankings: TwoRankings, qrels: Qrels, top_grade: int) -> OpenChange:
        """Use the judgments of the queries.

        Args:
            rankings: Both rankings.
            qrels: The judgments of at least these queries.
            top_grade: The highest grade that an unjudged document can have. If a judged document
                has a higher one, that one.
        """
        judged = [qrels[query_id] for query_id in rankings.query_ids]
        top_grade = max([top_grade, *(grade for own in judged for grade in own.values())])
        levels = np.arange(1, top_grade + 1)
        unjudged = np.zeros(rankings.weights.shape, dtype=bool)
        grades = np.zeros(rankings.weights.shape, dtype=np.int64)
        counts = np.zeros((len(judged), top_grade), dtype=np.int64)
        for i, (own, documents) in enumerate(zip(judged, rankings.documents, strict=True)):
            unjudged[i, : len(documents)] = [document not in own for document in documents]
            grades[i, : len(documents)] = [own.get(document, 0) for document in documents]
            counts[i] = (np.array([*own.values()])[:, None] >= levels).sum(axis=0) if own else 0
        reached = grades[:, :, None] >= levels
        gains = (rankings.weights[:, :, None] * reached).sum(axis=1)
        return cls(rankings.weights, unjudged, gains, counts)

    def judged(self, rows: IntArray, columns: IntArray, grade: int) -> OpenChange:
        """Return R queries, each with one more judgment.

        Args:
            rows: (R,) the queries, which may repeat.
            columns: (R,) the document that is judged.
            grade: Its grade.
        """
        reached = np.arange(1, self.gains.shape[1] + 1) <= grade
        unjudged = self.unjudged[rows]
        unjudged[np.arange(len(rows)), columns] = False
        weights = self.weights[rows]
        judged = self.weights[rows, columns]
        gains = self.gains[rows] + judged[:, None] * reached
        return OpenChange(weights, unjudged, gains, self.counts[rows] + reached)

    @property
    def now(self) -> DoubleArray:
        """(Q,) the change if unjudged documents are not relevant."""
        return _ratio(self.gains.sum(axis=1), _ideal(self.counts).sum(axis=1))

    @cached_property
    def low(self) -> DoubleArray:
        """(Q,) the smallest possible change."""
        return -_largest(-self.weights, self.unjudged, -self.gains, self.counts)

    @cached_property
    def high(self) -> DoubleArray:
        """(Q,) the largest possible change."""
        return _largest(self.weights, self.unjudged, self.gains, self.counts)


def _largest(
    weights: DoubleArray, unjudged: NDArray[np.bool_], gains: DoubleArray, counts: IntArray
) -> DoubleArray:
    """Return the (Q,) largest changes; the arguments are those of `OpenChange`."""
    descending = -np.sort(np.where(unjudged, -weights, np.inf), axis=1)
    # −∞ where fewer documents are unjudged
    sums = np.cumsum(np.concatenate([np.zeros((len(weights), 1)), descending], axis=1), axis=1)
    grades, added = gains.shape[1], np.arange(sums.shape[1])
    ideals = _ideal(counts[:, :, None] + added)  # (Q, G, U + 1)
    every = gains.sum(axis=1)
    alike = _ratio(every[:, None] + grades * sums, ideals.sum(axis=1))
    best: DoubleArray = alike.max(axis=1)
    above = np.flatnonzero(best > 0)
    while len(above):
        t = best[above]
        own = sums[above]
        chosen = (own[:, None, :] - t[:, None, None] * ideals[above]).argmax(axis=2)  # (R, G)
        gained = every[above] + np.take_along_axis(own, chosen, axis=1).sum(axis=1)
        ideal = np.take_along_axis(ideals[above], chosen[:, :, None], axis=2).sum(axis=(1, 2))
        best[above] = np.maximum(t, _ratio(gained, ideal))
        above = above[best[above] > t + _SMALLEST_STEP]
    return best


def _ideal(counts: IntArray) -> DoubleArray:
    return np.asarray(_IDEAL[np.minimum(counts, CUTOFF)])


def _ratio(gains: DoubleArray, ideals: DoubleArray) -> DoubleArray:
    """Return N / D; without a relevant document, nDCG is 0 in both rankings."""
    return np.asarray(np.divide(gains, ideals, out=np.zeros_like(gains), where=ideals > 0))
