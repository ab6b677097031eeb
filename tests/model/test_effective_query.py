"""The effective query: one vector in the base space that gives the modulated scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.model.effective_query import (
    ModulationFactors,
    ProjectionFactors,
    effective_query,
    modulation_factors,
    project_with_factors,
    score_with_factors,
    unit_products,
)
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.ranker import Ranker
from tests.toys import World, still_model, worlds

S = 0.5**0.5


def parts(world: World) -> tuple[Ranker, torch.Tensor, torch.Tensor]:
    """Return the ranker, and projected and refined queries (Q, m) with all documents as feedback.

    Random models have γ, β, a projector bias and, in half of the worlds, a rectangular projector.
    The lengths of the documents differ.
    """
    ranker = world.ranker()
    model, documents = ranker.adapter.model, torch.from_numpy(ranker.collection.documents.vectors)
    query = model.project(torch.from_numpy(ranker.collection.queries.vectors))
    scale, bias = model.document_adapter(model.project(documents))
    refined = model.refine_query(query, scale.mean(0), bias.mean(0))
    return ranker, query, torch.nn.functional.normalize(refined, dim=-1)


def exact_scores(
    model: IMRNN, documents: torch.Tensor, query: torch.Tensor, refined: torch.Tensor
) -> torch.Tensor:
    """Return (Q, N) cosines of the refined queries with the modulated documents."""
    scale, bias = model.query_adapter(query)
    projected = model.project(documents)[None].expand(len(query), -1, -1)
    modulated = model.modulate_documents(projected, scale, bias)
    modulated = torch.nn.functional.normalize(modulated, dim=-1)
    return torch.einsum("qm,qkm->qk", refined, modulated)


def test_hand_set_effective_query():
    """With γ = 1, w = s ∘ (q̂ − mean q̂): for q̂ = (1, 0) and s = ½ that is (¼, −¼)."""
    half, none = torch.full((1, 2), 0.5), torch.zeros(1, 2)
    effective = effective_query(still_model(2), half, none, torch.tensor([[1.0, 0.0]]))
    torch.testing.assert_close(effective.working, torch.tensor([[0.25, -0.25]]))
    torch.testing.assert_close(effective.base, torch.tensor([[0.25, -0.25]]))  # P is the identity
    assert [float(x) for x in effective[2:]] == [0.0, 0.0, 0.0]


def test_hand_set_effective_query_with_all_terms():
    """P = (1 2)ᵀ… by hand: w = s ∘ (γ∘q̂ − mean), q_eff = Pᵀ w, then w·p₀, (g − mean) · b, q̂·β."""
    model = still_model(3, 2)
    with torch.no_grad():
        model.projector.weight.copy_(torch.tensor([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]))
        model.projector.bias.copy_(torch.tensor([1.0, 2.0]))
        model.document_norm.weight.copy_(torch.tensor([2.0, 1.0]))
        model.document_norm.bias.copy_(torch.tensor([10.0, 5.0]))
    scale, bias = torch.tensor([[0.5, 0.25]]), torch.tensor([[0.1, -0.3]])
    effective = effective_query(model, scale, bias, torch.tensor([[1.0, 0.0]]))
    # g = (2, 0), g − mean = (1, −1), w = (0.5, −0.25)
    torch.testing.assert_close(effective.working, torch.tensor([[0.5, -0.25]]))
    torch.testing.assert_close(effective.base, torch.tensor([[0.5, 0.75, -0.75]]))
    by_hand = [[0.5 * 1 - 0.25 * 2], [0.1 + 0.3], [10.0]]
    np.testing.assert_allclose([x.numpy() for x in effective[2:]], by_hand, atol=1e-6)


@given(worlds())
def test_the_factors_explain_the_whole_score(world: World):
    ranker, query, refined = parts(world)
    model, documents = ranker.adapter.model, torch.from_numpy(ranker.collection.documents.vectors)
    scale, bias = model.query_adapter(query)
    effective = effective_query(model, scale, bias, refined)
    projected, projection = project_with_factors(model, documents)
    torch.testing.assert_close(projected, model.project(documents))
    factors = modulation_factors(model, projected[None].expand(len(query), -1, -1), scale, bias)
    scores = score_with_factors(effective, unit_products(effective, documents), projection, factors)
    np.testing.assert_allclose(
        scores.numpy(), exact_scores(model, documents, query, refined).numpy(), atol=1e-5
    )


@given(worlds(min_documents=2))
def test_with_constant_factors_the_effective_query_gives_the_order(world: World):
    """Divide each exact score by what its own factors do: the rest is ordered by q_eff."""
    ranker, query, refined = parts(world)
    model = ranker.adapter.model
    with torch.no_grad():
        model.projector.bias.zero_()
        model.document_norm.bias.zero_()
    documents = torch.from_numpy(ranker.collection.documents.vectors)
    scale, bias = model.query_adapter(query)
    effective = effective_query(model, scale, bias, refined)
    projected, projection = project_with_factors(model, documents)
    own = modulation_factors(model, projected[None].expand(len(query), -1, -1), scale, bias)
    exact = exact_scores(model, documents, query, refined)
    # w · d_p, from the exact score and the factors of the document alone
    along = (exact * own.norm - effective.constant[:, None]) / projection.along
    products = unit_products(effective, documents)
    np.testing.assert_allclose(along.numpy(), products.numpy(), atol=2e-4)
    constant = torch.ones(len(documents))
    same = score_with_factors(
        effective,
        products,
        ProjectionFactors(constant, constant),
        ModulationFactors(constant, 100 * constant),  # so large that no score is cut off at 1
    )
    np.testing.assert_array_equal(
        np.argsort(-same.numpy(), axis=1, kind="stable"),
        np.argsort(-(products + effective.constant[:, None]).numpy(), axis=1, kind="stable"),
    )


@given(worlds(), st.floats(0.01, 100))
def test_lengths_do_not_matter_without_a_projector_bias(world: World, length: float):
    ranker, query, refined = parts(world)
    model = ranker.adapter.model
    with torch.no_grad():
        model.projector.bias.zero_()
    documents = torch.from_numpy(ranker.collection.documents.vectors)
    effective = effective_query(model, *model.query_adapter(query), refined)
    for stored in (documents, documents * length):
        _, factors = project_with_factors(model, stored)
        along = unit_products(effective, stored) * factors.along
        expected = effective.working @ model.project(documents).T
        np.testing.assert_allclose(along.numpy(), expected.numpy(), atol=1e-5)


def test_a_vector_of_zeros_has_finite_factors():
    model = still_model(2)
    projected, factors = project_with_factors(model, torch.zeros(1, 2))
    assert projected.tolist() == [[0.0, 0.0]]
    assert float(factors.along) == 0.0
    half, none = torch.full((1, 2), 0.5), torch.zeros(1, 2)
    effective = effective_query(model, half, none, torch.tensor([[1.0, 0.0]]))
    own = modulation_factors(model, projected, half[0], none[0])
    products = unit_products(effective, torch.zeros(1, 2))
    assert float(score_with_factors(effective, products, factors, own)) == pytest.approx(0.0)
