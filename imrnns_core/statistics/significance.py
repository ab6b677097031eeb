"""Significance tests for differences between systems and between groups of queries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from imrnns_core.types import DoubleArray

RESAMPLES = 10_000
"""Sign flips and bootstrap resamples per test."""
_BATCH = RESAMPLES // 10
"""Resamples per step; all at once would need too much memory."""
LEVEL = 0.05
"""Largest corrected p value that counts as shown."""
POWER_ERRORS = 0.84
"""A normal value is above −0.84 standard errors in 80 % of cases."""
ROUNDING = 1e-9
"""Smaller differences of a measure are rounding."""


@dataclass(frozen=True)
class Significance:
    """Mean difference over queries, with its interval, its p value and what it can show.

    Attributes:
        change: Mean of the differences.
        ci95: 95 % percentile bootstrap interval of the mean.
        p: Two-sided p value of a paired randomisation test.
        queries: Number of queries.
        changed: Number of queries whose difference is not zero.
        studentized_ci95: 95 % bootstrap-t interval. It is wider where few queries decide the mean,
            such as rare large losses; infinite where most resamples do not vary.
        standard_error: Standard error of the mean; None for fewer than two queries.
    """

    change: float
    ci95: tuple[float, float]
    p: float
    queries: int
    changed: int
    studentized_ci95: tuple[float, float]
    standard_error: float | None

    def detectable(self, tests: int = 1) -> float | None:
        """Return the smallest true difference that is shown in about 80 % of cases.

        Shown means: p ≤ 5 % after a correction for the number of tests, and both intervals exclude
        zero. The correction is Bonferroni's, so Holm's finds a little more. None if no difference
        is ever shown, or for fewer than two queries.
        """
        if self.standard_error is None:
            return None
        ends = (*self.ci95, *self.studentized_ci95)
        margin = max(abs(end - self.change) for end in ends)
        critical = NormalDist().inv_cdf(1 - LEVEL / (2 * tests)) * self.standard_error
        smallest = max(margin, critical) + POWER_ERRORS * self.standard_error
        return smallest if math.isfinite(smallest) else None

    def to_json(self) -> dict[str, Any]:
        """Return the record of the test; JSON has no infinity, so an infinite end is null."""
        ends = [end if math.isfinite(end) else None for end in self.studentized_ci95]
        return {**asdict(self), "studentized_ci95": ends, "detectable": self.detectable()}


def paired_tests(differences: DoubleArray, seed: int = 0) -> list[Significance]:
    """Test for each of M columns of paired differences (Q, M) whether its mean is zero.

    Each test uses 10,000 random sign flips and 10,000 bootstrap resamples.
    """
    count, columns = differences.shape
    if count == 0:
        return [Significance(0.0, (0.0, 0.0), 1.0, 0, 0, (-math.inf, math.inf), None)] * columns
    rng = np.random.default_rng(seed)
    observed = differences.mean(axis=0)
    squared = (differences - observed) ** 2
    flips, means, spreads = (np.empty((RESAMPLES, columns)) for _ in range(3))
    offsets = np.arange(_BATCH)[:, None] * count
    for start in range(0, RESAMPLES, _BATCH):
        signs = rng.integers(0, 2, size=(_BATCH, count), dtype=np.int8) * 2 - 1
        flips[start : start + _BATCH] = signs @ differences / count
        drawn = rng.integers(0, count, size=(_BATCH, count)) + offsets
        # (_BATCH, Q): how often each resample contains each query
        frequency = np.bincount(drawn.ravel(), minlength=_BATCH * count).reshape(_BATCH, count)
        means[start : start + _BATCH] = frequency @ differences / count
        spreads[start : start + _BATCH] = frequency @ squared / count
    # 1e-12 counts sign flips that differ from the observed mean only by rounding
    extreme = (np.abs(flips) >= np.abs(observed) - 1e-12).sum(axis=0)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    t_low, t_high = _studentized(observed, squared, means, spreads)
    # the observed assignment counts as one of the flips, so p is never 0
    p = (extreme + 1) / (RESAMPLES + 1)
    spread = differences.std(axis=0, ddof=1) if count > 1 else None
    return [
        Significance(
            float(observed[j]),
            (float(low[j]), float(high[j])),
            float(p[j]),
            count,
            int((np.abs(differences[:, j]) > ROUNDING).sum()),
            (float(t_low[j]), float(t_high[j])),
            None if spread is None else float(spread[j] / count**0.5),
        )
        for j in range(columns)
    ]


def _studentized(
    observed: DoubleArray, squared: DoubleArray, means: DoubleArray, spreads: DoubleArray
) -> tuple[DoubleArray, DoubleArray]:
    """Return the ends (M,) of the bootstrap-t intervals.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 12.5.

    Args:
        observed: (M,) means of the differences.
        squared: (Q, M) squared deviations from them.
        means: (RESAMPLES, M) means of the resamples.
        spreads: (RESAMPLES, M) means of the squared deviations in the resamples.
    """
    deviation = np.sqrt(np.maximum(spreads - (means - observed) ** 2, 0.0))
    distance = means - observed
    with np.errstate(divide="ignore", invalid="ignore"):
        # a resample of equal values has no deviation: its distance counts as infinite
        t = np.where(deviation > ROUNDING, distance / deviation, np.sign(distance) * np.inf)
    t[np.abs(distance) <= ROUNDING] = 0.0
    t.sort(axis=0)
    tail = round(0.025 * RESAMPLES)
    scale = np.sqrt(squared.mean(axis=0))
    with np.errstate(invalid="ignore"):
        low, high = observed - t[-tail - 1] * scale, observed - t[tail] * scale
    constant = scale <= ROUNDING  # equal differences: every resample has the same mean
    return np.where(constant, observed, low), np.where(constant, observed, high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for the number of tests.

    The chance that any of the tests is wrong under its null hypothesis stays below the level.
    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, largest = [0.0] * len(p_values), 0.0
    for position, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - position) * p_values[i]))
        corrected[i] = largest
    return corrected


def significance_records(tests: Mapping[str, Significance]) -> dict[str, dict[str, Any]]:
    """Return the records of tests that are shown together, with Holm-corrected p values."""
    corrected = holm([test.p for test in tests.values()])
    return {
        name: {**test.to_json(), "p_holm": p}
        for (name, test), p in zip(tests.items(), corrected, strict=True)
    }


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
