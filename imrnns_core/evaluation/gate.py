"""Queries that succeeded in an earlier evaluation and fail now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imrnns_core.errors import LensError
from imrnns_core.evaluation.evaluate import Evaluation
from imrnns_core.retrieval.batch import NO_ROW, RankedBatch
from imrnns_core.types import Stage, relevant_ids

MARGIN = 0.002
"""A relevant document must be this far below the last document of the top k, in score.

Vectors in float16, threads and batch sizes move a score by less, so they raise no alarm.
"""


@dataclass(frozen=True)
class NewFailure:
    """A query that fails now, and did not before.

    Attributes:
        query_id: The query.
        stage: The first stage of the ranking that lost its relevant documents.
        before: Rank of the best relevant document at this stage in the earlier evaluation.
        now: Its rank now; 0 if no relevant document is ranked.
    """

    query_id: str
    stage: Stage
    before: int
    now: int


def new_failures(
    evaluation: Evaluation, earlier: Mapping[str, Any], row: Mapping[str, int]
) -> list[NewFailure]:
    """Return the queries that have a relevant document in the earlier top k, and none now.

    Args:
        evaluation: The evaluation of now.
        earlier: The record of an earlier one, as `imrnns-lens evaluate --json` writes it.
        row: Document id → its corpus row.

    Raises:
        LensError: If the record is no evaluation of the same data set and split.
    """
    k = _top_k(evaluation, earlier)
    before = {own["query_id"]: own["best_relevant_rank"] for own in earlier["queries"]}
    failures = []
    for i, query_id in enumerate(evaluation.query_ids):
        for stage in ("base", evaluation.final):
            rank = before.get(query_id, {}).get(stage) or 0
            relevant = [row[d] for d in relevant_ids(evaluation.qrels[query_id]) if d in row]
            if 1 <= rank <= k and _fails(evaluation.batch, i, stage, relevant, k):
                now = int(evaluation.best_rank(stage)[i])
                failures.append(NewFailure(query_id, stage, rank, now))
                break
    return failures


def lost_queries(evaluation: Evaluation, earlier: Mapping[str, Any]) -> list[str]:
    """Return the ids of the queries of the earlier evaluation that are not measured now."""
    measured = set(evaluation.query_ids)
    return [own["query_id"] for own in earlier["queries"] if own["query_id"] not in measured]


def _top_k(evaluation: Evaluation, earlier: Mapping[str, Any]) -> int:
    """Return the k of an earlier record, which must fit the evaluation."""
    fitting = {"dataset": evaluation.dataset, "split": evaluation.split}
    found = {name: earlier.get(name) for name in fitting}
    k = earlier.get("top_k")
    if found != fitting or not _are_queries(earlier.get("queries")) or not isinstance(k, int):
        raise LensError(
            f"the baseline is an evaluation of {found['dataset']} ({found['split']}), not of "
            f"{evaluation.dataset} ({evaluation.split}); write one with: imrnns-lens evaluate "
            f"{evaluation.dataset} --split {evaluation.split} --json FILE"
        )
    return k


def _are_queries(value: Any) -> bool:
    """Return whether a value is a list of queries with their ranks."""
    return isinstance(value, list) and all(
        isinstance(own, dict)
        and isinstance(own.get("query_id"), str)
        and isinstance(own.get("best_relevant_rank"), dict)
        and all(isinstance(rank, int | None) for rank in own["best_relevant_rank"].values())
        for own in value
    )


def _fails(batch: RankedBatch, i: int, stage: Stage, relevant: Sequence[int], k: int) -> bool:
    """Return whether the relevant documents of query i are clearly below the top k."""
    scores = batch.score(stage)[i]
    ordered = np.sort(scores[batch.rows[i] != NO_ROW])[::-1]
    if not len(ordered):
        return True
    best = scores[np.isin(batch.rows[i], relevant)].max(initial=-np.inf)
    return bool(best < ordered[min(k, len(ordered)) - 1] - MARGIN)
