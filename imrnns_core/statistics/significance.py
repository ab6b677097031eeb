"""Significance tests for differences between systems and between groups of queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imrnns_core.types import DoubleArray

RESAMPLES = 10_000
"""Sign flips and bootstrap resamples per test."""
_BATCH = RESAMPLES // 10
"""Resamples per step; all at once would need too much memory."""


@dataclass(frozen=True)
class Significance:
    """Mean difference over queries, its 95 % bootstrap interval and its p value.

    The p value is two-sided and comes from a paired randomisation test.
    """

    change: float
    ci95: tuple[float, float]
    p: float


def paired_tests(differences: DoubleArray, seed: int = 0) -> list[Significance]:
    """Test for each of M columns of paired differences (Q, M) whether its mean is zero.

    Each test uses 10,000 random sign flips and 10,000 bootstrap resamples.
    """
    count, columns = differences.shape
    if count == 0:
        return [Significance(0.0, (0.0, 0.0), 1.0)] * columns
    rng = np.random.default_rng(seed)
    observed = differences.mean(axis=0)
    flips, means = np.empty((RESAMPLES, columns)), np.empty((RESAMPLES, columns))
    offsets = np.arange(_BATCH)[:, None] * count
    for start in range(0, RESAMPLES, _BATCH):
        signs = rng.integers(0, 2, size=(_BATCH, count), dtype=np.int8) * 2 - 1
        flips[start : start + _BATCH] = signs @ differences / count
        drawn = rng.integers(0, count, size=(_BATCH, count)) + offsets
        # (_BATCH, Q): how often each resample contains each query
        frequency = np.bincount(drawn.ravel(), minlength=_BATCH * count).reshape(_BATCH, count)
        means[start : start + _BATCH] = frequency @ differences / count
    # 1e-12 counts sign flips that differ from the observed mean only by rounding
    extreme = (np.abs(flips) >= np.abs(observed) - 1e-12).sum(axis=0)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    # the observed assignment counts as one of the flips, so p is never 0
    p = (extreme + 1) / (RESAMPLES + 1)
    return [
        Significance(float(observed[j]), (float(low[j]), float(high[j])), float(p[j]))
        for j in range(columns)
    ]


def difference_of_means(
    first: DoubleArray, second: DoubleArray, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of mean(first) − mean(second).

    Args:
        first: (Q,) values of one group of queries.
        second: (R,) values of another group.
        seed: Seed of the resampling.
    """
    rng = np.random.default_rng(seed)
    means = [
        [x[rng.integers(0, len(x), size=(_BATCH, len(x)))].mean(axis=1) for x in (first, second)]
        for _ in range(RESAMPLES // _BATCH)
    ]
    low, high = np.percentile(np.concatenate([a - b for a, b in means]), [2.5, 97.5])
    return float(low), float(high)
