"""Measures by every name that ir-measures knows."""

from __future__ import annotations

import random

import ir_measures
import numpy as np
import pytest

from imrnns_core.errors import LensError
from imrnns_core.statistics.measures import judged_measures, measure, parse_measures

QRELS = {"q1": {"a": 2, "b": 1, "c": 0}, "q2": {"b": 1}}
RANKINGS = {"q1": ["c", "a", "b"], "q2": ["a", "c", "b"]}


def test_two_names_of_one_measure_have_the_same_values():
    names = ["nDCG@10", "RR@10", "AP", "MAP", "MRR@10", "NDCG@10"]
    values = measure(names, QRELS, RANKINGS).values
    np.testing.assert_allclose(values[:, [3, 4, 5]], values[:, [2, 1, 0]])
    np.testing.assert_allclose(values[:, 1], [1 / 2, 1 / 3])
    np.testing.assert_allclose(values[:, 2], [(1 / 2 + 2 / 3) / 2, 1 / 3])


def test_each_cut_off_has_a_share_of_judged_documents():
    names = ("nDCG@10", "R@10", "AP", "Success@1", "P(rel=2)@5")
    assert judged_measures(names) == ("Judged@10", "Judged@1", "Judged@5")
    rankings = {"q1": ["c", "x", "a", "y"], "q2": ["x", "b"]}
    judged = measure(names, QRELS, rankings).judged
    np.testing.assert_allclose(judged, [[2 / 4, 1, 2 / 4], [1 / 2, 0, 1 / 2]])


def test_an_empty_ranking_has_no_judged_document():
    """BM25 ranks nothing for a query without a known word."""
    metrics = measure(["Judged@10", "nDCG@10"], QRELS, {"q1": ["a"], "q2": []})
    np.testing.assert_allclose(metrics.values[:, 0], [1, 0])
    np.testing.assert_allclose(metrics.judged, [[1], [0]])
    assert measure(["nDCG@10"], QRELS, {}).judged.tolist() == [[0], [0]]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Foo@3", "measure 'Foo@3' is unknown"),
        ("alpha_nDCG@10", "exists, but cannot be computed here: .*pyndeval"),
        ("SDCG@10", "exists, but cannot be computed here: .*max_rel"),
        ("ERR@10", "cannot be computed here: its program accepts only numbers as query ids"),
        ("P@0", "the cut-off must be 1 to 1000000"),
        ("R@99999999999", "the cut-off must be 1 to 1000000"),
    ],
)
def test_a_measure_that_cannot_be_computed_is_refused_with_the_reason(name: str, message: str):
    with pytest.raises(LensError, match=message):
        parse_measures([name])


def test_a_measure_that_fails_for_these_queries_says_so():
    with pytest.raises(LensError, match="ir-measures cannot compute Accuracy for these queries"):
        measure(["Accuracy"], {"q": {"a": 1}}, {"q": ["a"]})


@pytest.mark.parametrize(
    "name",
    [
        *("nDCG@10", "R@5", "RR@10", "P(rel=2)@5", "AP@10", "Success@1", "Judged@10"),
        *("Accuracy@10", "nDCG(judged_only=True)@10", "P(judged_only=True)@5", "AP", "Bpref"),
    ],
)
def test_documents_below_the_cut_off_are_left_out_only_where_they_have_no_effect(name: str):
    draw = random.Random(0)
    documents = [f"{i}" for i in range(60)]
    qrels = {
        f"{q}": {d: draw.choice([0, 0, 1, 2, 3]) for d in draw.sample(documents, 25)}
        for q in range(8)
    }
    rankings = {q: draw.sample(documents, 50) for q in qrels}
    run = {q: {d: -float(n) for n, d in enumerate(ids)} for q, ids in rankings.items()}
    whole = ir_measures.iter_calc([ir_measures.parse_measure(name)], qrels, run)
    expected = {metric.query_id: metric.value for metric in whole}
    assert measure([name], qrels, rankings).values[:, 0].tolist() == [
        expected.get(q, 0) for q in qrels
    ]
