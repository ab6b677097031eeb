"""What became of a query: the names of outcomes, and how they are decided."""

from __future__ import annotations

from typing import Literal

Outcome = Literal[
    "rescued",
    "broken",
    "improved",
    "worsened",
    "unchanged",
    "ranked too low",
    "not retrieved",
]


def outcome_of(base_rank: int, modulated_rank: int, change: float, top_k: int) -> Outcome:
    """Name what an adapter did to a query.

    Args:
        base_rank: Rank of the best relevant candidate in the base ranking, 0 if no candidate is
            relevant.
        modulated_rank: The same in the modulated ranking.
        change: Modulated − base nDCG@10.
        top_k: A ranking fails if no relevant document is among its first `top_k`.
    """
    if base_rank == 0:
        return "not retrieved"
    base_found, modulated_found = base_rank <= top_k, modulated_rank <= top_k
    if modulated_found and not base_found:
        return "rescued"
    if base_found and not modulated_found:
        return "broken"
    if not modulated_found:
        return "ranked too low"
    return "improved" if change > 1e-9 else "worsened" if change < -1e-9 else "unchanged"
