"""Measures of rankings, computed by ir-measures."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import ir_measures
import numpy as np

from imrnns_core.errors import LensError
from imrnns_core.types import DoubleArray, IntArray, Qrels, is_relevant

_TREC_EVAL_LOCK = threading.Lock()
"""trec_eval, which ir-measures calls, keeps its parameters in global variables."""
MAX_CUTOFF = 1_000_000
"""Larger than any ranking; trec_eval reads cut-offs as 32-bit numbers."""
_TRIAL_QRELS = {"q": {"d": 1, "e": 0}}
_TRIAL_RUN = {"q": {"d": 1.0, "e": 0.5}}
Rankings = Mapping[str, Sequence[str]]
"""Query id → document ids, best first."""


@dataclass(frozen=True)
class SystemMetrics:
    """Measures of one system's rankings of Q queries.

    Attributes:
        values: (Q, M) values of M measures.
        best_ranks: (Q,) rank of the best-ranked relevant document, 0 if none is ranked.
        judged: (Q, C) values of the C measures that `judged_measures` returns for these measures.
    """

    values: DoubleArray
    best_ranks: IntArray
    judged: DoubleArray


def parse_measures(names: Iterable[str]) -> list[Any]:
    """Return the ir-measures objects for these names.

    Raises:
        LensError: If a measure is unknown or cannot be computed.
    """
    return [_parse(name) for name in names]


def cutoff_of(name: str) -> int | None:
    """Return the cut-off k of a measure, None if it has none."""
    cutoff: int | None = ir_measures.parse_measure(name).params.get("cutoff")
    return cutoff


def judged_measures(names: Sequence[str]) -> tuple[str, ...]:
    """Return Judged@k, the share of the top k that is judged, for each cut-off k of measures."""
    cutoffs = dict.fromkeys(cutoff_of(name) for name in names)
    return tuple(f"Judged@{cutoff}" for cutoff in cutoffs if cutoff is not None)


def measure(names: Sequence[str], qrels: Qrels, rankings: Rankings) -> SystemMetrics:
    """Measure the rankings of one system for the queries of `qrels`, in their order.

    A query without a ranking scores 0.

    Raises:
        LensError: If a measure is unknown or cannot be computed.
    """
    ordered = {q: rankings.get(q, ()) for q in qrels}
    measures = parse_measures(names)
    measures += parse_measures(judged_measures(names))
    values = measure_rankings(measures, qrels, ordered)
    return SystemMetrics(
        values[:, : len(names)],
        np.array([_best_rank(qrels[q], ranked) for q, ranked in ordered.items()], dtype=np.int64),
        values[:, len(names) :],
    )


def measure_rankings(measures: Sequence[Any], qrels: Qrels, rankings: Rankings) -> DoubleArray:
    """Return (Q, M) values of M measures for the Q queries of `rankings`, in their order.

    An empty ranking scores 0.

    Raises:
        LensError: If a measure cannot be computed for these queries.
    """
    # most of the time of nDCG@10 of 100 documents would go into the 90 that it ignores
    depth = _depth(measures)
    # ir-measures sorts by score; negative ranks keep the order that is shown, also for equal scores
    # Judged@k divides by the length of a ranking, so ir-measures gets no empty one
    run = {
        q: {d: -float(n) for n, d in enumerate(islice(ids, depth))}
        for q, ids in rankings.items()
        if ids
    }
    row = {q: i for i, q in enumerate(rankings)}
    values: dict[Any, DoubleArray] = {m: np.zeros(len(rankings)) for m in measures}
    # the hash of a measure takes longer than its value: look up each object once, and keep it
    columns = dict[int, tuple[Any, DoubleArray]]()
    judged = {q: dict(qrels[q]) for q in rankings}
    with _TREC_EVAL_LOCK:
        try:
            for metric in ir_measures.iter_calc(list(values), judged, run):
                own = metric.measure
                if id(own) not in columns:
                    columns[id(own)] = own, values[own]
                columns[id(own)][1][row[metric.query_id]] = metric.value
        except Exception as error:  # each provider raises errors of its own types
            raise LensError(
                f"ir-measures cannot compute {', '.join(map(str, values))} for these queries: "
                f"{_reason(error)}"
            ) from None
    # two names of one measure, such as AP and MAP, share its values
    return np.stack([values[m] for m in measures], axis=1)


def _depth(measures: Sequence[Any]) -> int | None:
    """Return the number of top documents on which measures depend; None for all."""
    depth = 0
    for each in measures:
        cutoff = each.params.get("cutoff")
        # with `judged_only`, trec_eval first removes the unjudged documents
        if cutoff is None or each.params.get("judged_only"):
            return None
        depth = max(depth, cutoff)
    return depth


def _best_rank(judged: Mapping[str, int], ranked: Sequence[str]) -> int:
    return next((n for n, d in enumerate(ranked, start=1) if is_relevant(judged.get(d, 0))), 0)


@cache
def _parse(name: str) -> Any:
    try:
        parsed = ir_measures.parse_measure(name)
    except Exception:  # the parser raises errors of several types
        raise LensError(
            f"measure {name!r} is unknown; write it as ir-measures does, for example nDCG@10, "
            "R@100, RR@10, AP"
        ) from None
    cutoff = parsed.params.get("cutoff", 1)
    if not 1 <= cutoff <= MAX_CUTOFF:  # trec_eval ends the process for other cut-offs
        raise LensError(f"measure {name!r}: the cut-off must be 1 to {MAX_CUTOFF}")
    try:
        with _TREC_EVAL_LOCK:
            # some measures have a name, but no installed provider computes them
            list(ir_measures.iter_calc([parsed], _TRIAL_QRELS, _TRIAL_RUN))
    except Exception as error:  # each provider raises errors of its own types
        raise LensError(
            f"measure {name!r} exists, but cannot be computed here: {_reason(error)}"
        ) from None
    return parsed


def _reason(error: Exception) -> str:
    """Return the first line of a provider's error, and the packages that would help."""
    if isinstance(error, subprocess.CalledProcessError):
        return "its program accepts only numbers as query ids"  # gdeval, for ERR and nDCG(dcg=…)
    lines = str(error).splitlines() or [type(error).__name__]
    return " ".join(line.strip(" -") for line in lines)
