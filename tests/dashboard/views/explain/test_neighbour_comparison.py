from __future__ import annotations

from dashboard.views.explain.neighbour_comparison import others


def test_rank_1_is_compared_first_and_the_document_just_above_is_a_choice() -> None:
    assert others(63, 100) == {"Rank 1": 1, "Just above (rank 62)": 62}
    assert others(2, 100) == {"Rank 1": 1}
    assert others(1, 100) == {"Rank 2": 2}
    assert others(1, 1) == {}
