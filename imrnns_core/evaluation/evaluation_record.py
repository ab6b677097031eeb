"""The record of an evaluation, as `imrnns-lens evaluate --json` writes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from imrnns_core.evaluation.outcomes import Outcome
from imrnns_core.retrieval.batch import RankedBatch
from imrnns_core.statistics.significance import significance_records

if TYPE_CHECKING:
    from imrnns_core.evaluation.evaluate import Evaluation
    from imrnns_core.evaluation.seen import Group


def evaluation_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return all figures of an evaluation, those of each group, and those of each query.

    Without an adapter, the figures about a change are None.
    """
    groups = {
        name: {
            "n": int(mask.sum()),
            **evaluation.means(mask),
            "judged": evaluation.judged_means(mask),
            "significance": _significance(evaluation, name),
        }
        for name, mask in evaluation.group_masks().items()
    }
    optional = {
        name: None if value is None else asdict(value)
        for name, value in (
            ("ndcg_range", evaluation.ndcg_range),
            ("left_out", evaluation.left_out),
            ("shares", evaluation.shares),
        )
    }
    optional["gain"] = None if evaluation.gain is None else evaluation.gain.to_json()
    return {
        "dataset": evaluation.dataset,
        "split": evaluation.split,
        "adapter": evaluation.adapter,
        "run": evaluation.run,
        "n_queries": len(evaluation.query_ids),
        "without_relevant": list(evaluation.without_relevant),
        "top_k": evaluation.top_k,
        **_scope(evaluation.batch),
        "measures": evaluation.means(),
        "judged": evaluation.judged_means(),
        **optional,
        "groups": groups or None,
        "significance": _significance(evaluation),
        "queries": [
            _query(evaluation, i, outcome) for i, outcome in enumerate(evaluation.outcomes())
        ],
    }


def _scope(batch: RankedBatch) -> dict[str, Any]:
    """Return what the adapter ranked, and for how many queries the top k of the corpus is sure."""
    scope = "candidates" if batch.candidates is None else "corpus"
    return {"scope": scope, "certainty": dict(batch.proofs) or None}


def _significance(evaluation: Evaluation, group: Group | None = None) -> dict[str, Any] | None:
    return significance_records(evaluation.tests(group)) if evaluation.has_adapter else None


def _query(evaluation: Evaluation, i: int, outcome: Outcome) -> dict[str, Any]:
    systems, certainty = evaluation.systems, evaluation.batch.certainty
    return {
        "query_id": evaluation.query_ids[i],
        "group": None if evaluation.groups is None else str(evaluation.groups[i]),
        **{
            name: dict(zip(evaluation.measures, system.values[i].tolist(), strict=True))
            for name, system in systems.items()
        },
        "best_relevant_rank": {
            name: int(system.best_ranks[i]) or None for name, system in systems.items()
        },
        "outcome": outcome,
        "certainty": certainty[i].to_json() if certainty else None,
    }
