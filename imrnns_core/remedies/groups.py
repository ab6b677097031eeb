"""Groups of failing queries with the same cause, and the remedy that fixes most of them.

A group counts only if its cause is shown more often than by chance in both halves of the queries:
by chance, a cause is shown for at most 5 % of the queries (`causes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrnns_core.remedies.bench import Bench, RemedyTest
from imrnns_core.remedies.causes import LEVEL, TriedRemedies
from imrnns_core.types import DoubleArray

FALSE_DISCOVERY_RATE = 0.05
"""Of the groups that are named, at most this share is expected to be chance."""


@dataclass(frozen=True)
class CauseGroup:
    """The failing queries for which a cause is shown.

    Attributes:
        cause: The cause.
        query_ids: The queries.
        test: The remedy of this cause that fixes most of them, less those that it breaks, measured
            on all queries of the split.
        fixed: Ids of the queries of the group that it fixes.
        p: The chance of as many queries, in the half where it is larger; corrected for the number
            of causes (Benjamini and Hochberg, 1995).
    """

    cause: str
    query_ids: tuple[str, ...]
    test: RemedyTest
    fixed: tuple[str, ...]
    p: float

    def to_json(self) -> dict[str, Any]:
        """Return the record that `imrnns-lens remedies --json` writes."""
        return {
            "cause": self.cause,
            "queries": list(self.query_ids),
            "remedy": self.test.measured.remedy.name,
            "fixed": list(self.fixed),
            "broken": int(self.test.broken.sum()),
            "p": self.p,
        }


def cause_groups(bench: Bench, tried: Mapping[str, TriedRemedies]) -> list[CauseGroup]:
    """Return the groups of failing queries, the largest first.

    Args:
        bench: The remedies, measured on the Q judged queries of a split.
        tried: The remedies of each query that does not have a relevant document at rank 1.
    """
    from scipy.stats import false_discovery_control

    failing = ~bench.succeeds(bench.base)
    # queries that share a relevant document are in one half
    halves = np.unique(bench.clusters, return_inverse=True)[1] % 2
    named = {query_id: own.causes for query_id, own in tried.items()}
    shown = {
        cause: failing & np.array([cause in named.get(q, ()) for q in bench.query_ids])
        for cause in dict.fromkeys(cause for own in named.values() for cause in own)
    }
    if not shown:
        return []
    p: DoubleArray = false_discovery_control(
        [max(_chance(own[half], failing[half]) for half in (halves == 0, halves == 1))
         for own in shown.values()]
    )  # fmt: skip
    groups = [
        _group(bench, cause, own, float(own_p))
        for (cause, own), own_p in zip(shown.items(), p, strict=True)
        if own_p <= FALSE_DISCOVERY_RATE
    ]
    return sorted(groups, key=lambda group: -len(group.query_ids))


def _chance(shown: NDArray[np.bool_], failing: NDArray[np.bool_]) -> float:
    """Return the chance that a cause is shown for as many of the failing queries by chance."""
    from scipy.stats import binom

    return float(binom.sf(shown.sum() - 1, failing.sum(), LEVEL))


def _group(bench: Bench, cause: str, shown: NDArray[np.bool_], p: float) -> CauseGroup:
    tests = [test for test in bench.tests["all"] if test.measured.remedy.cause == cause]
    best = max(tests, key=lambda test: int((test.fixed & shown).sum()) - int(test.broken.sum()))
    ids = bench.query_ids
    fixed = tuple(compress(ids, best.fixed & shown))
    return CauseGroup(cause, tuple(compress(ids, shown)), best, fixed, p)
