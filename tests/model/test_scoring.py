"""Scores of candidates, and scores of a whole corpus in closed form."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.model.corpus_transform import (
    ComputedTransform,
    CorpusTransform,
    transform_corpus,
)
from imrnns_core.model.scoring import refine, score_candidates, score_corpus
from imrnns_core.retrieval.ranker import Ranker
from tests.toys import OUR_NAMES, PlainAdapter, World, random_model, still_model, worlds

S = 0.5**0.5


def score(
    ranker: Ranker,
    rows: np.ndarray,
    queries: np.ndarray | None = None,
    feedback: np.ndarray | None = None,
) -> np.ndarray:
    vectors = ranker.collection.queries.vectors if queries is None else queries
    mask = None if feedback is None else torch.from_numpy(feedback)
    parts = (
        ranker.adapter.model,
        ranker.transform,
        torch.from_numpy(ranker.collection.unit_documents),
        torch.from_numpy(vectors),
        torch.from_numpy(rows),
    )
    return score_candidates(*parts, mask).numpy()


def random_rows(world: World) -> np.ndarray:
    rng = np.random.default_rng(world.seed + 1)
    return np.stack(
        [rng.permutation(world.documents)[: world.candidates] for _ in range(world.queries)]
    )


def test_hand_set_vectors():
    """In two dimensions, LayerNorm keeps only the sign of x₁ − x₂."""
    model, base = still_model(2), torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    scores = score_candidates(
        model,
        transform_corpus(model, base),
        base,
        torch.tensor([[0.6, 0.8], [2.0, 0.0]]),
        torch.tensor([[2, 1, 0], [0, 1, 2]]),
    )
    by_hand = [
        [[0.8, 0.96, 0.6], [0.8, 0.96, 0.6], [0.2 * S, -0.2 * S, -0.2 * S], [1, -1, -1]],
        [[1, 0.8, 0], [1, 0.8, 0], [S, S, -S], [1, 1, -1]],
    ]
    np.testing.assert_allclose(scores.numpy(), by_hand, atol=1e-6)


def test_how_a_document_refines_a_query_depends_only_on_the_document():
    model = random_model(1, 10, 8)
    documents = torch.randn(7, 10, generator=torch.Generator().manual_seed(0))
    corpus = transform_corpus(model, documents)
    scale, bias = model.document_adapter(model.project(documents))
    torch.testing.assert_close(corpus.effect, torch.cat([scale, bias], dim=1))
    torch.testing.assert_close(corpus.projected.norm(dim=1), torch.ones(7))
    part = transform_corpus(model, documents[2:4])
    torch.testing.assert_close(part.projected, corpus.projected[2:4])
    torch.testing.assert_close(part.effect, corpus.effect[2:4])


def test_a_corpus_is_transformed_in_batches(monkeypatch: pytest.MonkeyPatch):
    model, documents = (
        random_model(1, 10, 8),
        torch.randn(7, 10, generator=torch.Generator().manual_seed(0)),
    )
    whole = transform_corpus(model, documents)
    monkeypatch.setattr("imrnns_core.model.corpus_transform.DOCUMENT_BATCH", 3)
    again = transform_corpus(model, documents)
    torch.testing.assert_close(again.projected, whole.projected)
    torch.testing.assert_close(again.effect, whole.effect)


@given(worlds())
def test_what_is_computed_when_needed_equals_what_is_kept(world: World):
    ranker, rows = world.ranker(), torch.from_numpy(random_rows(world))
    stored = ranker.transform
    computed = ComputedTransform(
        ranker.adapter.model, torch.from_numpy(ranker.collection.documents.vectors)
    )
    assert len(computed) == len(stored)
    close = partial(torch.testing.assert_close, atol=1e-5, rtol=1e-4)
    close(computed.documents(rows), stored.documents(rows))
    weights = torch.rand(rows.shape, generator=torch.Generator().manual_seed(0))
    weights /= weights.sum(-1, keepdim=True)
    for own in (None, weights):
        close(computed.mean_effect(rows, own), stored.mean_effect(rows, own))
    close(computed.projected, stored.projected)
    close(computed.effect, stored.effect)
    for (block, projected), (other, expected) in zip(
        computed.blocks(), stored.blocks(), strict=True
    ):
        assert block == other
        close(projected, expected)


def test_a_large_corpus_is_ranked_without_a_stored_transform(
    scifact_ranker: Ranker, monkeypatch: pytest.MonkeyPatch
):
    ids = tuple(scifact_ranker.collection.dataset.qrels("dev"))[:40]
    small = Ranker(scifact_ranker.collection, scifact_ranker.adapter)
    expected = small.with_scope("corpus").rank_queries(ids)
    monkeypatch.setattr("imrnns_core.retrieval.stages.TRANSFORM_BYTES", 1_000_000)
    large = Ranker(scifact_ranker.collection, scifact_ranker.adapter)
    assert isinstance(large.transform, ComputedTransform)
    ranked = large.with_scope("corpus").rank_queries(ids)
    np.testing.assert_allclose(
        np.sort(ranked.score("modulated")), np.sort(expected.score("modulated")), atol=1e-5
    )
    same = [
        len({*a[:10].tolist()} & {*b[:10].tolist()})
        for a, b in zip(
            ranked.ranked_rows("modulated"), expected.ranked_rows("modulated"), strict=True
        )
    ]
    assert np.mean(same) > 9.9


@given(worlds())
def test_scores_follow_the_equations_of_the_method(world: World):
    ranker, rows = world.ranker(), random_rows(world)
    plain = PlainAdapter.of(ranker.adapter.model.state_dict(), OUR_NAMES)
    vectors, documents = ranker.collection.queries.vectors, ranker.collection.documents.vectors
    expected = [plain.scores(q, documents[r]) for q, r in zip(vectors, rows, strict=True)]
    np.testing.assert_allclose(score(ranker, rows), expected, atol=2e-6)


@given(worlds())
def test_scores_are_cosines(world: World):
    scores = score(world.ranker(), random_rows(world))
    assert scores.min() >= -1.0
    assert scores.max() <= 1.0
    assert scores.shape == (world.queries, 4, world.candidates)


@given(worlds(min_documents=2))
def test_the_order_of_the_candidates_changes_no_score(world: World):
    ranker, rows = world.ranker(), random_rows(world)
    order = np.random.default_rng(world.seed).permutation(world.candidates)
    np.testing.assert_allclose(
        score(ranker, rows[:, order]), score(ranker, rows)[:, :, order], atol=1e-6
    )


@given(worlds())
def test_a_batch_equals_one_by_one(world: World):
    ranker, rows = world.ranker(), random_rows(world)
    vectors = ranker.collection.queries.vectors
    singly = [score(ranker, rows[i : i + 1], vectors[i : i + 1])[0] for i in range(world.queries)]
    np.testing.assert_allclose(score(ranker, rows), singly, atol=1e-6)


@given(worlds(), st.floats(0.01, 100))
def test_the_length_of_a_query_changes_no_base_score(world: World, length: float):
    ranker, rows = world.ranker(), random_rows(world)
    scaled = (ranker.collection.queries.vectors * length).astype(np.float32)
    np.testing.assert_allclose(
        score(ranker, rows, scaled)[:, 0], score(ranker, rows)[:, 0], atol=1e-6
    )


@given(worlds(min_documents=2), st.data())
def test_dropping_feedback_documents_equals_a_mean_over_the_rest(world: World, data: st.DataObject):
    ranker, rows = world.ranker(), random_rows(world)
    feedback = np.random.default_rng(world.seed + 2).random(rows.shape) < 0.5
    feedback[:, data.draw(st.integers(0, world.candidates - 1))] = True
    scores = score(ranker, rows, feedback=feedback)
    everyone = score(ranker, rows)
    np.testing.assert_array_equal(
        scores[:, :3], everyone[:, :3]
    )  # the modulation of documents does not change
    plain = PlainAdapter.of(ranker.adapter.model.state_dict(), OUR_NAMES)
    vectors, documents = ranker.collection.queries.vectors, ranker.collection.documents.vectors
    expected = [
        plain.scores(q, documents[r], f)[3] for q, r, f in zip(vectors, rows, feedback, strict=True)
    ]
    np.testing.assert_allclose(scores[:, 3], expected, atol=2e-6)


@given(worlds())
def test_the_closed_form_equals_the_materialised_scores(world: World):
    """See docs/method.md, "The score of a whole corpus in closed form"."""
    ranker = world.ranker()
    model, corpus = ranker.adapter.model, ranker.transform
    every = np.tile(np.arange(world.documents), (world.queries, 1))
    materialised = score(ranker, every)
    with torch.inference_mode():
        query = model.project(torch.from_numpy(ranker.collection.queries.vectors))
        refined = refine(model, corpus, query, torch.from_numpy(every))
    np.testing.assert_allclose(
        score_corpus(model, corpus, query, query).numpy(), materialised[:, 2], atol=2e-6
    )
    np.testing.assert_allclose(
        score_corpus(model, corpus, query, refined).numpy(), materialised[:, 3], atol=2e-6
    )


def test_the_closed_form_on_a_real_corpus(scifact_ranker: Ranker):
    ranker = scifact_ranker
    model, vectors = ranker.adapter.model, torch.from_numpy(ranker.collection.queries.vectors[:4])
    every = torch.arange(len(ranker.collection.documents)).expand(4, -1)
    materialised = score_candidates(
        model, ranker.transform, torch.from_numpy(ranker.collection.unit_documents), vectors, every
    )
    with torch.inference_mode():
        query = model.project(vectors)
        refined = refine(model, ranker.transform, query, every)
    closed = score_corpus(model, ranker.transform, query, refined)
    assert float((closed - materialised[:, 3]).abs().max()) <= 2e-6
    assert torch.equal(closed.topk(20).indices, materialised[:, 3].topk(20).indices)


def test_weights_of_the_feedback_are_a_weighted_mean():
    model = random_model(5, 8, 8)
    effect = torch.rand(3, 16, generator=torch.Generator().manual_seed(1))
    query = torch.nn.functional.normalize(torch.arange(1.0, 9.0)[None], dim=1)
    corpus = CorpusTransform(query.expand(3, -1), effect)
    weights = torch.tensor([[0.25, 0.75]])
    refined = refine(model, corpus, query, torch.tensor([[2, 0]]), weights)
    scale, bias = (0.25 * effect[2:] + 0.75 * effect[:1]).chunk(2, dim=1)
    expected = torch.nn.functional.normalize(model.query_norm(scale * query + bias), dim=1)
    torch.testing.assert_close(refined, expected)
