"""Measures of rankings, through ir-measures."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ir_measures
import numpy as np

from imrnns_core.errors import LensError
from imrnns_core.types import DoubleArray, IntArray, Qrels, is_relevant

_TREC_EVAL = threading.Lock()
"""trec_eval, behind ir-measures, keeps its parameters in tables of the process.

One thread at a time.
"""
Rankings = Mapping[str, Sequence[str]]
"""Query id → document ids, best first."""


@dataclass(frozen=True)
class SystemMetrics:
    """The rankings of one system.

    `values` (Q, M), and `best_ranks` (Q,), 0 where no relevant document is ranked.
    """

    values: DoubleArray
    best_ranks: IntArray


def parse_measures(names: Iterable[str]) -> list[Any]:
    """Return the measures of these names.

    LensError for one that is unknown or cannot be computed.
    """
    return [_parse(name) for name in names]


def measure(names: Sequence[str], qrels: Qrels, rankings: Rankings) -> SystemMetrics:
    """Measure the rankings of one system, queries in the order of `qrels`.

    One that is not ranked counts 0.
    """
    ordered = {q: rankings.get(q, ()) for q in qrels}
    values = measure_rankings(parse_measures(names), qrels, ordered)
    return SystemMetrics(
        values,
        np.array([_best_rank(qrels[q], ranked) for q, ranked in ordered.items()], dtype=np.int64),
    )


def measure_rankings(measures: Sequence[Any], qrels: Qrels, rankings: Rankings) -> DoubleArray:
    """Return (Q, M) values, queries in the order of `rankings`.

    Rankings are measured as they stand: the scores given to ir-measures are the negative ranks, so
    that its own rule for equal scores never reorders what is shown.
    """
    run = {q: {d: -float(n) for n, d in enumerate(ids)} for q, ids in rankings.items()}
    row, column = {q: i for i, q in enumerate(rankings)}, {m: j for j, m in enumerate(measures)}
    values = np.zeros((len(rankings), len(measures)))
    with _TREC_EVAL:
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
        with _TREC_EVAL:
            list(
                ir_measures.iter_calc([parsed], {"q": {"d": 1}}, {"q": {"d": 1.0}})
            )  # some parse but cannot be computed
        return parsed
    except Exception:  # each provider raises its own
        raise LensError(
            f"measure {name!r} is unknown; write it as ir-measures does, for example nDCG@10, "
            "R@100, RR@10, AP"
        ) from None
