"""What unjudged documents leave open about a change, and the judgments that narrow it most.

The idea is that of minimal test collections (Carterette, Allan and Sitaraman, SIGIR 2006): to know
which of two rankings is better, judge the documents on which the difference depends most.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from imrnns_core.evaluation.change_bounds import OpenChange, TwoRankings
from imrnns_core.types import DoubleArray, IntArray

MARGIN = 1e-9
"""A range must exclude zero by this much: far above rounding errors, far below any change."""
TEN = 10
TOGETHER = 20_000
"""Pairs whose judgments are tried together: about 30 MB."""
Pair = tuple[str, str]
"""Query id and document id."""


@dataclass(frozen=True)
class ChangeRange:
    """The mean change of nDCG@10 as far as judgments determine it.

    Attributes:
        now: The change if unjudged documents are not relevant.
        low: The smallest possible change.
        high: The largest possible change.
        unjudged: Number of unjudged pairs of query and document in either top 10.
    """

    now: float
    low: float
    high: float
    unjudged: int

    @classmethod
    def of(cls, change: OpenChange) -> ChangeRange:
        """Return the means over the queries."""
        low, high = float(change.low.mean()), float(change.high.mean())
        return cls(float(change.now.mean()), low, high, int(change.unjudged.sum()))

    @property
    def has_certain_sign(self) -> bool:
        """Whether every possible change is above zero, or every one is below."""
        return self.low > MARGIN or self.high < -MARGIN


def narrowing_pairs(
    rankings: TwoRankings,
    change: OpenChange,
    generator: np.random.Generator,
    count: int = TEN,
    skipped: Container[Pair] = (),
) -> list[Pair]:
    """Return the pairs whose judgment narrows the range most, in random order.

    Counted is the end of the range that is nearer to zero, since the sign is certain once it has
    passed zero; after that, both ends count. The narrowing of a pair is the mean over two answers:
    not relevant, and the middle one of the other grades. One document of each query is chosen, as
    long as enough queries are open: the first answer changes what others of the query are worth.

    Args:
        rankings: Both rankings.
        change: The change of these queries.
        generator: Breaks ties, and shuffles.
        count: How many pairs to return; fewer if fewer are open.
        skipped: Pairs that are not returned.
    """
    open_rows = np.flatnonzero(change.high - change.low > MARGIN)
    rows, columns = np.nonzero(change.unjudged[open_rows])
    rows = open_rows[rows]
    allowed = [
        (rankings.query_ids[i], rankings.documents[i][j]) not in skipped
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    rows, columns = rows[allowed], columns[allowed]
    order = generator.permutation(len(rows))
    rows, columns = rows[order], columns[order]
    order = np.argsort(-_narrowing(change, rows, columns), kind="stable")
    rows, columns = rows[order], columns[order]
    is_later = np.ones(len(rows), dtype=bool)
    is_later[np.unique(rows, return_index=True)[1]] = False
    chosen = generator.permutation(np.argsort(is_later, kind="stable")[:count])
    return [(rankings.query_ids[rows[n]], rankings.documents[rows[n]][columns[n]]) for n in chosen]


def _narrowing(change: OpenChange, rows: IntArray, columns: IntArray) -> DoubleArray:
    """Return by how much the judgments (R,) are expected to narrow the sum of the changes."""
    low, high = float(change.low.sum()), float(change.high.sum())
    is_open = low <= MARGIN and high >= -MARGIN
    narrowed = np.zeros(len(rows))
    for start in range(0, len(rows), TOGETHER):
        part = slice(start, start + TOGETHER)
        for grade in (0, (change.top_grade + 1) // 2):
            answered = change.judged(rows[part], columns[part], grade)
            if not is_open or -low <= high:
                narrowed[part] += (answered.low - change.low[rows[part]]) / 2
            if not is_open or -low > high:
                narrowed[part] += (change.high[rows[part]] - answered.high) / 2
    return narrowed
