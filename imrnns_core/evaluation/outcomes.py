"""What became of a query: the names of outcomes, and how they are decided."""

from __future__ import annotations

from typing import Literal

Bucket = Literal[
    "rescued",
    "broken",
    "improved",
    "worsened",
    "unchanged",
    "failing in ranking",
    "failing in the pool",
]


def bucket(base_rank: int, modulated_rank: int, delta: float, top_k: int) -> Bucket:
    """Name what an adapter did to a query.

    Args:
        base_rank: Rank of the best relevant candidate in the base ranking, 0 if no candidate is
            relevant.
        modulated_rank: The same in the modulated ranking.
        delta: Modulated − base nDCG@10.
        top_k: A ranking fails if no relevant document is among its first `top_k`.
    """
    if base_rank == 0:
        return "failing in the pool"
    base_found, modulated_found = base_rank <= top_k, modulated_rank <= top_k
    if modulated_found and not base_found:
        return "rescued"
    if base_found and not modulated_found:
        return "broken"
    if not modulated_found:
        return "failing in ranking"
    return "improved" if delta > 1e-9 else "worsened" if delta < -1e-9 else "unchanged"
