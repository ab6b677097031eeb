"""Means and ranges of the modulation of an adapter."""

from __future__ import annotations

import numpy as np
import pytest

from imrnns_core.explanation.feedback_influence import feedback_influence
from imrnns_core.explanation.modulation_ranges import modulation_ranges
from imrnns_core.explanation.score_accounting import shifts
from imrnns_core.model.effective_query import query_move
from imrnns_core.types import ROUNDING
from tests import toys
from tests.toys import World


def test_ranges_are_those_of_the_comparisons():
    ranker = World(seed=3, n=9, m=9, documents=12, queries=5, candidates=6).ranker()
    found = modulation_ranges(ranker, ranker.collection.queries.vectors)
    compared = [ranker.compare(f"q{i}") for i in range(5)]
    moved = np.concatenate([shifts(c) for c in compared])
    np.testing.assert_allclose(found.mean_shift, moved.mean(0), atol=1e-6)
    assert found.shift[0] == pytest.approx(np.quantile(np.abs(moved), 0.995), abs=1e-5)
    assert found.shift[1] == pytest.approx(
        np.quantile(np.abs(moved - moved.mean(0)), 0.995), abs=1e-5
    )
    scale = np.stack([c.modulation.query_scale.numpy() for c in compared])
    np.testing.assert_allclose(found.mean_scale, scale.mean(0), atol=1e-6)
    assert found.scale[0] == pytest.approx(np.quantile(np.abs(scale - 0.5), 0.995), abs=1e-5)
    moves = [
        (moved - query).numpy()
        for query, moved in (
            query_move(
                ranker.adapter.model,
                c.modulation.query,
                c.modulation.query_scale,
                c.modulation.query_bias,
                c.modulation.modulated_query,
            )
            for c in compared
        )
    ]
    np.testing.assert_allclose(found.mean_move, np.mean(moves, axis=0), atol=1e-5)
    assert found.move[0] == pytest.approx(np.quantile(np.abs(moves), 0.995), abs=1e-5)
    parts = np.concatenate(
        [feedback_influence(c, ranker.adapter.model).contributions for c in compared]
    )
    assert found.contribution == pytest.approx(np.quantile(np.abs(parts), 0.995), abs=1e-5)


def test_rounding_has_no_range_of_its_own():
    """Scale and bias are the same for all queries: documents move by their mean up to rounding."""
    rng = np.random.default_rng(0)
    space = toys.collection(np.repeat(rng.normal(size=(1, 9)), 5, axis=0), rng.normal(size=(4, 9)))
    found = modulation_ranges(
        toys.Ranker(space, toys.adapter(toys.still_model(9))), space.queries.vectors
    )
    assert (found.shift[1], found.scale[1], found.bias[1]) == (ROUNDING, ROUNDING, ROUNDING)
    assert found.shift[0] > 0.1
    assert found.scale[0] == ROUNDING  # ½ everywhere
