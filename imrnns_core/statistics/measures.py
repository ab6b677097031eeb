"""Measures of rankings, computed by ir-measures."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ir_measures
import numpy as np

from imrnns_core.errors import LensError
from imrnns_core.types import DoubleArray, IntArray, Qrels, is_relevant

_TREC_EVAL_LOCK = threading.Lock()
"""trec_eval, which ir-measures calls, keeps its parameters in global variables."""
Rankings = Mapping[str, Sequence[str]]
"""Query id → document ids, best first."""


@dataclass(frozen=True)
class SystemMetrics:
    """Measures of one system's rankings of Q queries.

    Attributes:
        values: (Q, M) values of M measures.
        best_ranks: (Q,) rank of the best-ranked relevant document, 0 if none is ranked.
    """

    values: DoubleArray
    best_ranks: IntArray


def parse_measures(names: Iterable[str]) -> list[Any]:
    """Return the ir-measures objects for these names.

    Raises:
        LensError: If a measure is unknown or cannot be computed.
    """
    return [_parse(name) for name in names]


def measure(names: Sequence[str], qrels: Qrels, rankings: Rankings) -> SystemMetrics:
    """Measure the rankings of one system for the queries of `qrels`, in their order.

    A query without a ranking scores 0.

    Raises:
        LensError: If a measure is unknown or cannot be computed.
    """
    ordered = {q: rankings.get(q, ()) for q in qrels}
    values = measure_rankings(parse_measures(names), qrels, ordered)
    return SystemMetrics(
        values,
        np.array([_best_rank(qrels[q], ranked) for q, ranked in ordered.items()], dtype=np.int64),
    )


def measure_rankings(measures: Sequence[Any], qrels: Qrels, rankings: Rankings) -> DoubleArray:
    """Return (Q, M) values of M measures for the Q queries of `rankings`, in their order."""
    # ir-measures sorts by score; negative ranks keep the order that is shown, also for equal scores
    run = {q: {d: -float(n) for n, d in enumerate(ids)} for q, ids in rankings.items()}
    row, column = {q: i for i, q in enumerate(rankings)}, {m: j for j, m in enumerate(measures)}
    values = np.zeros((len(rankings), len(measures)))
    with _TREC_EVAL_LOCK:
        for metric in ir_measures.iter_calc(
            list(measures), {q: dict(qrels[q]) for q in rankings}, run
        ):
            values[row[metric.query_id], column[metric.measure]] = metric.value
    return values


def _best_rank(judged: Mapping[str, int], ranked: Sequence[str]) -> int:
    return next((n for n, d in enumerate(ranked, start=1) if is_relevant(judged.get(d, 0))), 0)


def _parse(name: str) -> Any:
    try:
        parsed = ir_measures.parse_measure(name)
        with _TREC_EVAL_LOCK:
            # some measures parse but cannot be computed
            list(ir_measures.iter_calc([parsed], {"q": {"d": 1}}, {"q": {"d": 1.0}}))
        return parsed
    except Exception:  # each provider raises errors of its own types
        raise LensError(
            f"measure {name!r} is unknown; write it as ir-measures does, for example nDCG@10, "
            "R@100, RR@10, AP"
        ) from None
