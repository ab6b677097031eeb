"""Significance tests for differences between systems and between groups of queries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from imrnns_core.types import DoubleArray, IntArray

RESAMPLES = 10_000
"""Sign flips and bootstrap resamples per test."""
_BATCH = RESAMPLES // 10
"""Resamples per step; all at once would need too much memory."""
LEVEL = 0.05
"""Largest corrected p value that counts as shown."""
MIN_CLUSTERS = 20
"""Fewer independent queries get no interval: it would be too narrow.

Of 95 % intervals of changes that are zero for 60 % of the queries and exponential for the others,
71 % contain the true mean with 5 queries, 80 % with 10, 87 % with 20, and 92 % with 50.
"""
POWER_ERRORS = 0.84
"""A normal value is above −0.84 standard errors in 80 % of cases."""
OFTEN_ENOUGH = 0.95
"""Share of samples that must have enough changed clusters for a verdict to be probable."""
ROUNDING = 1e-9
"""Smaller differences of a measure are rounding."""
EQUAL = 1e-12
"""A variance below this share of the mean square is rounding: the values are equal."""


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
        standard_error: Standard error of the mean; None for fewer than two clusters.
        clusters: Number of clusters: queries that share a relevant document are one.
        changed_clusters: Number of clusters with a changed query.
    """

    change: float
    ci95: tuple[float, float]
    p: float
    queries: int
    changed: int
    studentized_ci95: tuple[float, float]
    standard_error: float | None
    clusters: int
    changed_clusters: int

    @property
    def interval(self) -> tuple[float, float]:
        """The interval to show: `ci95`, or NaN for fewer than `MIN_CLUSTERS` clusters."""
        return self.ci95 if self.clusters >= MIN_CLUSTERS else (math.nan, math.nan)

    def detectable(self, tests: int = 1) -> float | None:
        """Return a true difference that is probably shown.

        A normal distribution would give 80 %; with skewed changes, those in the direction of the
        longer tail are shown less often (docs/method.md, "Where the gain comes from").

        Shown means: p ≤ 5 % after a correction for the number of tests, and both intervals exclude
        zero. The correction is Bonferroni's, so Holm's finds a little more. None if no difference
        is ever shown, for fewer than two clusters, or if another sample of this size may well have
        fewer than `MIN_CLUSTERS` changed clusters.
        """
        from scipy.stats import binom

        share = self.changed_clusters / max(1, self.clusters)
        again = binom.sf(MIN_CLUSTERS - 1, self.clusters, share)
        if self.standard_error is None or again < OFTEN_ENOUGH:
            return None
        ends = (*self.ci95, *self.studentized_ci95)
        margin = max(abs(end - self.change) for end in ends)
        critical = NormalDist().inv_cdf(1 - LEVEL / (2 * tests)) * self.standard_error
        smallest = max(margin, critical) + POWER_ERRORS * self.standard_error
        return smallest if math.isfinite(smallest) else None

    def to_json(self) -> dict[str, Any]:
        """Return the record of the test.

        JSON has neither infinity nor NaN: an infinite end, and an interval of fewer than
        `MIN_CLUSTERS` clusters, are null.
        """
        shown = {"ci95": self.interval, "studentized_ci95": self.studentized_ci95}
        ends = {
            name: [end if math.isfinite(end) else None for end in interval]
            for name, interval in shown.items()
        }
        return {**asdict(self), **ends, "detectable": self.detectable()}


def paired_tests(
    differences: DoubleArray, clusters: IntArray | None = None, seed: int = 0
) -> list[Significance]:
    """Test for each of M columns of paired differences (Q, M) whether its mean is zero.

    Each test uses 10,000 random sign flips and 10,000 bootstrap resamples. Queries of one cluster,
    such as those that share a relevant document, change together: they are flipped and drawn
    together. If all are in one cluster, p is 1. Source: Cameron, Gelbach and Miller,
    "Bootstrap-based improvements for inference with clustered errors", 2008.

    Args:
        differences: (Q, M) differences.
        clusters: (Q,) cluster of each query; None if all queries are independent.
        seed: Seed of the resampling.
    """
    count, columns = differences.shape
    if count == 0:
        empty = Significance(0.0, (0.0, 0.0), 1.0, 0, 0, (-math.inf, math.inf), None, 0, 0)
        return [empty] * columns
    independent = np.arange(count)
    of_query = independent if clusters is None else np.unique(clusters, return_inverse=True)[1]
    one_cluster = count > 1 and not of_query.any()
    if one_cluster:  # nothing can be drawn; the interval shows how much the queries differ
        of_query = independent
    sizes = np.bincount(of_query).astype(float)
    sums = np.zeros((len(sizes), columns))  # (C, M)
    np.add.at(sums, of_query, differences)
    observed = sums.sum(axis=0) / count
    resampled = _resample(sums, sizes, seed)
    # 1e-12 counts sign flips that differ from the observed mean only by rounding
    extreme = (np.abs(resampled.flips) >= np.abs(observed) - 1e-12).sum(axis=0)
    low, high = np.percentile(resampled.means, [2.5, 97.5], axis=0)
    deviation = np.sqrt(((sums - observed * sizes[:, None]) ** 2).sum(axis=0)) / count
    t_low, t_high = _studentized(observed, deviation, resampled)
    # the observed assignment counts as one of the flips, so p is never 0
    p = np.ones(columns) if one_cluster else (extreme + 1) / (RESAMPLES + 1)
    changed = np.abs(differences) > ROUNDING
    changed_clusters = [len(np.unique(of_query[changed[:, j]])) for j in range(columns)]
    correction = math.sqrt(len(sizes) / (len(sizes) - 1)) if len(sizes) > 1 else None
    return [
        Significance(
            float(observed[j]),
            (float(low[j]), float(high[j])),
            float(p[j]),
            count,
            int(changed[:, j].sum()),
            (float(t_low[j]), float(t_high[j])),
            None if correction is None else float(deviation[j] * correction),
            1 if one_cluster else len(sizes),
            min(1, changed_clusters[j]) if one_cluster else changed_clusters[j],
        )
        for j in range(columns)
    ]


@dataclass(frozen=True)
class _Resamples:
    """Means of sign flips and of bootstrap resamples, each (RESAMPLES, M).

    `deviations` are the standard errors of the resampled means, without a factor that cancels out.
    """

    flips: DoubleArray
    means: DoubleArray
    deviations: DoubleArray


def _resample(sums: DoubleArray, sizes: DoubleArray, seed: int) -> _Resamples:
    """Flip and draw whole clusters, from their sums (C, M) and sizes (C,)."""
    rng, (count, columns) = np.random.default_rng(seed), sums.shape
    result = _Resamples(*(np.empty((RESAMPLES, columns)) for _ in range(3)))
    products, squares = sums * sizes[:, None], sizes**2
    offsets = np.arange(_BATCH)[:, None] * count
    for start in range(0, RESAMPLES, _BATCH):
        rows = slice(start, start + _BATCH)
        signs = rng.integers(0, 2, size=(_BATCH, count), dtype=np.int8) * 2 - 1
        result.flips[rows] = signs @ sums / sizes.sum()
        drawn = rng.integers(0, count, size=(_BATCH, count)) + offsets
        # (_BATCH, C): how often each resample contains each cluster
        frequency = np.bincount(drawn.ravel(), minlength=_BATCH * count).reshape(_BATCH, count)
        drawn_queries = (frequency @ sizes)[:, None]
        means = result.means[rows] = frequency @ sums / drawn_queries
        # sum of the squared deviations of the clusters' sums from what the mean gives them
        squared = frequency @ sums**2 - 2 * means * (frequency @ products)
        squared += means**2 * (frequency @ squares)[:, None]
        # what is left of equal values is rounding of the terms above
        squared[squared < EQUAL * (frequency @ sums**2)] = 0.0
        result.deviations[rows] = np.sqrt(np.maximum(squared, 0.0)) / drawn_queries
    return result


def _studentized(
    observed: DoubleArray, deviation: DoubleArray, resampled: _Resamples
) -> tuple[DoubleArray, DoubleArray]:
    """Return the ends (M,) of the bootstrap-t intervals.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 12.5.

    Args:
        observed: (M,) means of the differences.
        deviation: (M,) their standard errors, with the factor that `resampled` lacks, too.
        resampled: Means and standard errors of the resamples.
    """
    distance = resampled.means - observed
    # differences of 1e-9 that are equal for all queries count as equal
    smallest = ROUNDING / math.sqrt(RESAMPLES)
    with np.errstate(divide="ignore", invalid="ignore"):
        # a resample of equal values has no deviation: its distance counts as infinite
        t = np.where(
            resampled.deviations > smallest,
            distance / resampled.deviations,
            np.sign(distance) * np.inf,
        )
    t[np.abs(distance) <= ROUNDING] = 0.0
    t.sort(axis=0)
    tail = round(0.025 * RESAMPLES)
    with np.errstate(invalid="ignore"):
        low, high = observed - t[-tail - 1] * deviation, observed - t[tail] * deviation
    constant = deviation <= smallest  # equal differences: every resample has the same mean
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
    first: DoubleArray,
    second: DoubleArray,
    clusters: tuple[IntArray, IntArray] | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of mean(first) − mean(second).

    Args:
        first: (Q,) values of one group of queries.
        second: (R,) values of another group.
        clusters: (Q,) and (R,) clusters of the queries; None if all are independent.
        seed: Seed of the resampling.
    """
    rng = np.random.default_rng(seed)
    of_query = clusters or (np.arange(len(first)), np.arange(len(second)))
    means = []
    for values, own in zip((first, second), of_query, strict=True):
        index = np.unique(own, return_inverse=True)[1]
        sizes, sums = np.bincount(index), np.bincount(index, weights=values)
        drawn = rng.integers(0, len(sizes), size=(RESAMPLES, len(sizes)))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    low, high = np.percentile(means[0] - means[1], [2.5, 97.5])
    return float(low), float(high)
