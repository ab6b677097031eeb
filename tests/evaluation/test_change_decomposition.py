"""Scores with some parts of an adapter, and the shares of the score change."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given

from imrnns_core.evaluation.change_decomposition import (
    ChangeDecomposition,
    Part,
    PartScorer,
    decompose_change,
)
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.training.label_free.whitening import identity_adapter
from imrnns_core.types import Stage
from tests.toys import OUR_NAMES, PlainAdapter, World, adapter, collection, still_model, worlds

DOCUMENTS = [[1, 0], [0.8, 0.6], [0, 1]]
QUERIES = [[0.6, 0.8], [1, 0], [0.8, 0.6], [0, 1]]
ALL: set[Part] = {"projector", "constant", "query_specific"}


def shares_of(ranker: Ranker) -> ChangeDecomposition | None:
    queries = ranker.collection.queries.vectors
    return decompose_change(ranker, ranker.rank_batch(queries), torch.from_numpy(queries))


def scorer_of(ranker: Ranker) -> PartScorer:
    queries = ranker.collection.queries.vectors
    return PartScorer(ranker, ranker.rank_batch(queries), torch.from_numpy(queries))


@given(worlds(min_documents=3))
def test_shares_of_the_change_sum_to_one(world: World):
    shares = shares_of(world.ranker())
    if world.queries == 1:
        assert shares is None
        return
    assert shares is not None
    total = shares.projector + shares.constant + shares.query_specific
    assert total == pytest.approx(1.0 if world.candidates > 1 else 0.0, abs=1e-4)


def test_a_query_independent_adapter_has_only_a_constant_share():
    shares = shares_of(Ranker(collection(DOCUMENTS, QUERIES), adapter(still_model(2))))
    assert shares is not None
    np.testing.assert_allclose(
        [shares.projector, shares.constant, shares.query_specific], [0, 1, 0], atol=1e-5
    )


def test_the_identity_has_no_shares():
    there = collection(DOCUMENTS, QUERIES)
    ranker = Ranker(there, adapter(identity_adapter(there.documents.dimension)))
    batch = ranker.rank_batch(there.queries.vectors)
    assert np.abs(batch.scores[:, 3] - batch.scores[:, 0]).max() < 1e-6
    assert shares_of(ranker) == ChangeDecomposition(0.0, 0.0, 0.0)


@pytest.mark.parametrize("queries", [1, 2])
def test_shares_need_two_queries(queries: int):
    ranker = World(seed=4, n=12, m=8, documents=9, queries=queries, candidates=9).ranker()
    assert (shares_of(ranker) is None) == (queries == 1)


# Scores with some of the parts


@given(worlds(min_documents=2))
def test_no_part_is_the_base_and_all_parts_are_the_modulated_ranking(world: World):
    ranker = world.ranker()
    scorer, batch = scorer_of(ranker), ranker.rank_batch(ranker.collection.queries.vectors)
    sets: list[tuple[set[Part], Stage]] = [({"projector"}, "projected"), (ALL, "modulated")]
    if world.n == world.m:
        sets.append((set(), "base"))
    for parts, stage in sets:
        np.testing.assert_allclose(scorer.scores(parts), batch.score(stage), atol=2e-6)


@pytest.mark.parametrize("projector", [True, False])
@pytest.mark.parametrize(
    "parts", [{"constant"}, {"query_specific"}, {"constant", "query_specific"}]
)
def test_parts_score_as_the_equations_say(parts: set[Part], projector: bool):
    """docs/method.md, "Where the gain comes from", in plain numpy and double precision."""
    ranker = World(seed=7, n=9, m=9, documents=12, queries=3, candidates=5).ranker()
    plain = PlainAdapter.of(ranker.adapter.model.state_dict(), OUR_NAMES)
    queries = ranker.collection.queries.vectors.astype(np.float64)
    documents = ranker.collection.documents.vectors.astype(np.float64)
    rows = ranker.rank_batch(ranker.collection.queries.vectors).rows
    own = [plain._affine(plain.query_adapter, plain._project(q)) for q in queries]
    effects = [plain._affine(plain.document_adapter, plain._project(documents[r])) for r in rows]
    of_documents = np.array(own)  # (3, 2, 9)
    of_query = np.array([(scale.mean(0), bias.mean(0)) for scale, bias in effects])

    def selected(values: np.ndarray) -> np.ndarray:
        mean = values.mean(0)
        chosen = mean if "constant" in parts else np.stack([np.full(9, 0.5), np.zeros(9)])
        return chosen + (values - mean if "query_specific" in parts else np.zeros_like(values))

    def base(x: np.ndarray) -> np.ndarray:
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    def norm(x: np.ndarray, affine: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        return plain._layer_norm(x, affine) if "constant" in parts else x

    start = plain._project if projector else base
    expected = []
    for i, query in enumerate(queries):
        scale, bias = selected(of_documents)[i]
        moved = norm(scale * start(documents[rows[i]]) + bias, plain.document_norm)
        scale, bias = selected(of_query)[i]
        refined = norm(scale * start(query) + bias, plain.query_norm)
        expected.append(base(moved) @ base(refined))
    scores = scorer_of(ranker).scores(parts | {"projector"} if projector else parts)
    np.testing.assert_allclose(scores, expected, atol=2e-6)
