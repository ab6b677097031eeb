"""Measures on hand-made rankings, groups, outcomes and significance."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor

import ir_measures
import numpy as np
import pytest

from imrnns_core.config import MEASURES, SearchConfig
from imrnns_core.errors import DataError, LensError
from imrnns_core.evaluation.evaluate import Evaluation, evaluate
from imrnns_core.evaluation.outcomes import outcome_of
from imrnns_core.evaluation.seen import query_groups
from imrnns_core.model.adapter_card import AdapterCard, TrainingTexts
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import measure, measure_rankings
from tests.toys import adapter, collection, still_model

LOG3 = math.log2(3)
DOCUMENTS = [[1, 0], [0.8, 0.6], [0, 1]]
QUERIES = [[0.6, 0.8], [1, 0], [0.8, 0.6], [0, 1]]
QRELS = {"q0": {"d2": 2, "d1": 1}, "q1": {"d0": 1}, "q2": {"d1": 3}, "q3": {"d0": 0}}


def hand_made(positives: list[str] | None) -> Evaluation:
    """Base orders d1 d2 d0, d0 d1 d2, d1 d0 d2; modulated d2 d0 d1, d0 d1 d2, d0 d1 d2."""
    return evaluate(
        Ranker(collection(DOCUMENTS, QUERIES, QRELS), adapter(still_model(2), positives)), "test"
    )


GOLDEN = [
    # judgments, ranking, measure, value
    ({"a": 1}, "abc", "nDCG@10", 1.0),
    ({"a": 1}, "bac", "nDCG@10", 1 / LOG3),
    (
        {"a": 2, "b": 1},
        "bac",
        "nDCG@10",
        (1 + 2 / LOG3) / (2 + 1 / LOG3),
    ),  # linear gains: 2, not 2² − 1
    ({"a": 3, "b": 1, "c": 2}, "cba", "nDCG@10", (2 + 1 / LOG3 + 3 / 2) / (3 + 2 / LOG3 + 1 / 2)),
    (
        {"a": 1, "z": 1},
        "abc",
        "nDCG@10",
        1 / (1 + 1 / LOG3),
    ),  # a relevant document that was not found
    ({"a": 1, "b": 0}, "bxa", "nDCG@10", 0.5),
    ({"k": 1}, "abcdefghijk", "nDCG@10", 0.0),  # rank 11
    ({"a": 1, "b": 2, "z": 1}, "xxab"[1:], "R@10", 2 / 3),
    ({"k": 1, "a": 1}, "abcdefghijk", "R@10", 0.5),
    ({"k": 1, "a": 1}, "abcdefghijk", "R@100", 1.0),
    ({"c": 1}, "abc", "RR@10", 1 / 3),
    ({"c": 1, "b": 3, "a": 0}, "abc", "RR@10", 0.5),
    ({"k": 1}, "abcdefghijk", "RR@10", 0.0),
    ({"b": 1, "d": 2, "z": 1}, "abcd", "AP", (1 / 2 + 2 / 4) / 3),
    ({"a": 1}, "abc", "Success@1", 1.0),
    ({"b": 1}, "abc", "Success@1", 0.0),
]


@pytest.mark.parametrize(("judged", "ranking", "measure", "expected"), GOLDEN)
def test_measures_of_hand_made_rankings(
    judged: dict[str, int], ranking: str, measure: str, expected: float
):
    values = measure_rankings(
        [ir_measures.parse_measure(measure)], {"q": judged}, {"q": list(ranking)}
    )
    np.testing.assert_allclose(values, [[expected]], atol=1e-7)


def test_values_have_the_order_of_rankings_and_measures():
    measures = [ir_measures.parse_measure(m) for m in ("RR@10", "R@1", "RR@10")[:2]]
    qrels = {"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"a": 1}}
    values = measure_rankings(measures, qrels, {"q2": ["a", "b"], "q1": ["a", "b"]})
    np.testing.assert_allclose(values, [[0.5, 0.0], [1.0, 1.0]])


@pytest.mark.parametrize("ids", [["b", "a", "c"], ["c", "a", "b"], ["10", "9", "a"]])
def test_rankings_are_measured_in_their_own_order(ids: list[str]):
    """ir-measures breaks ties by id; the order that is shown must count."""
    values = measure_rankings([ir_measures.RR], {"q": {ids[1]: 1}}, {"q": ids})
    assert values[0, 0] == 0.5


def test_an_evaluation_by_hand():
    result = hand_made(["d1"])
    assert (result.dataset, result.split, result.adapter, result.top_k) == (
        "toy",
        "test",
        "toy",
        10,
    )
    assert result.query_ids == ("q0", "q1", "q2")  # q3 has no relevant document
    assert result.measures == MEASURES == ("nDCG@10", "R@10", "RR@10", "AP", "R@100", "Success@1")
    first, last = (1 + 2 / LOG3) / (2 + 1 / LOG3), 2.5 / (2 + 1 / LOG3)
    np.testing.assert_allclose(result.column("base"), [first, 1, 1], atol=1e-6)
    np.testing.assert_allclose(result.column("projected"), [first, 1, 1], atol=1e-6)
    np.testing.assert_allclose(result.column("modulated"), [last, 1, 1 / LOG3], atol=1e-6)
    np.testing.assert_allclose(result.column("modulated", "RR@10"), [1, 1, 0.5])
    np.testing.assert_array_equal(result.best_ranks, [[1, 1, 1], [1, 1, 1], [1, 1, 2], [1, 1, 2]])
    assert result.mean("base") == pytest.approx(
        {"nDCG@10": (first + 2) / 3, "R@10": 1, "RR@10": 1, "AP": 1, "R@100": 1, "Success@1": 1}
    )
    assert result.outcomes() == ["improved", "unchanged", "worsened"]
    assert result.groups is not None
    assert result.groups.tolist() == ["seen", "unseen", "seen"]
    masks = result.group_masks()
    assert result.mean("modulated", masks["unseen"])["nDCG@10"] == pytest.approx(1)
    assert result.mean("modulated", masks["seen"])["nDCG@10"] == pytest.approx(
        (last + 1 / LOG3) / 2
    )
    assert result.significance("RR@10").change == pytest.approx(-0.5 / 3)
    assert result.significance("RR@10", "seen").change == pytest.approx(-0.25)
    assert result.significance("RR@10", "unseen").p == 1.0


def test_without_known_positives_there_are_no_groups():
    result = hand_made(None)
    assert result.groups is None
    assert result.group_masks() == {}
    record = result.to_json()
    assert record["groups"] is None
    assert [q["group"] for q in record["queries"]] == [None] * 3


def test_a_group_without_queries_is_left_out():
    record = hand_made([]).to_json()
    assert list(record["groups"]) == ["unseen"]
    assert record["groups"]["unseen"]["n"] == 3
    assert record["groups"]["unseen"]["modulated"] == pytest.approx(record["measures"]["modulated"])


@pytest.mark.parametrize(
    ("base", "modulated", "change", "name"),
    [
        (0, 0, 0.0, "not retrieved"),
        (11, 10, 0.3, "rescued"),
        (100, 1, 1.0, "rescued"),
        (10, 11, -0.3, "broken"),
        (11, 12, 0.0, "ranked too low"),
        (50, 11, 0.0, "ranked too low"),
        (10, 9, 0.01, "improved"),
        (1, 1, 0.2, "improved"),  # another relevant document rose
        (1, 2, -0.3, "worsened"),
        (3, 3, 0.0, "unchanged"),
        (3, 3, 1e-12, "unchanged"),
    ],
)
def test_the_outcome_of_a_query(base: int, modulated: int, change: float, name: str):
    assert outcome_of(base, modulated, change, 10) == name


def test_the_depth_at_which_a_query_fails():
    assert outcome_of(3, 1, 0.5, 2) == "rescued"
    world = collection(DOCUMENTS, QUERIES, {"q0": {"d2": 1}, "q2": {"d1": 1}})
    assert evaluate(Ranker(world, adapter(still_model(2))), "test", top_k=1).outcomes() == [
        "rescued",
        "broken",
    ]


def test_a_relevant_document_outside_the_candidates_is_not_retrieved():
    ranker = Ranker(
        collection(DOCUMENTS, QUERIES, {"q0": {"d0": 1}}), adapter(still_model(2)), SearchConfig(2)
    )
    result = evaluate(ranker, "test")
    np.testing.assert_array_equal(result.best_ranks, [[0]] * 4)
    assert result.outcomes() == ["not retrieved"]
    assert result.to_json()["queries"][0]["best_relevant_rank"] == dict.fromkeys(
        ("base", "projected", "document-modulated", "modulated")
    )


def test_further_measures_and_unknown_ones():
    ranker = Ranker(collection(DOCUMENTS, QUERIES, QRELS), adapter(still_model(2)))
    result = evaluate(ranker, "test", ("RR@10", "P@1"))
    assert result.measures == ("nDCG@10", "RR@10", "P@1")
    np.testing.assert_allclose(result.column("modulated", "P@1"), [1, 1, 0])
    for name in ("Foo@10", "nDCG@ten", "", "1+1"):
        with pytest.raises(
            LensError, match=r"is unknown; write it as ir-measures does, for example nDCG@10"
        ):
            evaluate(ranker, "test", (name,))


@pytest.mark.parametrize("name", ["alpha_nDCG@10", "BPM", "nDCG(foo=3)@10"])
def test_a_measure_that_cannot_be_computed_is_one_line(name: str):
    with pytest.raises(LensError):
        evaluate(
            Ranker(collection(DOCUMENTS, QUERIES, QRELS), adapter(still_model(2))), "test", (name,)
        )


def test_a_split_without_a_relevant_document():
    ranker = Ranker(collection(DOCUMENTS, QUERIES, {"q0": {"d1": 0}}), adapter(still_model(2)))
    with pytest.raises(
        DataError,
        match=(
            r"toy: no query of the split 'test' has a relevant document; give at least one "
            r"document a grade above 0$"
        ),
    ):
        evaluate(ranker, "test")


def test_the_change_on_seen_minus_unseen_queries():
    result = hand_made(["d1"])  # nDCG@10 changes on the seen q0 and q2, not on the unseen q1
    change = result.column("modulated") - result.column("base")
    # q0 and q2 share a relevant document, so they are drawn together
    together = (change[0] + change[2]) / 2
    assert result.seen_minus_unseen == pytest.approx((together, together))
    assert hand_made([]).seen_minus_unseen is None
    assert hand_made(None).seen_minus_unseen is None


def test_one_thread_at_a_time_is_in_trec_eval(monkeypatch: pytest.MonkeyPatch):
    """The dashboard measures in the background while a page measures, too."""
    inside, most, real = [0], [0], ir_measures.iter_calc

    def watched(*args):
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.01)
        yield from real(*args)
        inside[0] -= 1

    monkeypatch.setattr(ir_measures, "iter_calc", watched)
    qrels = {"q": {"a": 1, "b": 0}}
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(
                lambda _: measure(("RR@10",), qrels, {"q": ["b", "a"]}).values.tolist(), range(8)
            )
        )
    assert found == [[[0.5]]] * 8
    assert most == [1]


# Published figures


@pytest.fixture(scope="module")
def dev(scifact_ranker: Ranker) -> Evaluation:
    return evaluate(scifact_ranker, "dev")


@pytest.mark.parametrize(
    ("stage", "ndcg", "recall", "rr"),
    [("base", 0.69437, 0.83186, 0.65806), ("modulated", 0.80008, 0.91716, 0.77055)],
)
def test_the_figures_of_scifact_dev(dev: Evaluation, stage, ndcg: float, recall: float, rr: float):
    assert len(dev.query_ids) == 170
    mean = dev.mean(stage)
    assert [mean["nDCG@10"], mean["R@10"], mean["RR@10"]] == pytest.approx(
        [ndcg, recall, rr], abs=1e-4
    )


def test_the_groups_of_scifact_dev(dev: Evaluation, scifact_ranker: Ranker):
    """70 dev queries share a relevant document with train, 100 share none."""
    dataset = scifact_ranker.collection.dataset
    train = {d for judged in dataset.qrels("train").values() for d, g in judged.items() if g > 0}
    texts = TrainingTexts([dataset.document[d].text_hash for d in train])
    card = AdapterCard("any", 384, 384, texts=texts)
    groups = query_groups({q: dataset.qrels("dev")[q] for q in dev.query_ids}, card, dataset)
    assert groups is not None
    seen = groups == "seen"
    assert (int(seen.sum()), int((~seen).sum())) == (70, 100)
    assert dev.mean("base", seen)["nDCG@10"] == pytest.approx(0.7255, abs=1e-4)
    assert dev.mean("base", ~seen)["nDCG@10"] == pytest.approx(0.6726, abs=1e-4)


def test_the_gain_on_scifact_dev_is_significant(dev: Evaluation):
    s = dev.significance("nDCG@10")
    assert s.change == pytest.approx(0.80008 - 0.69437, abs=2e-4)
    assert s.p < 0.001
    assert 0.05 < s.ci95[0] < s.change < s.ci95[1] < 0.16
