"""The parts of a change sum to it (docs/method.md, "Exact accounting of a score change")."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from imrnns_core.explanation.score_accounting import account, shifts
from imrnns_core.retrieval.ranker import Ranker
from tests.toys import World, adapter, collection, stage_scores, still_model, worlds

S = 0.5**0.5


@given(worlds())
def test_the_parts_sum_to_the_change(world: World):
    comparison = world.ranker().compare("q0")
    parts = account(comparison)
    whole = stage_scores(comparison)[3] - stage_scores(comparison)[0]
    assert parts.document_by_dimension.dtype == np.float32
    np.testing.assert_allclose(
        parts.projector + parts.document_modulation + parts.query_refinement, whole, atol=1e-6
    )
    np.testing.assert_allclose(parts.residual, 0, atol=1e-6)
    np.testing.assert_allclose(
        parts.document_by_dimension.sum(1), parts.document_modulation, atol=1e-6
    )
    np.testing.assert_allclose(parts.query_by_dimension.sum(1), parts.query_refinement, atol=1e-6)


@given(worlds())
def test_the_parts_are_the_shapley_split(world: World):
    """Each part is the mean of its effect in both orders of the two changes."""
    comparison = world.ranker().compare("q0")
    parts, v = account(comparison), comparison.modulation
    neither, both = (
        v.projected_documents @ v.projected_query,
        v.modulated_documents @ v.modulated_query,
    )
    document_only, query_only = (
        v.modulated_documents @ v.projected_query,
        v.projected_documents @ v.modulated_query,
    )
    document = 0.5 * ((document_only - neither) + (both - query_only))
    query = 0.5 * ((query_only - neither) + (both - document_only))
    np.testing.assert_allclose(parts.document_modulation, document, atol=1e-6)
    np.testing.assert_allclose(parts.query_refinement, query, atol=1e-6)
    np.testing.assert_allclose(
        parts.projector, stage_scores(comparison)[1] - stage_scores(comparison)[0], atol=1e-7
    )


def test_hand_set_vectors():
    comparison = Ranker(collection([[0, 1]], [[0.6, 0.8]]), adapter(still_model(2))).compare("q0")
    parts = account(comparison)  # q (.6, .8) and d (0, 1) both become (−S, S)
    np.testing.assert_allclose(parts.base + parts.projector, [0.8], atol=1e-6)
    np.testing.assert_allclose(parts.projector, [0], atol=1e-6)
    by_dimension = np.array([0.5 * (0.6 - S) * -S, 0.5 * (0.8 + S) * (S - 1)])
    np.testing.assert_allclose(parts.document_by_dimension, [by_dimension], atol=1e-6)
    np.testing.assert_allclose(parts.document_modulation + parts.query_refinement, [0.2], atol=1e-6)
    np.testing.assert_allclose(shifts(comparison), [[-S, S - 1]], atol=1e-6)


def test_on_real_data(scifact_ranker: Ranker):
    parts = account(scifact_ranker.compare(scifact_ranker.collection.queries.ids[0]))
    assert float(np.abs(parts.residual).max()) <= 1e-6
    assert float(np.abs(parts.modulated - parts.base).max()) > 0.02
