"""A query that is refined outside of a collection has the engine's scores."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given

from imrnns_core.model.effective_query import effective_query
from tests.toys import World, worlds


@given(worlds())
def test_scores_and_vector_are_those_of_the_ranker(world: World):
    ranker = world.ranker()
    stored = ranker.collection.documents.vectors
    for row, query_id in enumerate(ranker.collection.dataset.queries):
        comparison = ranker.compare(query_id)
        vector = ranker.collection.queries.vectors[row]
        refined = ranker.adapter.refine(vector, stored[comparison.rows])
        np.testing.assert_allclose(
            refined.score(stored[comparison.rows]), comparison.score("modulated"), atol=2e-6
        )
        vectors = comparison.modulation
        q_eff = effective_query(
            ranker.adapter.model,
            vectors.query_scale,
            vectors.query_bias,
            vectors.modulated_query,
        ).base
        expected = torch.nn.functional.normalize(q_eff, dim=-1).numpy()
        np.testing.assert_allclose(refined.vector, expected, atol=1e-5)
