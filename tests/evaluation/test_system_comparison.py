"""Two systems compared query by query, on hand-made rankings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from imrnns_core.errors import LensError
from imrnns_core.evaluation.evaluate import Evaluation, evaluate
from imrnns_core.evaluation.system_comparison import (
    compare_evaluations,
    compare_with_adapter,
    compare_with_base,
    compare_with_run,
)
from imrnns_core.retrieval.ranker import Ranker
from tests.toys import adapter, collection, random_model, still_model

LOG3 = math.log2(3)
WORLD = collection(
    [[1, 0], [0.8, 0.6], [0, 1]],
    [[0.6, 0.8], [1, 0], [0.8, 0.6], [0, 1]],
    {"q0": {"d2": 1}, "q1": {"d0": 1}, "q2": {"d1": 3}, "q3": {"d0": 0}},
)


def own_evaluation(positives: list[str] | None) -> Evaluation:
    """Modulated orders d2 d0 d1, d0 d1 d2, d0 d1 d2: relevant documents at ranks 1, 1, 2."""
    return evaluate(Ranker(WORLD, adapter(still_model(2), positives)), "test")


def test_a_run_by_hand():
    comparison = compare_with_run(
        own_evaluation(["d1"]), "theirs.run", {"q2": ["d1"], "q0": ["d0", "d1", "d2"], "q3": ["d0"]}
    )
    record = comparison.to_json()
    assert {k: record[k] for k in ("name", "kind", "missing_queries")} == {
        "name": "theirs.run",
        "kind": "run",
        "missing_queries": 1,
    }
    assert [q["query_id"] for q in record["queries"]] == ["q0", "q1", "q2"]
    assert [q["other"]["RR@10"] for q in record["queries"]] == pytest.approx([1 / 3, 0, 1])
    assert [q["change"]["RR@10"] for q in record["queries"]] == pytest.approx([2 / 3, 1, -1 / 2])
    assert [q["change"]["nDCG@10"] for q in record["queries"]] == pytest.approx(
        [1 / 2, 1, 1 / LOG3 - 1]
    )
    assert [q["best_relevant_rank"] for q in record["queries"]] == [3, None, 1]
    assert record["measures"]["RR@10"] == pytest.approx(4 / 9)
    test = record["significance"]["RR@10"]
    assert test["change"] == pytest.approx((2 / 3 + 1 - 1 / 2) / 3)
    assert test["ci95"] == [None, None]  # three queries
    assert test["p"] == pytest.approx(
        0.5, abs=0.02
    )  # 4 of 8 sign flips are as extreme: ±(2/3 + 1 ± 1/2)
    groups = record["groups"]
    assert (groups["seen"]["n"], groups["unseen"]["n"]) == (1, 2)
    assert groups["seen"]["other"]["RR@10"] == 1
    assert groups["unseen"]["modulated"]["RR@10"] == 1
    assert groups["unseen"]["significance"]["RR@10"]["change"] == pytest.approx(5 / 6)
    assert comparison.most_different(2) == [1, 0]


def test_equal_queries_do_not_differ():
    comparison = compare_with_run(
        own_evaluation(None), "same", {"q0": ["d2"], "q1": ["d0"], "q2": ["d0", "d1"]}
    )
    assert comparison.most_different(10) == []
    assert comparison.to_json()["significance"]["nDCG@10"] == {
        "change": 0.0,
        "ci95": [None, None],
        "p": 1.0,
        "queries": 3,
        "changed": 0,
        "studentized_ci95": [0.0, 0.0],
        "standard_error": 0.0,
        "clusters": 3,
        "changed_clusters": 0,
        "detectable": None,
        "p_holm": 1.0,
    }
    assert comparison.to_json()["groups"] is None


def test_a_run_of_other_queries():
    with pytest.raises(
        LensError,
        match=(
            r"^x\.run: ranks none of the judged queries of split test \(3\); name the split of "
            r"this run with --split$"
        ),
    ):
        compare_with_run(own_evaluation(None), "x.run", {"q3": ["d0"]})


def test_another_adapter_is_measured_as_it_measures_itself():
    other = Ranker(WORLD, adapter(random_model(5, 2, 2), ["d0"], "other"))
    comparison = compare_with_adapter(own_evaluation(["d1"]), other)
    alone = evaluate(other, "test")
    np.testing.assert_array_equal(comparison.other_metrics.values, alone.values[-1])
    np.testing.assert_array_equal(
        comparison.differences, own_evaluation(None).values[-1] - alone.values[-1]
    )
    assert (comparison.name, comparison.kind, comparison.missing) == ("other", "adapter", 0)
    assert comparison.groups is not None
    assert comparison.groups.tolist() == [
        "unseen",
        "seen",
        "seen",
    ]  # q1 was seen by the other adapter, q2 by ours


@pytest.mark.parametrize(("own", "others"), [(None, ["d0"]), (["d0"], None)])
def test_groups_need_both_cards(own: list[str] | None, others: list[str] | None):
    assert (
        compare_with_adapter(
            own_evaluation(own), Ranker(WORLD, adapter(still_model(2), others))
        ).groups
        is None
    )


def test_the_base_as_the_other_system_gives_the_tests_of_the_evaluation():
    own = own_evaluation(["d1"])
    compared = compare_with_base(own)
    assert (compared.kind, compared.name, compared.missing) == ("base", "base ranking", 0)
    for group in (None, "seen", "unseen"):
        assert compared.corrected_p(group) == own.corrected_p(group)
        for measure in own.measures:
            assert compared.tests(group)[measure] == own.significance(measure, group)
    np.testing.assert_array_equal(compared.other_metrics.best_ranks, own.best_rank("base"))


def test_an_evaluated_adapter_is_not_evaluated_again():
    own, other = own_evaluation(["d1"]), Ranker(WORLD, adapter(random_model(1, 2, 2), ["d2"]))
    ready = compare_evaluations(own, evaluate(other, "test", own.measures))
    assert ready.to_json() == compare_with_adapter(own, other).to_json()
