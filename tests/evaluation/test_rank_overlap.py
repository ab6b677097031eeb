"""Rank-biased overlap by hand, and by its definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.errors import DataError
from imrnns_core.evaluation.rank_overlap import (
    lowest_rank_biased_overlap,
    measure_overlap,
    rank_biased_overlap,
    unjudged_queries,
)
from imrnns_core.retrieval.ranker import Ranker
from tests.toys import adapter, collection, still_model


def by_definition(ranks: list[int], others: list[int], p: float) -> float:
    """Sum over depths as the paper writes it, with sets of documents."""
    depth = len(ranks)
    total = 0.0
    for d in range(1, depth + 1):
        both = {i for i in range(depth) if ranks[i] <= d} & {
            i for i in range(depth) if others[i] <= d
        }
        total += p**d * len(both) / d
    return (1 - p) / p * total + p**depth


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([1, 2], 1.0),
        ([2, 1], 0.9),  # nothing in common at depth 1, which weighs 1 − p
    ],
)
def test_two_documents(others: list[int], expected: float):
    assert rank_biased_overlap(np.array([1, 2]), np.array(others)) == pytest.approx(expected)


def test_a_change_on_top_weighs_more_than_one_below():
    ranks = np.arange(1, 101)
    top, below = ranks.copy(), ranks.copy()
    top[[0, 1]], below[[50, 51]] = top[[1, 0]], below[[51, 50]]
    assert rank_biased_overlap(ranks, top) == pytest.approx(0.9)
    assert 0.9999 < rank_biased_overlap(ranks, below) < 1


@given(st.permutations(range(1, 9)), st.permutations(range(1, 9)), st.floats(0.1, 0.95))
def test_the_definition(ranks: list[int], others: list[int], p: float):
    value = rank_biased_overlap(np.array(ranks), np.array(others), p)
    assert value == pytest.approx(by_definition(ranks, others, p))
    assert value == pytest.approx(rank_biased_overlap(np.array(others), np.array(ranks), p))
    assert 0 < value <= 1 + 1e-12


@pytest.mark.parametrize("depth", range(1, 7))
@pytest.mark.parametrize("p", [0.1, 0.9, 0.99])
def test_the_lowest_overlap_is_the_lowest_of_all_permutations(depth: int, p: float):
    ranks = np.arange(1, depth + 1)
    every = [rank_biased_overlap(ranks, np.array(o), p) for o in itertools.permutations(ranks)]
    assert lowest_rank_biased_overlap(depth, p) == pytest.approx(min(every))


def test_the_lowest_overlap_depends_on_the_depth():
    values = {depth: lowest_rank_biased_overlap(depth) for depth in (1, 5, 10, 100)}
    assert values == pytest.approx({1: 1, 5: 0.737775, 10: 0.511608, 100: 0.00154}, abs=1e-6)


def test_identical_rankings_overlap_fully_and_a_batch_equals_each():
    ranks = np.stack([np.random.default_rng(s).permutation(100) + 1 for s in range(3)])
    np.testing.assert_allclose(rank_biased_overlap(ranks, ranks), 1.0)
    np.testing.assert_allclose(
        rank_biased_overlap(ranks, ranks[::-1])[0], rank_biased_overlap(ranks[0], ranks[2])
    )


DOCUMENTS = [[1, 0], [0.8, 0.6], [0, 1]]


def test_queries_without_judgments_are_found_and_measured():
    world = collection(DOCUMENTS, [[0.6, 0.8], [1, 0], [0, 1]], {"q1": {"d0": 0}})
    assert unjudged_queries(world.dataset) == ("q0", "q2")
    result = measure_overlap(Ranker(world, adapter(still_model(2))), ("q0", "q2"), top_k=1)
    assert result.top_k_overlap.tolist() == [0, 1]
    assert result.top_documents.tolist() == [[1, 2], [2, 2]]
    assert result.top_document_changed == 0.5
    # three documents: the shared ones at depths 1, 2, 3 are at least 0, 1, 3
    assert result.lowest_rbo == pytest.approx(0.1 / 0.9 * (0.81 / 2 + 0.729) + 0.729)
    assert result.depth == 3
    assert result.shares.constant == pytest.approx(1, abs=1e-5)


def test_without_unjudged_queries_there_is_an_error():
    world = collection(DOCUMENTS, [[1, 0]], {"q0": {"d0": 1}}, split="dev")
    with pytest.raises(
        DataError,
        match=(
            r"queries\.jsonl: every query has judgments; name a judged split with --split: dev$"
        ),
    ):
        unjudged_queries(world.dataset)
    with pytest.raises(DataError, match=r"queries\.jsonl: there are no queries; add queries$"):
        unjudged_queries(collection(DOCUMENTS, qrels=None).dataset)
