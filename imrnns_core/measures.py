"""Measures of rankings through ir-measures, and tests of paired differences. Ids and arrays in, arrays out."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ir_measures
import numpy as np
from numpy.typing import NDArray

from imrnns_core.dataset import Qrels
from imrnns_core.errors import LensError
from imrnns_core.records import IntArray

RESAMPLES = 10_000
_PART = RESAMPLES // 10
_TREC_EVAL = threading.Lock()
"""trec_eval, behind ir-measures, keeps its parameters in tables of the process: one thread at a time."""
Doubles = NDArray[np.float64]
Rankings = Mapping[str, Sequence[str]]
"""Query id → document ids, best first."""


@dataclass(frozen=True)
class Measured:
    """The rankings of one system: `values` (Q, M), and `best_ranks` (Q,), 0 where no relevant document is ranked."""

    values: Doubles
    best_ranks: IntArray


@dataclass(frozen=True)
class Significance:
    """A mean difference over queries, its 95 % bootstrap interval, and the two-sided p of a paired randomisation test."""

    delta: float
    ci95: tuple[float, float]
    p: float


def parse_measures(names: Iterable[str]) -> list[Any]:
    """Return the measures of these names; LensError for one that is unknown or cannot be computed."""
    return [_parse(name) for name in names]


def measure(names: Sequence[str], qrels: Qrels, rankings: Rankings) -> Measured:
    """Measure the rankings of one system, queries in the order of `qrels`; one that is not ranked counts 0."""
    ordered = {q: rankings.get(q, ()) for q in qrels}
    values = measure_rankings(parse_measures(names), qrels, ordered)
    return Measured(values, np.array([_best_rank(qrels[q], ranked) for q, ranked in ordered.items()], dtype=np.int64))


def measure_rankings(measures: Sequence[Any], qrels: Qrels, rankings: Rankings) -> Doubles:
    """Return (Q, M) values, queries in the order of `rankings`.

    Rankings are measured as they stand: the scores given to ir-measures are the negative ranks, so that
    its own rule for equal scores never reorders what is shown.
    """
    run = {q: {d: -float(n) for n, d in enumerate(ids)} for q, ids in rankings.items()}
    row, column = {q: i for i, q in enumerate(rankings)}, {m: j for j, m in enumerate(measures)}
    values = np.zeros((len(rankings), len(measures)))
    with _TREC_EVAL:
        for metric in ir_measures.iter_calc(list(measures), {q: dict(qrels[q]) for q in rankings}, run):
            values[row[metric.query_id], column[metric.measure]] = metric.value
    return values


def paired_tests(differences: Doubles, seed: int = 0) -> list[Significance]:
    """Test of each column whether the mean of paired differences (Q, M) is zero, by 10,000 sign flips and bootstrap resamples."""
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
        times = np.bincount(drawn.ravel(), minlength=_PART * count).reshape(_PART, count)  # how often each query was drawn
        means[start : start + _PART] = times @ differences / count
    extreme = (np.abs(flips) >= np.abs(observed) - 1e-12).sum(axis=0)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    p = (extreme + 1) / (RESAMPLES + 1)
    return [Significance(float(observed[j]), (float(low[j]), float(high[j])), float(p[j])) for j in range(width)]


def paired_significance(difference: Doubles, seed: int = 0) -> Significance:
    """Test one column (Q,) of paired differences."""
    return paired_tests(difference[:, None], seed)[0]


def difference_of_means(first: Doubles, second: Doubles, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of mean(first) − mean(second), for two groups of other queries."""
    rng = np.random.default_rng(seed)
    parts = [[x[rng.integers(0, len(x), size=(_PART, len(x)))].mean(axis=1) for x in (first, second)] for _ in range(RESAMPLES // _PART)]
    low, high = np.percentile(np.concatenate([a - b for a, b in parts]), [2.5, 97.5])
    return float(low), float(high)


def _best_rank(judged: Mapping[str, int], ranked: Sequence[str]) -> int:
    return next((n for n, d in enumerate(ranked, start=1) if judged.get(d, 0) > 0), 0)


def _parse(name: str) -> Any:
    try:
        parsed = ir_measures.parse_measure(name)
        with _TREC_EVAL:
            list(ir_measures.iter_calc([parsed], {"q": {"d": 1}}, {"q": {"d": 1.0}}))  # some parse but cannot be computed
        return parsed
    except Exception:  # each provider raises its own
        raise LensError(f"measure {name!r} is unknown; write it as ir-measures does, for example nDCG@10, R@100, RR@10, AP") from None
