"""The smallest and the largest change of nDCG@10 that unjudged documents leave possible.

Shapes: Q queries, U documents in either top 10 of a query, G levels: the grades above 0.

A grade is a sum of steps from level to level: grade 2 is the step to 1 and the step to 2. So with
the linear gain of trec_eval, the change of a query is N / D with

    N = Σ over levels l, step(l) · Σ over documents d with grade ≥ l, w(d)
    D = Σ over levels l, step(l) · C(number of documents with grade ≥ l)

where w(d) is the discount of d in the other ranking minus that in the base, and C(k) is the sum of
the first k discounts, of at most 10. On each level, the unjudged documents of the largest change
are those with the largest w, so only their number is open. If the largest N / D is at most 0, an
unjudged document has grade 0 or the top grade, since N / D is quasi-convex where N ≤ 0. If it is
above 0, Dinkelbach's method finds it: for a fixed t, each level has its own best number for
N − t D. As C is concave, this number grows with the number of judged documents of the level, so a
lower level never has fewer documents than a higher one.
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
        levels: (G,) the grades above 0 that a document can have, ascending.
        gains: (Q, G) sum of the weights of the judged documents that reach each level.
        counts: (Q, G) number of judged documents that reach each level, in the rankings or not.
        top_grade: The highest grade that an unjudged document can have; the levels begin with 1 to
            this grade, higher ones are those of judged documents.
    """

    weights: DoubleArray
    unjudged: NDArray[np.bool_]
    levels: IntArray
    gains: DoubleArray
    counts: IntArray
    top_grade: int

    @classmethod
    def of(cls, rankings: TwoRankings, qrels: Qrels, top_grade: int) -> OpenChange:
        """Use the judgments of the queries.

        Args:
            rankings: Both rankings.
            qrels: The judgments of at least these queries.
            top_grade: The highest grade that an unjudged document can have.
        """
        judged = [qrels[query_id] for query_id in rankings.query_ids]
        # grades that no document has are left out, since some collections have grades such as 100
        known = {grade for own in judged for grade in own.values() if grade > top_grade}
        levels = np.array([*range(1, top_grade + 1), *sorted(known)])
        unjudged = np.zeros(rankings.weights.shape, dtype=bool)
        grades = np.zeros(rankings.weights.shape, dtype=np.int64)
        counts = np.zeros((len(judged), len(levels)), dtype=np.int64)
        for i, (own, documents) in enumerate(zip(judged, rankings.documents, strict=True)):
            unjudged[i, : len(documents)] = [document not in own for document in documents]
            grades[i, : len(documents)] = [own.get(document, 0) for document in documents]
            counts[i] = (np.array([*own.values()])[:, None] >= levels).sum(axis=0) if own else 0
        reached = grades[:, :, None] >= levels
        gains = (rankings.weights[:, :, None] * reached).sum(axis=1)
        return cls(rankings.weights, unjudged, levels, gains, counts, top_grade)

    def judged(self, rows: IntArray, columns: IntArray, grade: int) -> OpenChange:
        """Return R queries, each with one more judgment.

        Args:
            rows: (R,) the queries, which may repeat.
            columns: (R,) the document that is judged.
            grade: Its grade, at most `top_grade`.
        """
        reached = self.levels <= grade
        unjudged = self.unjudged[rows]
        unjudged[np.arange(len(rows)), columns] = False
        weights = self.weights[rows]
        judged = self.weights[rows, columns]
        gains = self.gains[rows] + judged[:, None] * reached
        counts = self.counts[rows] + reached
        return OpenChange(weights, unjudged, self.levels, gains, counts, self.top_grade)

    @property
    def now(self) -> DoubleArray:
        """(Q,) the change if unjudged documents are not relevant."""
        return _ratio(self.gains @ self._steps, _ideal(self.counts) @ self._steps)

    @cached_property
    def low(self) -> DoubleArray:
        """(Q,) the smallest possible change."""
        return -self._largest(-1)

    @cached_property
    def high(self) -> DoubleArray:
        """(Q,) the largest possible change."""
        return self._largest(1)

    @property
    def _steps(self) -> DoubleArray:
        """(G,) from each level to the next lower one."""
        return np.diff(self.levels, prepend=0).astype(np.float64)

    def _largest(self, sign: int) -> DoubleArray:
        """Return the (Q,) largest values of the change, or of its negative (sign −1)."""
        descending = -np.sort(np.where(self.unjudged, -sign * self.weights, np.inf), axis=1)
        # −∞ where fewer documents are unjudged
        none = np.zeros((len(descending), 1))
        sums = np.cumsum(np.concatenate([none, descending], axis=1), axis=1)
        # unjudged documents reach only the first levels
        steps, higher = np.split(self._steps, [self.top_grade])
        own, above = np.split(self.counts, [self.top_grade], axis=1)
        ideals = _ideal(own[:, :, None] + np.arange(sums.shape[1]))  # (Q, top_grade, U + 1)
        gains = sign * self.gains @ self._steps
        return _largest_ratio(gains, _ideal(above) @ higher, sums, ideals, steps)


def _largest_ratio(
    gains: DoubleArray,
    fixed: DoubleArray,
    sums: DoubleArray,
    ideals: DoubleArray,
    steps: DoubleArray,
) -> DoubleArray:
    """Return the (Q,) largest values of N / D.

    Args:
        gains: (Q,) N of the judged documents.
        fixed: (Q,) D of the levels that no unjudged document reaches.
        sums: (Q, U + 1) the sum of the 0 … U largest weights of unjudged documents.
        ideals: (Q, L, U + 1) C of each level that they reach, with 0 … U of them.
        steps: (L,) the steps of these levels.
    """
    all_alike = fixed[:, None] + np.einsum("g,qgu->qu", steps, ideals)
    alike = _ratio(gains[:, None] + steps.sum() * sums, all_alike)
    best: DoubleArray = alike.max(axis=1)
    above = np.flatnonzero(best > 0)
    while len(above):
        t, own, ideal = best[above], sums[above], ideals[above]
        chosen = (own[:, None, :] - t[:, None, None] * ideal).argmax(axis=2)  # (R, G)
        gained = gains[above] + np.take_along_axis(own, chosen, axis=1) @ steps
        reached = np.take_along_axis(ideal, chosen[:, :, None], axis=2)[:, :, 0] @ steps
        best[above] = np.maximum(t, _ratio(gained, fixed[above] + reached))
        above = above[best[above] > t + _SMALLEST_STEP]
    return best


def _ideal(counts: IntArray) -> DoubleArray:
    return np.asarray(_IDEAL[np.minimum(counts, CUTOFF)])


def _ratio(gains: DoubleArray, ideals: DoubleArray) -> DoubleArray:
    """Return N / D; without a relevant document, nDCG is 0 in both rankings."""
    return np.asarray(np.divide(gains, ideals, out=np.zeros_like(gains), where=ideals > 0))
