"""Which documents a document is compared with."""

from __future__ import annotations

import numpy as np

from dashboard.views.explain.neighbour_comparison import others
from imrnns_core.data.records import Query
from imrnns_core.retrieval.comparison import Comparison, Ranking


def compared(*ranks: int) -> Comparison:
    """Return a base ranking of documents with these ranks."""
    ids = tuple(f"d{i}" for i in range(len(ranks)))
    scores = -np.array(ranks, dtype=np.float32)
    ranking = Ranking("base", ids, scores, np.array(ranks, dtype=np.int64))
    return Comparison(Query("q", "q"), {"base": ranking}, np.arange(len(ranks)))


def test_rank_1_is_compared_first_and_the_document_just_above_is_a_choice() -> None:
    five = compared(3, 1, 5, 2, 4)
    assert others(five, 2) == {"Rank 1": 1, "Just above (rank 4)": 4}
    assert others(five, 3) == {"Rank 1": 1}
    assert others(five, 1) == {"Rank 2": 3}
    assert others(compared(1), 0) == {}


def test_with_ranks_of_the_whole_corpus_the_document_above_is_the_one_listed_above() -> None:
    assert others(compared(1, 407, 90), 1) == {"Rank 1": 0, "Just above (rank 90)": 2}
