"""Baselines without training, and the comparison of an adapter with the strongest one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.evaluation.baseline_rankings import measure_baselines
from imrnns_core.evaluation.baselines import Baseline, Baselines, independent
from imrnns_core.evaluation.evaluate import NDCG, Evaluation, evaluate
from imrnns_core.reporting.baselines import figures
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.storage.sentences import stored_sentences
from imrnns_core.storage.workspace import Workspace
from tests.toys import adapter, collection, still_model

NAMES = ["base", "BM25", "reciprocal rank fusion", "base + BM25", "sentence max-sim"]


@pytest.fixture(scope="module")
def lexical(sample: Collection) -> BM25Index:
    return BM25Index(sample.dataset.documents)


@pytest.fixture(scope="module")
def measured(sample: Collection) -> Evaluation:
    return evaluate(Ranker(sample, Workspace(Path("unused")).adapter("sample-adapter")), "test")


@pytest.fixture(scope="module")
def on_sample(sample: Collection, measured: Evaluation, lexical: BM25Index) -> Baselines:
    return measure_baselines(measured, sample, lexical, stored_sentences(Path("unused"), sample))


def means(result: Baselines) -> dict[str, float]:
    return {test.baseline.name: test.mean for test in result.tests(result.masks()["all"])}


def test_the_baselines_of_the_sample(on_sample: Baselines, measured: Evaluation):
    found = means(on_sample)
    assert list(found) == [*NAMES, "adapter + BM25"]
    assert found["base"] == measured.mean("base")[NDCG]
    assert found["BM25"] == pytest.approx(0.6945, abs=5e-3)
    assert found["reciprocal rank fusion"] == pytest.approx(0.7943, abs=5e-3)
    # .857, .878 and .887 with weights from dev
    assert found["base + BM25"] == pytest.approx(0.8550, abs=5e-3)
    assert found["sentence max-sim"] == pytest.approx(0.8689, abs=5e-3)
    assert found["adapter + BM25"] == pytest.approx(0.8851, abs=5e-3)


def test_an_untrained_baseline_may_be_as_good_on_the_sample(on_sample: Baselines):
    verdict = on_sample.judge()
    assert verdict.effect == "not shown"
    # not adapter + BM25, which is higher but needs the adapter
    assert verdict.strongest.baseline.name == "sentence max-sim"
    assert verdict.strongest.p > 0.05
    assert verdict.excluded == 0


def test_without_sentences_there_is_no_max_sim(
    sample: Collection, measured: Evaluation, lexical: BM25Index
):
    result = measure_baselines(measured, sample, lexical)
    assert list(means(result)) == [*NAMES[:-1], "adapter + BM25"]
    assert not result.has_sentences


def test_queries_that_training_judged_do_not_decide_for_the_adapter(
    sample: Collection, measured: Evaluation, lexical: BM25Index
):
    count = len(measured.query_ids)
    groups = np.array(["seen"] * 120 + ["validation"] * 97 + ["unseen"] * (count - 217))
    result = measure_baselines(replace(measured, groups=groups), sample, lexical)
    assert independent(result.evaluation).tolist() == (groups == "unseen").tolist()
    by_name = {system.name: system.weights for system in result.systems}
    # 19 are left, which is too few
    assert by_name["adapter + BM25"] is not None
    assert not by_name["adapter + BM25"].cross_validated
    assert by_name["adapter + BM25"].distinct == (0.5,)
    # base has seen no judgment, so all queries decide
    assert by_name["base + BM25"] is not None
    assert by_name["base + BM25"].cross_validated
    unknown = measure_baselines(replace(measured, groups=None), sample, lexical)
    assert unknown.systems[-1].weights is not None
    assert not unknown.systems[-1].weights.cross_validated


def test_one_query_and_no_lexical_match():
    base = collection([[1, 0], [0.8, 0.6], [0, 1]], [[0.6, 0.8]], {"q0": {"d2": 1}})
    ranker = Ranker(base, adapter(still_model(2)))
    result = measure_baselines(
        evaluate(ranker, "test"),
        base,
        BM25Index(base.dataset.documents),
    )
    found = means(result)
    # base ranks d1, d2, d0; the word "0" of the question is only in d0
    assert found["base"] == pytest.approx(1 / np.log2(3))
    assert found["BM25"] == 0
    assert result.judge().effect == "too few queries"


def by_hand(
    base: list[float], lexical: list[float], adapted: list[float], groups: list[str] | None
):
    """Return the baselines base and BM25 with these nDCG@10."""
    toy = collection([[1, 0], [0, 1]], [[0.6, 0.8]], {"q0": {"d1": 1}})
    batch = Ranker(toy, adapter(still_model(2))).rank_batch(toy.queries.vectors)
    count = len(base)
    values = np.zeros((4, count, 1))
    values[0, :, 0], values[3, :, 0] = base, adapted
    evaluation = Evaluation(
        *("toy", "test", "toy", tuple(f"q{i}" for i in range(count)), (NDCG,)),
        values,
        np.zeros((4, count), np.int64),
        None if groups is None else np.array(groups),
        *(10, batch, {}, np.ones((4, count, 1))),
    )
    ranks = np.zeros(count, np.int64)
    return Baselines(
        evaluation,
        tuple(
            Baseline(name, SystemMetrics(np.array(column)[:, None], ranks, np.ones((count, 1))))
            for name, column in (
                ("base", base),
                ("BM25", lexical),
                ("adapter + BM25", [1.0] * count),
            )
        ),
    )


LOW, MIDDLE, HIGH = ([x - 0.05, x + 0.05] * 20 for x in (0.3, 0.5, 0.7))


def test_the_strongest_baseline_is_compared_in_both_directions():
    better = by_hand(LOW, MIDDLE, HIGH, None).judge()
    assert (better.effect, better.strongest.baseline.name) == ("helps", "BM25")
    assert (better.strongest.mean, better.adapter) == (pytest.approx(0.5), pytest.approx(0.7))
    worse = by_hand(LOW, HIGH, MIDDLE, None).judge()
    assert (worse.effect, worse.strongest.baseline.name) == ("harms", "BM25")
    assert by_hand(HIGH, LOW, HIGH, None).judge().strongest.baseline.name == "base"


def test_base_does_not_hide_a_baseline_with_a_higher_mean():
    """Base is shown to be better than the adapter; that says nothing about BM25."""
    base = [x + 0.05 for x in MIDDLE]
    # the higher mean shows nothing: its changes are large, or few queries differ
    for lexical in ([0.0, 1.0, 0.9, 0.4] * 10, [1.0] * 15 + MIDDLE[15:]):
        verdict = by_hand(base, lexical, MIDDLE, None).judge()
        assert verdict.strongest.baseline.name == "BM25"
        assert verdict.strongest.mean == pytest.approx(np.mean(lexical))
        assert verdict.strongest.mean > np.mean(base)
        assert verdict.effect in ("not shown", "too few queries")
        assert "has a higher mean" not in figures(verdict)
    base_alone = by_hand(base, LOW, MIDDLE, None).judge()
    assert (
        figures(base_alone) == "No baseline without training has a higher mean nDCG@10 than base."
    )


def test_p_is_corrected_for_the_number_of_baselines():
    result = by_hand(LOW, MIDDLE, [0.5, 0.52] * 20, None)
    tests = result.tests(result.masks()["all"])
    largest = max(test.test.p for test in tests)
    assert [test.p >= test.test.p for test in tests] == [True] * 3
    assert max(test.p for test in tests) >= largest
    assert min(test.p for test in tests) == pytest.approx(3 * min(test.test.p for test in tests))


def test_no_baseline_is_called_different_by_chance():
    """An adapter, base and BM25 that are equally good: at most 5 % of verdicts are false.

    The baseline with the largest mean is compared, which makes a difference likely; the correction
    for all baselines covers this choice.
    """
    rng, trials = np.random.default_rng(0), 300
    effects = []
    for _ in range(trials):
        quality = rng.normal(size=40)  # of the query: the same for all systems
        base, lexical, adapted = (quality + rng.normal(size=(3, 40))).tolist()
        effects.append(by_hand(base, lexical, adapted, None).judge().effect)
    false = sum(effect in ("helps", "harms") for effect in effects) / trials
    assert false <= 0.05 + 3 * (0.05 * 0.95 / trials) ** 0.5


def test_the_comparison_leaves_out_queries_whose_judgments_training_used():
    # 20 seen queries at 1, on which the adapter is far better, and 20 unseen at which BM25 is
    adapted = [1.0] * 20 + MIDDLE[:20]
    groups = ["seen"] * 10 + ["validation"] * 10 + ["text used"] * 10 + ["unseen"] * 10
    result = by_hand(LOW, HIGH, adapted, groups)
    verdict = result.judge()
    assert (verdict.effect, verdict.excluded, verdict.strongest.test.queries) == ("harms", 20, 20)
    assert verdict.adapter == pytest.approx(0.5)
    assert verdict.favoured == 0
    # with 19 others, all queries are compared
    few = by_hand(LOW, HIGH, adapted, ["seen"] * 21 + ["unseen"] * 19).judge()
    assert (few.excluded, few.strongest.test.queries, few.favoured) == (0, 40, 21)
    assert by_hand(LOW, HIGH, adapted, None).judge().favoured == 40


def test_the_record(on_sample: Baselines):
    record = on_sample.to_json()
    assert (record["compared_queries"], record["strongest"]) == (236, "sentence max-sim")
    systems = record["systems"]
    assert (systems["BM25"]["weights"], systems["BM25"]["cross_validated"]) == (None, False)
    assert systems["base + BM25"]["cross_validated"]
    group = systems["base + BM25"]["groups"]["all"]
    assert group["measures"][NDCG] == means(on_sample)["base + BM25"]
    assert group["adapter_minus_baseline"]["change"] == pytest.approx(
        on_sample.evaluation.mean("modulated")[NDCG] - group["measures"][NDCG]
    )
    assert set(group["measures"]) == set(on_sample.evaluation.measures)
