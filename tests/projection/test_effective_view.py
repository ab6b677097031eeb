"""The effective-query view: exact coordinates, and what a search with q_eff finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given

from imrnns_core.model.effective_query import effective_query, query_move
from imrnns_core.projection.effective_view import effective_view
from tests import toys
from tests.retrieval.test_passages import Case, cases
from tests.toys import World, worlds


@given(worlds())
def test_coordinates_are_the_products_with_both_queries(world: World):
    ranker = world.ranker()
    for query_id in ranker.collection.dataset.queries:
        comparison = ranker.compare(query_id)
        view = effective_view(ranker, comparison, 3)
        vectors = comparison.modulation
        q_eff = effective_query(
            ranker.adapter.model,
            vectors.query_scale,
            vectors.query_bias,
            vectors.modulated_query,
        ).base
        documents, query = (
            torch.from_numpy(ranker.collection.unit_documents),
            torch.nn.functional.normalize(vectors.query, dim=-1),
        )
        moved = torch.nn.functional.normalize(q_eff, dim=-1)
        np.testing.assert_allclose(view.places[:, 0], (documents @ query).numpy(), atol=1e-5)
        np.testing.assert_allclose(view.places @ view.query, (documents @ moved).numpy(), atol=1e-5)
        cosine = np.clip(float(query @ moved), -1, 1)
        assert np.cos(np.radians(view.angle)) == pytest.approx(cosine, abs=1e-5)


@given(worlds())
def test_the_lists_are_the_tops_of_the_three_rankings(world: World):
    ranker = world.ranker()
    ids = ranker.collection.dataset.document_ids
    for query_id in ranker.collection.dataset.queries:
        comparison = ranker.compare(query_id)
        view = effective_view(ranker, comparison, 3)
        ranks = [ranker.corpus_ranks(comparison, document_id) for document_id in ids]
        for stage, rows in (("base", view.base), ("modulated", view.modulated)):
            assert [ranks[row][stage] for row in rows] == list(range(1, len(rows) + 1))
        products = view.places @ view.query
        assert sorted(products[view.effective]) == pytest.approx(sorted(products)[-3:])
        assert view.found == len(set(view.effective.tolist()) & set(view.modulated.tolist()))


@given(cases)
def test_with_passages_the_list_is_what_the_search_finds(case: Case):
    ranker = case.ranker()
    comparison = ranker.compare("q0")
    view, vectors = effective_view(ranker, comparison, 3), comparison.modulation
    moved = query_move(
        ranker.adapter.model,
        *(vectors.query, vectors.query_scale, vectors.query_bias, vectors.modulated_query),
    )[1].numpy()
    found = ranker.collection.candidates(moved[None], 3, ["q0"])[0]
    assert set(view.effective.tolist()) == set(ranker.collection.ranked.documents[found].tolist())


def test_without_a_movement_the_query_stays():
    """An adapter that changes nothing: m = n + 1 keeps all angles."""
    from imrnns_core.training.label_free.whitening import identity_adapter

    rng = np.random.default_rng(0)
    space = toys.collection(rng.normal(size=(12, 6)), rng.normal(size=(1, 6)))
    ranker = toys.Ranker(space, toys.adapter(identity_adapter(6)))
    view = effective_view(ranker, ranker.compare("q0"), 5)
    assert view.angle == pytest.approx(0, abs=0.1)
    assert view.base.tolist() == view.effective.tolist() == view.modulated.tolist()
    assert view.found == 5
