"""Ranks, relevance and vectors in a comparison."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from imrnns_core.config import SearchConfig
from imrnns_core.data.records import Query
from imrnns_core.retrieval.comparison import Comparison, Hit
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import STAGES
from tests.toys import adapter, collection, still_model


@pytest.fixture
def comparison() -> Comparison:
    # d3 is not retrieved; base order d1 (.96), d2 (.8), d0 (.6); modulated d2 (1), d0 and d1 (−1)
    world = collection(
        [[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], [[0.6, 0.8]], {"q0": {"d2": 2, "d0": 0, "d3": 1}}
    )
    return Ranker(world, adapter(still_model(2)), SearchConfig(3)).compare("q0")


def test_stages_are_in_the_order_of_the_method():
    assert STAGES == ("base", "projected", "document-modulated", "modulated")


def test_hits_are_the_ranking_best_first(comparison: Comparison):
    base, modulated = comparison.ranking("base"), comparison.ranking("modulated", 2)
    assert [(h.document_id, h.rank, h.relevance) for h in base] == [
        ("d1", 1, -1),
        ("d2", 2, 2),
        ("d0", 3, 0),
    ]
    np.testing.assert_allclose([h.score for h in base], [0.96, 0.8, 0.6], atol=1e-6)
    assert [(h.document_id, h.rank) for h in modulated] == [("d2", 1), ("d0", 2)]
    assert modulated[0] == Hit("d2", 1, pytest.approx(1.0), 2)
    np.testing.assert_array_equal(comparison.order("modulated"), [1, 2, 0])


def test_a_notebook_shows_the_rankings_side_by_side_and_interprets_no_text(
    comparison: Comparison,
) -> None:
    hostile = replace(comparison, query=Query("q0", "<script>alert(1)</script>"))
    shown = hostile._repr_html_()
    assert "<script>" not in shown
    rows = re.findall("<tr>(.*?)</tr>", shown)
    assert re.findall("<th>(.*?)</th>", rows[0]) == ["rank", *STAGES]
    first = re.findall("<td>(.*?)</td>", rows[1])
    assert (first[0], first[1], first[4]) == ("1", "d1 (0.9600)", "★ d2 (1.0000)")
    assert "✕ d0" in rows[3]


def test_relevance_of_candidates_and_of_documents_that_are_not_retrieved(comparison: Comparison):
    np.testing.assert_array_equal(comparison.relevance, [-1, 2, 0])
    assert comparison.position == {"d1": 0, "d2": 1, "d0": 2}
    assert comparison.relevant_not_retrieved == ["d3"]
    assert [comparison.best_relevant_rank(stage) for stage in STAGES] == [2, 2, 1, 1]


def test_no_relevant_candidate_has_no_best_rank():
    world = collection([[1, 0], [0, 1]], [[1, 0]], {"q0": {"d1": 3}})
    assert (
        Ranker(world, adapter(still_model(2)), SearchConfig(1))
        .compare("q0")
        .best_relevant_rank("base")
        is None
    )


def test_taking_some_candidates_of_a_modulation(comparison: Comparison):
    selected = comparison.modulation.take(np.array([2, 0]))
    np.testing.assert_allclose(selected.documents.numpy(), [[1, 0], [0.8, 0.6]], atol=1e-7)
    np.testing.assert_array_equal(selected.query.numpy(), comparison.modulation.query.numpy())
    np.testing.assert_array_equal(
        selected.modulated_documents.numpy(),
        comparison.modulation.modulated_documents.numpy()[[2, 0]],
    )
