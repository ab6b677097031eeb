"""The deletion test: its arithmetic on hand-made pairs, and a real run on pairs of the sample."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imrnns_core.errors import ExplanationError
from imrnns_core.explanation import deletion_test as faithfulness
from imrnns_core.explanation.deletion_records import (
    DELETED,
    METHODS,
    TARGETS,
    DeletionSummary,
    DeletionTest,
    PairResult,
)
from imrnns_core.explanation.deletion_test import record_key, run_pairs, sample_pairs
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.types import SIDES
from tests import toys
from tests.toys import stage_ranks


def pair(drop: float, random: float, best: float, blind: float = 0.0) -> PairResult:
    drops = {
        (side, target, count, method): (
            (blind if method == "adapter_blind_baseline" else drop),
            random,
            best,
            2 * best,
        )
        for side in SIDES
        for target in TARGETS
        for count in DELETED[side]
        for method in METHODS
    }
    return PairResult(
        "q",
        "d",
        True,
        drops,
        {"document": 0.5, "query": 0.7},
        {"document": 120.0, "query": 30.0},
        80.0,
        0.1,
        0.2,
    )


@pytest.fixture(scope="module")
def ranker(sample: Collection) -> Ranker:
    return Ranker(sample, load_adapter(ASSETS_FOLDER / "sample-adapter.safetensors"))


def test_f_is_a_ratio_of_sums_over_the_pairs():
    test = DeletionTest("toy", "dev", "a", [pair(4, 0, 4), pair(1, 1, 3), pair(2, 0, 4)])
    assert test.f("document", "change", 1) == pytest.approx((4 + 0 + 2) / (4 + 2 + 4))
    assert test.f("query", "score", 2, "adapter_blind_baseline") == pytest.approx((0 - 1 + 0) / 10)
    assert test.f_stepwise("document", "change", 5) == pytest.approx(6 / (8 + 5 + 8))
    low, high = test.interval("document", "change", 1)
    assert low == pytest.approx(0.0)
    assert high == pytest.approx(1.0)


def test_an_explanation_as_good_as_the_best_is_one_and_chance_is_zero():
    assert (
        DeletionTest("toy", "dev", "a", [pair(3, 1, 3), pair(2, 0, 2)]).f("document", "score", 5)
        == 1.0
    )
    assert (
        DeletionTest("toy", "dev", "a", [pair(1, 1, 3), pair(0, 0, 2)]).f("document", "score", 5)
        == 0.0
    )


def test_margins_exclude_zero_only_if_every_pair_gains():
    always = DeletionTest("toy", "dev", "a", [pair(3, 1, 4, blind=1)] * 12)
    assert always.random_margin("query", "change", 1) == pytest.approx([2, 2])
    assert always.adapter_blind_margin("query", "change", 1) == pytest.approx([2 / 3, 2 / 3])
    mixed = DeletionTest("toy", "dev", "a", [pair(3, 1, 4), pair(0, 2, 4)] * 4)
    low, high = mixed.random_margin("query", "change", 1)
    assert low < 0 < high


def test_the_record_has_the_documented_shape():
    record = DeletionTest(
        "toy", "dev", "a", [pair(3, 1, 4, blind=2), pair(4, 0, 4, blind=1)]
    ).to_json()
    assert set(record["document"]["change"]) == {"k1", "k5"}
    assert set(record["query"]["score"]) == {"k1", "k2"}
    assert record["rho"] == pytest.approx({"document": 0.5, "query": 0.7})
    assert record["document"]["change"]["k1"] == pytest.approx(6 / 7)
    assert record["adapter_blind_baseline"]["query"]["change"]["k1"] == pytest.approx(2 / 7)
    assert record["matched_random"]["query"]["change"]["k1"]["random"] == pytest.approx(0.5)
    assert len(record["adapter_blind_margin_ci95"]) == 2
    assert record["untrained_top10_jaccard"] == pytest.approx(0.1)
    assert record["untrained_top10_jaccard_measured"] == pytest.approx(0.2)
    assert (record["ms_per_explanation"], record["n_pairs"]) == (120.0, 2)
    assert record["verified"]["document"]["encodes"] == 10
    assert record["verified"]["query"]["encodes"] == 5


def test_records_of_both_schemas_are_read(tmp_path: Path):
    record = DeletionTest("toy", "dev", "a", [pair(3, 1, 4), pair(4, 0, 4)]).to_json()
    (tmp_path / "3.json").write_text(json.dumps(record))
    older = json.dumps({**record, "schema": 2}).replace('"change"', '"delta"')
    (tmp_path / "2.json").write_text(older)
    (tmp_path / "1.json").write_text(json.dumps({**record, "schema": 1}))
    summary = DeletionSummary.read(tmp_path / "3.json")
    assert summary.estimated["document"] == pytest.approx(6 / 7)
    assert DeletionSummary.read(tmp_path / "2.json") == summary
    with pytest.raises(ValueError, match="schema 1"):
        DeletionSummary.read(tmp_path / "1.json")


def test_pairs_are_promoted_and_demoted_in_turn(ranker: Ranker):
    pairs = sample_pairs(ranker, "test", 8)
    assert len({p.comparison.query.id for p in pairs}) == 8
    for n, found in enumerate(pairs):
        base, now = (
            stage_ranks(found.comparison)[0, found.position],
            stage_ranks(found.comparison)[3, found.position],
        )
        assert (now < base and now <= 10) if n % 2 == 0 else (now > base and base <= 10)
    assert [p.document_id for p in sample_pairs(ranker, "test", 8)] == [
        p.document_id for p in pairs
    ]


def test_an_adapter_that_changes_no_rank_cannot_be_tested():
    still = Ranker(
        toys.collection([[1, 0], [0, 1]], [[1, 0.1]], {"q0": {"d0": 1}}),
        toys.adapter(toys.still_model(2)),
    )
    with pytest.raises(ExplanationError, match="changes no rank in split 'test'"):
        sample_pairs(still, "test", 3)


def test_a_real_run_is_bounded_by_trying_every_word(
    ranker: Ranker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(faithfulness, "STEP_WIDTH", 2)
    results = list(run_pairs(WordExplainer(ranker), sample_pairs(ranker, "test", 2)))
    assert [r.promoted for r in results] == [True, False]
    test = DeletionTest("sample", "test", "a", results)
    for result in results:
        for (_, _, count, _), (drop, _, best, stepwise) in result.drops.items():
            assert stepwise >= best - 1e-7 or count > 2
            if count == 1:
                assert drop <= best + 1e-7
                assert stepwise == best
        assert 0 <= result.measured_jaccard < 1  # another adapter, other words
        for side in SIDES:
            own, verified = (
                result.drops[side, "change", 1, "explanation"][0],
                result.drops[side, "change", 1, "verified"][0],
            )
            assert verified >= own - 1e-7
    assert -1 <= test.rho("document") <= 1
    assert 0 <= test.to_json()["untrained_top10_jaccard"] <= 1
    assert len(record_key(ranker)) == 16
