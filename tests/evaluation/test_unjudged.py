"""What unjudged documents leave open, on rankings made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.evaluation.unjudged import UnjudgedRange, unjudged_range
from imrnns_core.retrieval.ranker import Ranker
from tests.toys import World, adapter, collection, still_model

LOG3 = math.log2(3)
DOCUMENTS = [[1, 0], [0.8, 0.6], [0, 1]]
QUERIES = [[0.6, 0.8], [0.8, 0.6]]
"""Base orders d1 d2 d0, d1 d0 d2; modulated d2 d0 d1, d0 d1 d2."""


def measured(qrels: dict[str, dict[str, int]], measure: str = "nDCG@10") -> UnjudgedRange:
    there = collection(DOCUMENTS, QUERIES, qrels)
    batch = Ranker(there, adapter(still_model(2))).rank_batch(
        there.query_vectors(list(qrels)),
    )
    return unjudged_range(there.dataset, batch, qrels, measure)


def test_unjudged_documents_get_the_best_grade_and_the_ideal_is_computed_again():
    ends = measured({"q0": {"d2": 2, "d1": 1}})  # d0 is unjudged and gets grade 2
    ideal = 2 + 2 / LOG3 + 1 / 2
    assert ends.base == pytest.approx(
        ((1 + 2 / LOG3) / (2 + 1 / LOG3), (1 + 2 / LOG3 + 2 / 2) / ideal)
    )
    assert ends.modulated == pytest.approx(((2 + 1 / 2) / (2 + 1 / LOG3), 1.0))
    assert ends.change == pytest.approx(
        tuple(m - b for b, m in zip(ends.base, ends.modulated, strict=True))
    )


def test_documents_judged_not_relevant_stay_not_relevant():
    ends = measured({"q0": {"d2": 1, "d1": 0, "d0": 0}})
    assert ends.base == pytest.approx((1 / LOG3, 1 / LOG3))
    assert ends.modulated == pytest.approx((1.0, 1.0))


def test_only_the_top_of_one_of_the_two_rankings_counts():
    # at cut-off 1: d1 (base) and d2 (modulated); d0 is outside both and stays not relevant
    ends = measured({"q0": {"d2": 1}}, "nDCG@1")
    assert ends == UnjudgedRange((0.0, 1.0), (1.0, 1.0), (1.0, 0.0))
    # at cut-off 2, the other ranking's d0 makes the ideal of the base no larger than two documents
    ends = measured({"q0": {"d2": 1}}, "nDCG@2")
    assert ends.base == pytest.approx(((1 / LOG3) / 1, 1.0))


def test_the_means_are_over_queries():
    one, other = measured({"q0": {"d2": 1}}), measured({"q1": {"d1": 1}})
    both = measured({"q0": {"d2": 1}, "q1": {"d1": 1}})
    assert both.base[0] == pytest.approx((one.base[0] + other.base[0]) / 2)
    assert both.modulated == pytest.approx(
        tuple(np.mean([one.modulated, other.modulated], axis=0).tolist())
    )


def test_the_lower_end_is_the_measure_that_is_shown():
    result = evaluate(
        World(seed=5, n=12, m=8, documents=30, queries=17, candidates=30).ranker(),
        "test",
        with_parts=True,
    )
    ends = result.ndcg_range
    assert ends is not None
    assert ends.base[0] == pytest.approx(result.mean("base")["nDCG@10"], abs=1e-12)
    assert ends.modulated[0] == pytest.approx(result.mean("modulated")["nDCG@10"], abs=1e-12)
    assert result.to_json()["ndcg_range"] == {
        "base": ends.base,
        "modulated": ends.modulated,
        "change": ends.change,
    }


def test_few_documents_of_scifact_are_judged(scifact_ranker: Ranker):
    judged = evaluate(scifact_ranker, "dev").judged_means()
    assert judged["base"]["Judged@10"] == pytest.approx(0.091, abs=1e-3)
    assert judged["modulated"]["Judged@10"] == pytest.approx(0.099, abs=1e-3)
