"""Rankings of a query at the four stages."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.config import SearchConfig
from imrnns_core.data.records import Query
from imrnns_core.errors import AdapterError
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.retrieval.batch import rank
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import blend
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import STAGES
from tests.toys import (
    World,
    adapter,
    collection,
    random_model,
    stage_ranks,
    stage_scores,
    still_model,
    worlds,
)


@pytest.mark.parametrize(
    ("scores", "ties", "expected"),
    [
        ([0.1, 0.9, 0.5], [0, 1, 2], [3, 1, 2]),
        ([0.5, 0.5, 0.5], [7, 2, 4], [3, 1, 2]),  # equal scores rank in the order of ties
        ([0.5, 0.9, 0.5], [9, 1, 3], [3, 1, 2]),
        ([-0.0, 0.0], [5, 4], [2, 1]),
        ([[1, 2], [2, 1]], [3, 4], [[2, 1], [1, 2]]),
    ],
)
def test_rank(scores: list, ties: list[int], expected: list):
    np.testing.assert_array_equal(rank(np.array(scores, np.float32), np.array(ties)), expected)


def test_hand_set_vectors_at_all_stages():
    world = collection([[1, 0], [0.8, 0.6], [0, 1]], [[0.6, 0.8], [1, 0]])
    comparison = Ranker(world, adapter(still_model(2))).compare("q0")
    assert comparison.document_ids == ("d1", "d2", "d0")
    np.testing.assert_array_equal(comparison.rows, [1, 2, 0])
    np.testing.assert_allclose(stage_scores(comparison)[0], [0.96, 0.8, 0.6], atol=1e-6)
    np.testing.assert_allclose(stage_scores(comparison)[3], [-1, 1, -1], atol=1e-6)
    # d0 and d1 have equal modulated scores: they rank by the hash of their ids, not in base order
    np.testing.assert_array_equal(
        stage_ranks(comparison), [[1, 2, 3], [1, 2, 3], [3, 1, 2], [3, 1, 2]]
    )


BY_HASH = ("d0", "d1", "d4", "d2", "d3")
"""Five ids in the order of their SHA-256."""


def test_identical_documents_rank_by_the_hash_of_their_ids_at_every_stage():
    assert sorted(BY_HASH, key=lambda i: hashlib.sha256(i.encode()).hexdigest()) == [*BY_HASH]
    comparison = Ranker(
        collection([[0.6, 0.8]] * 5, [[1, 0]]), adapter(still_model(2)), SearchConfig(5)
    ).compare("q0")
    assert comparison.document_ids == BY_HASH
    np.testing.assert_array_equal(stage_ranks(comparison), [[1, 2, 3, 4, 5]] * 4)


def test_of_identical_documents_the_first_ones_by_hash_are_candidates():
    world = collection([[0, 1]] * 5 + [[1, 0]], [[1, 0.1]] * 30)
    for count in range(1, 6):
        ranker = Ranker(world, adapter(still_model(2)), SearchConfig(count))
        assert ranker.compare("q0").document_ids == ("d5", *BY_HASH)[:count]
        # more than 20 queries: FAISS computes them in another way
        batch = ranker.rank_batch(world.queries.vectors)
        assert (batch.rows == ranker.compare("q0").rows).all()


@pytest.mark.parametrize("candidates", [37, 97])
def test_identical_documents_have_equal_scores_in_a_batch_and_alone(candidates: int):
    """Matrix products round the last columns differently, and a batch unlike a single query."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(size=(1, 384)), candidates, axis=0)
    ranker = Ranker(
        collection(vectors, rng.normal(size=(20, 384))),
        adapter(random_model(0, 384, 384)),
        SearchConfig(candidates),
    )
    batch = ranker.rank_batch(ranker.collection.queries.vectors)
    np.testing.assert_array_equal(
        batch.scores, np.broadcast_to(batch.scores[..., :1], batch.scores.shape)
    )
    for i in range(20):
        np.testing.assert_array_equal(stage_ranks(ranker.compare(f"q{i}")), batch.ranks[i])
    alone = ranker.compare("q0")
    last = {i: ranker.corpus_ranks(alone, i) for i in alone.document_ids}
    assert [last[i]["modulated"] for i in alone.document_ids] == [*range(1, candidates + 1)]


def test_the_number_of_candidates_is_configurable():
    world = collection([[1, 0], [0.8, 0.6], [0, 1]], [[0.6, 0.8]])
    assert Ranker(world, adapter(still_model(2)), SearchConfig(2)).compare("q0").document_ids == (
        "d1",
        "d2",
    )
    assert SearchConfig().candidates == 100


def test_a_typed_query_ranks_as_the_same_known_query_but_has_no_judgments():
    world = collection([[1, 0], [0.8, 0.6], [0, 1]], [[0.6, 0.8]], {"q0": {"d1": 1}})
    ranker = Ranker(world, adapter(still_model(2)))
    typed, stored = (
        ranker.compare(Query("", "question 0"), vector=world.query_vectors(["q0"])[0]),
        ranker.compare("q0"),
    )
    np.testing.assert_array_equal(stage_scores(typed), stage_scores(stored))
    assert (typed.judgments, stored.judgments) == ({}, {"d1": 1})


@given(worlds())
def test_scores_of_a_comparison_are_those_of_its_vectors(world: World):
    """The scores that are shown equal the cosines of the vectors that are shown."""
    comparison = world.ranker().compare("q0")
    vectors = comparison.modulation
    query = [
        vectors.query,
        vectors.projected_query,
        vectors.projected_query,
        vectors.modulated_query,
    ]
    documents = [
        vectors.documents,
        vectors.projected_documents,
        vectors.modulated_documents,
        vectors.modulated_documents,
    ]
    for s in range(4):
        np.testing.assert_allclose(
            stage_scores(comparison)[s],
            (documents[s] @ query[s]).numpy(),
            atol=1e-6,
            err_msg=STAGES[s],
        )
        np.testing.assert_array_equal(
            stage_ranks(comparison)[s], rank(stage_scores(comparison)[s], comparison.ties)
        )
    assert (np.diff(stage_scores(comparison)[0]) <= 0).all()


@given(worlds(min_documents=2))
def test_the_order_of_the_corpus_changes_no_score(world: World):
    ranker = world.ranker()
    documents, queries = ranker.collection.documents.vectors, ranker.collection.queries.vectors
    order = np.random.default_rng(world.seed + 3).permutation(world.documents)
    shuffled = Ranker(collection(documents[order], queries), ranker.adapter, ranker.config).compare(
        "q0"
    )
    comparison = ranker.compare("q0")
    scores = {
        int(row): column
        for row, column in zip(comparison.rows, stage_scores(comparison).T, strict=True)
    }
    for row, column in zip(shuffled.rows, stage_scores(shuffled).T, strict=True):
        np.testing.assert_allclose(column, scores[int(order[row])], atol=1e-6)


@given(worlds())
def test_a_batch_ranks_as_single_queries_do(world: World):
    ranker = world.ranker()
    batch = ranker.rank_batch(ranker.collection.queries.vectors)
    for i in range(world.queries):
        comparison = ranker.compare(f"q{i}")
        np.testing.assert_array_equal(batch.rows[i], comparison.rows)
        np.testing.assert_allclose(batch.scores[i], stage_scores(comparison), atol=1e-6)


@given(worlds(min_documents=2))
def test_the_four_stages_equal_what_evaluate_ranked(world: World):
    ranker = world.ranker()
    evaluation = evaluate(ranker, "test")
    for i, query_id in enumerate(evaluation.query_ids):
        comparison = ranker.compare(query_id)
        for stage in STAGES:
            np.testing.assert_array_equal(
                evaluation.batch.ranked_rows(stage)[i], comparison.rows[comparison.order(stage)]
            )


def test_the_four_stages_equal_what_evaluate_ranked_on_real_data(scifact_ranker: Ranker):
    evaluation = evaluate(scifact_ranker, "dev")
    for i in range(0, 170, 17):
        comparison = scifact_ranker.compare(evaluation.query_ids[i])
        for s, stage in enumerate(STAGES):
            rows = evaluation.batch.ranked_rows(stage)[i]
            np.testing.assert_array_equal(rows, comparison.rows[comparison.order(stage)])
            np.testing.assert_allclose(
                evaluation.batch.scores[i, s], stage_scores(comparison)[s], atol=1e-6
            )


@given(worlds(min_documents=2), st.data())
def test_excluded_candidates_stay_ranked_but_do_not_refine(world: World, data: st.DataObject):
    ranker = world.ranker()
    comparison = ranker.compare("q0")
    dropped = data.draw(
        st.sets(st.sampled_from(comparison.document_ids), max_size=world.candidates - 1)
    )
    without = ranker.compare("q0", frozenset(dropped))
    assert without.document_ids == comparison.document_ids
    np.testing.assert_array_equal(
        without.feedback, [d not in dropped for d in comparison.document_ids]
    )
    np.testing.assert_allclose(stage_scores(without)[:3], stage_scores(comparison)[:3], atol=1e-6)
    # a collection of only the feedback documents refines the query in the same way
    feedback = np.array([i for i, d in enumerate(comparison.document_ids) if d not in dropped])
    vectors = ranker.collection.documents.vectors[comparison.rows[feedback]]
    alone = Ranker(collection(vectors, ranker.collection.queries.vectors), ranker.adapter).compare(
        "q0"
    )
    np.testing.assert_allclose(
        alone.modulation.modulated_query, without.modulation.modulated_query, atol=1e-6
    )
    np.testing.assert_allclose(
        stage_scores(without)[3, feedback][alone.rows], stage_scores(alone)[3], atol=1e-6
    )


def test_at_least_one_candidate_must_refine():
    ranker = Ranker(collection([[1, 0], [0, 1]], [[1, 0]]), adapter(still_model(2)))
    with pytest.raises(ValueError, match="at least one candidate must refine the query"):
        ranker.compare("q0", frozenset({"d0", "d1"}))


@given(worlds())
def test_blending_ends_at_base_and_at_modulated(world: World):
    comparison = world.ranker().compare("q0")
    for alpha, stage in ((0.0, 0), (1.0, 3)):
        scores, ranks = blend(comparison, alpha)
        np.testing.assert_array_equal(scores, stage_scores(comparison)[stage])
        np.testing.assert_array_equal(ranks, stage_ranks(comparison)[stage])


def test_a_blend_between_base_and_modulated():
    world = collection([[1, 0], [0.8, 0.6], [0, 1]], [[0.6, 0.8]])
    scores, ranks = blend(Ranker(world, adapter(still_model(2))).compare("q0"), 0.25)
    np.testing.assert_allclose(
        scores, [0.75 * 0.96 - 0.25, 0.75 * 0.8 + 0.25, 0.75 * 0.6 - 0.25], atol=1e-6
    )
    np.testing.assert_array_equal(ranks, [2, 1, 3])


@given(worlds())
def test_ranks_in_the_corpus_are_ranks_among_candidates_when_all_are(world: World):
    ranker = Ranker(
        world.ranker().collection, world.ranker().adapter, SearchConfig(world.documents)
    )
    comparison = ranker.compare("q0")
    for i, document_id in enumerate(comparison.document_ids):
        expected = dict(zip(STAGES, stage_ranks(comparison)[:, i].tolist(), strict=True))
        assert ranker.corpus_ranks(comparison, document_id) == expected


def test_ranks_in_the_corpus_of_a_document_that_is_no_candidate():
    world = collection([[1, 0], [0.8, 0.6], [0.9, 0.1], [-1, 0]], [[0.6, 0.8]])
    ranker = Ranker(world, adapter(still_model(2)), SearchConfig(1))
    comparison = ranker.compare("q0")
    assert comparison.document_ids == ("d1",)
    # base: −0.6, the last; modulated: only d3 is on the query's side of x₁ = x₂
    assert ranker.corpus_ranks(comparison, "d3") == {
        "base": 4,
        "projected": 4,
        "document-modulated": 1,
        "modulated": 1,
    }


def test_sample_queries_rank_the_same_in_a_batch_and_alone(sample: Collection):
    from imrnns_core.storage.workspace import Workspace

    ranker = Ranker(sample, Workspace().adapter("sample-adapter"))
    batch = ranker.rank_batch(sample.queries.vectors[:40])
    for i in range(0, 40, 8):
        comparison = ranker.compare(sample.queries.ids[i])
        np.testing.assert_array_equal(batch.rows[i], comparison.rows)
        np.testing.assert_array_equal(batch.ranks[i], stage_ranks(comparison))


@pytest.mark.parametrize("part", ["projector.weight", "query_norm.weight", "document_norm.weight"])
def test_an_adapter_that_gives_nan_scores_is_refused(part: str):
    model = random_model(0, 8, 8)
    model.load_state_dict(
        {**model.state_dict(), part: torch.full_like(model.state_dict()[part], 3e38)}
    )
    ranker = Ranker(collection(np.eye(8)[:3] + 0.1, np.eye(8)[3:5] + 0.2), adapter(model))
    with pytest.raises(
        AdapterError,
        match=(
            r"^toy: this adapter gives scores that are not numbers \(NaN\) for these embeddings; "
            r"train it again"
        ),
    ):
        ranker.compare("q0")
    with pytest.raises(AdapterError, match=r"^toy: this adapter gives scores that are not numbers"):
        ranker.rank_batch(ranker.collection.queries.vectors)
