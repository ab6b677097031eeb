"""Upper bounds of modulated scores hold for every document outside a pool."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.model.effective_query import (
    effective_query,
    modulation_factors,
    project_with_factors,
    unit_products,
)
from imrnns_core.model.score_bounds import score_bounds
from tests.model.test_effective_query import exact_scores, parts
from tests.toys import World, worlds


@given(worlds(min_documents=2), st.integers(1, 29))
def test_no_document_outside_the_pool_exceeds_the_bound(world: World, size: int):
    ranker, query, refined = parts(world)
    model, stored = ranker.adapter.model, ranker.collection.documents.vectors
    documents = torch.from_numpy(stored)
    scale, bias = model.query_adapter(query)
    effective = effective_query(model, scale, bias, refined)
    # the centre of the bounds comes from other queries
    others = np.random.default_rng(world.seed).normal(size=(3, world.n)).astype(np.float32)
    bounds = score_bounds(model, stored, others)
    products = unit_products(effective, documents).double().numpy()
    order = np.argsort(-products, axis=1)
    size = min(size, world.documents - 1)
    smallest = np.take_along_axis(products, order[:, size - 1 : size], axis=1)[:, 0]
    upper = bounds.upper(effective, scale, bias, smallest)
    exact = exact_scores(model, documents, query, refined).numpy()
    outside = np.take_along_axis(exact, order[:, size:], axis=1)
    assert (outside <= upper[:, None]).all()


@given(worlds(min_documents=2))
def test_the_factors_of_every_query_are_within_the_distance(world: World):
    ranker, query, _ = parts(world)
    model, stored = ranker.adapter.model, ranker.collection.documents.vectors
    scale, bias = model.query_adapter(query)
    bounds = score_bounds(model, stored, ranker.collection.queries.vectors[:1])
    distance = bounds.distance(scale, bias)
    assert distance[0] == pytest.approx(0.0, abs=1e-5)  # the centre is its own modulation
    projected, _ = project_with_factors(model, torch.from_numpy(stored))
    own = modulation_factors(model, projected[None].expand(len(query), -1, -1), scale, bias)
    std_range = distance[:, None] / world.m**0.5 + 1e-5
    assert (np.abs(own.std.numpy() - bounds.std) <= std_range).all()
    norm_range = bounds.gamma * distance[:, None] + bounds.beta * std_range + 1e-4
    assert (np.abs(own.norm.numpy() - bounds.norm) <= norm_range).all()


def test_blocks_change_no_bound(monkeypatch: pytest.MonkeyPatch):
    ranker, *_ = parts(World(3, 12, 9, 25, 2, 5))
    model, stored = ranker.adapter.model, ranker.collection.documents.vectors
    whole = score_bounds(model, stored, ranker.collection.queries.vectors)
    monkeypatch.setattr("imrnns_core.model.score_bounds.BLOCK", 7)
    blocks = score_bounds(model, stored, ranker.collection.queries.vectors)
    for name in ("along", "offset", "std", "norm", "largest"):
        np.testing.assert_allclose(getattr(blocks, name), getattr(whole, name), rtol=1e-5)


def test_a_narrow_bound_excludes_far_documents():
    """The document opposite to the query is excluded although no pool has it."""
    ranker, query, refined = parts(World(5, 16, 16, 30, 1, 5))
    model, stored = ranker.adapter.model, ranker.collection.documents.vectors
    scale, bias = model.query_adapter(query)
    effective = effective_query(model, scale, bias, refined)
    bounds = score_bounds(model, stored, ranker.collection.queries.vectors)
    exact = exact_scores(model, torch.from_numpy(stored), query, refined)
    products = unit_products(effective, torch.from_numpy(stored)).double().numpy()
    assert bounds.upper(effective, scale, bias, products.min(axis=1)) < float(exact.max())
