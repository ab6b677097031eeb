"""Outcomes: what an adapter, or the base alone, does to the best relevant document of a query."""

from __future__ import annotations

from typing import Literal

from imrnns_core.config import MEASURES
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.statistics.measures import measure
from imrnns_core.types import relevant_ids

NDCG = MEASURES[0]
Outcome = Literal[
    "rescued",
    "broken",
    "improved",
    "worsened",
    "unchanged",
    "found",
    "ranked too low",
    "not retrieved",
]


def outcome_of(base_rank: int, modulated_rank: int, change: float, top_k: int) -> Outcome:
    """Return the outcome of a query.

    Args:
        base_rank: Rank of the best relevant document in the base ranking, 0 if it has none.
        modulated_rank: The same in the modulated ranking.
        change: Modulated − base nDCG@10.
        top_k: A ranking fails if no relevant document is in its top `top_k`.
    """
    # if only candidates are ranked, both rankings have the same documents; if an adapter ranks the
    # whole corpus, one of them can have a relevant document that the other lacks
    if base_rank == modulated_rank == 0:
        return "not retrieved"
    base_succeeds, modulated_succeeds = 1 <= base_rank <= top_k, 1 <= modulated_rank <= top_k
    if modulated_succeeds and not base_succeeds:
        return "rescued"
    if base_succeeds and not modulated_succeeds:
        return "broken"
    if not modulated_succeeds:
        return "ranked too low"
    # smaller changes come from rounding in sums
    return "improved" if change > 1e-9 else "worsened" if change < -1e-9 else "unchanged"


def base_outcome(base_rank: int, top_k: int) -> Outcome:
    """Return the outcome of a query without an adapter; the arguments are those of `outcome_of`."""
    if base_rank == 0:
        return "not retrieved"
    return "found" if base_rank <= top_k else "ranked too low"


def comparison_outcome(comparison: Comparison, top_k: int) -> Outcome | None:
    """Return the outcome of one query, None if no document is judged relevant.

    Args:
        comparison: The query, ranked with an adapter or by the base alone.
        top_k: As in `outcome_of`.
    """
    if not relevant_ids(comparison.judgments):
        return None
    systems = [
        measure(
            (NDCG,),
            {"q": comparison.judgments},
            {"q": [hit.document_id for hit in comparison.ranking(stage, comparison.candidates)]},
        )
        for stage in ("base", comparison.final)
    ]
    base, final = (int(system.best_ranks[0]) for system in systems)
    if comparison.final == "base":
        return base_outcome(base, top_k)
    change = systems[1].values[0, 0] - systems[0].values[0, 0]
    return outcome_of(base, final, float(change), top_k)
