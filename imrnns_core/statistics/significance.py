"""Tests of differences between systems on the same queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imrnns_core.types import DoubleArray

RESAMPLES = 10_000
_PART = RESAMPLES // 10


@dataclass(frozen=True)
class Significance:
    """A mean difference over queries, with its 95 % bootstrap interval and its p.

    p is two-sided, of a paired randomisation test.
    """

    change: float
    ci95: tuple[float, float]
    p: float


def paired_tests(differences: DoubleArray, seed: int = 0) -> list[Significance]:
    """Test whether the mean of each column of paired differences (Q, M) is zero.

    The tests take 10,000 sign flips and as many bootstrap resamples.
    """
    count, width = differences.shape
    if count == 0:
        return [Significance(0.0, (0.0, 0.0), 1.0)] * width
    rng = np.random.default_rng(seed)
    observed = differences.mean(axis=0)
    flips, means = np.empty((RESAMPLES, width)), np.empty((RESAMPLES, width))
    offsets = np.arange(_PART)[:, None] * count
    for start in range(0, RESAMPLES, _PART):
        signs = rng.integers(0, 2, size=(_PART, count), dtype=np.int8) * 2 - 1
        flips[start : start + _PART] = signs @ differences / count
        drawn = rng.integers(0, count, size=(_PART, count)) + offsets
        times = np.bincount(drawn.ravel(), minlength=_PART * count).reshape(
            _PART, count
        )  # how often each query was drawn
        means[start : start + _PART] = times @ differences / count
    extreme = (np.abs(flips) >= np.abs(observed) - 1e-12).sum(axis=0)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    p = (extreme + 1) / (RESAMPLES + 1)
    return [
        Significance(float(observed[j]), (float(low[j]), float(high[j])), float(p[j]))
        for j in range(width)
    ]


def difference_of_means(
    first: DoubleArray, second: DoubleArray, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of mean(first) − mean(second), two groups of queries."""
    rng = np.random.default_rng(seed)
    parts = [
        [x[rng.integers(0, len(x), size=(_PART, len(x)))].mean(axis=1) for x in (first, second)]
        for _ in range(RESAMPLES // _PART)
    ]
    low, high = np.percentile(np.concatenate([a - b for a, b in parts]), [2.5, 97.5])
    return float(low), float(high)
