"""Fused rankings, on scores whose order is obvious."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.retrieval.fusion import (
    ScoredRows,
    ScorePair,
    min_max_pair,
    reciprocal_rank_fusion,
)


def scored(scores: dict[int, float]) -> ScoredRows:
    return ScoredRows(np.array(list(scores), np.int64), np.array(list(scores.values()), np.float32))


TIES = np.arange(30)
DENSE = scored({7: 0.9, 3: 0.7, 5: 0.5})
LEXICAL = scored({5: 12.0, 9: 8.0, 7: 4.0})


def test_scores_are_scaled_and_a_missing_document_gets_the_minimum():
    pair = min_max_pair(DENSE, LEXICAL)
    assert pair.rows.tolist() == [3, 5, 7, 9]
    np.testing.assert_allclose(pair.first, [0.5, 0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(pair.second, [0, 1, 0, 0.5], atol=1e-6)


def test_the_weight_moves_from_the_first_to_the_second_ranking():
    pair = min_max_pair(DENSE, LEXICAL)
    assert pair.rank(0, 3, TIES).tolist() == [7, 3, 5]
    assert pair.rank(1, 3, TIES).tolist() == [5, 9, 3]
    # .7 · (.5, 0, 1, 0) + .3 · (0, 1, 0, .5)
    assert pair.rank(0.3, 4, TIES).tolist() == [7, 3, 5, 9]
    assert pair.rank(0.5, 1, TIES).tolist() == [5]  # equal to document 7, and lower in tie rank


def test_a_ranking_without_documents_and_one_of_equal_scores():
    nothing = scored({})
    assert min_max_pair(DENSE, nothing).rank(0.5, 9, TIES).tolist() == [7, 3, 5]
    # equal scores stay above documents that the ranking lacks
    assert min_max_pair(scored({}), scored({4: 2.0, 2: 2.0})).second.tolist() == [1, 1]
    assert min_max_pair(nothing, nothing).rank(0.5, 9, TIES).tolist() == []


def test_reciprocal_ranks_add_up():
    rankings = [np.array([7, 3, 5]), np.array([5, 9, 7])]
    # 7: 1/61 + 1/63, 5: 1/63 + 1/61, 3: 1/62, 9: 1/62
    fused = reciprocal_rank_fusion(rankings, 4, TIES)
    assert fused.rows.tolist() == [5, 7, 3, 9]
    sums = [1 / 61 + 1 / 63, 1 / 61 + 1 / 63, 1 / 62, 1 / 62]
    np.testing.assert_allclose(fused.scores, sums, rtol=1e-6)
    two = [np.array([1, 2, 3]), np.array([4, 2, 3])]
    assert reciprocal_rank_fusion(two, 2, TIES).rows.tolist() == [2, 3]


def test_equal_scores_follow_the_tie_ranks_and_not_the_corpus():
    rankings, ties = [np.array([7, 3, 5]), np.array([5, 9, 7])], TIES[::-1].copy()
    assert reciprocal_rank_fusion(rankings, 4, ties).rows.tolist() == [7, 5, 9, 3]
    assert min_max_pair(DENSE, LEXICAL).rank(0.5, 2, ties).tolist() == [7, 5]


@given(st.integers(0, 2**31), st.floats(0, 1))
def test_the_order_of_the_documents_changes_nothing(seed: int, weight: float):
    rng = np.random.default_rng(seed)
    rows = rng.permutation(30)[:20]
    scores = rng.normal(size=20).astype(np.float32)
    shuffled = rng.permutation(20)
    other = ScoredRows(rng.permutation(30)[:20], rng.normal(size=20).astype(np.float32))
    one = min_max_pair(ScoredRows(rows, scores), other).rank(weight, 30, TIES)
    two = min_max_pair(ScoredRows(rows[shuffled], scores[shuffled]), other).rank(weight, 30, TIES)
    np.testing.assert_array_equal(one, two)


def test_a_pair_without_scaling_mixes_the_scores_themselves():
    pair = ScorePair(np.array([0, 1]), np.array([0.6, 0.5]), np.array([0.1, 0.3]))
    assert [pair.rank(w, 1, TIES).tolist() for w in (0.3, 0.4)] == [[0], [1]]  # equal at 1/3
