"""Shapley values of the parts of an adapter, for a measure."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.evaluation.gain_decomposition import (
    PARTS,
    Coalition,
    GainDecomposition,
    _shapley_value,
    decompose_gain,
)
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from tests.toys import World, adapter, collection, still_model, worlds

LOG3 = math.log2(3)
QRELS = {"q0": {"d2": 2, "d1": 1}, "q1": {"d0": 1}, "q2": {"d1": 3}}


def changes(gain: GainDecomposition) -> list[float]:
    return [gain.projector.change, gain.constant.change, gain.query_specific.change]


def test_a_constant_adapter_has_only_a_constant_part():
    """Base orders d1 d2 d0, d0 d1 d2, d1 d0 d2; modulated d2 d0 d1, d0 d1 d2, d0 d1 d2."""
    there = collection([[1, 0], [0.8, 0.6], [0, 1]], [[0.6, 0.8], [1, 0], [0.8, 0.6]], QRELS)
    gain = evaluate(Ranker(there, adapter(still_model(2))), "test", with_parts=True).gain
    assert gain is not None
    ideal = 2 + 1 / LOG3
    steps = [2.5 / ideal - (1 + 2 / LOG3) / ideal, 0, 1 / LOG3 - 1]
    np.testing.assert_allclose(changes(gain), [0, np.mean(steps), 0], atol=1e-6)
    assert gain.constant.left_out == pytest.approx(-np.mean(steps), abs=1e-6)
    assert (gain.projector.left_out, gain.query_specific.left_out) == (0.0, 0.0)
    # three queries have no interval, and JSON has no NaN
    assert np.isnan([gain.constant.ci95, gain.projector.ci95]).all()
    assert gain.to_json()["constant"]["ci95"] == [None, None]


@given(worlds(min_documents=3))
def test_the_parts_add_up_to_the_change_of_the_measure(world: World):
    result = evaluate(world.ranker(), "test", with_parts=True)
    if world.queries == 1:
        assert result.gain is None
        assert result.to_json()["gain"] is None
        return
    gain = result.gain
    assert gain is not None
    change = result.mean("modulated")["nDCG@10"] - result.mean("base")["nDCG@10"]
    assert sum(changes(gain)) == pytest.approx(change, abs=1e-12)
    assert gain.projector_first == (world.n != world.m)
    if gain.projector_first:
        step = result.mean("projected")["nDCG@10"] - result.mean("base")["nDCG@10"]
        assert gain.projector.change == pytest.approx(step, abs=1e-12)
        assert gain.projector.left_out is None
    assert result.to_json()["gain"]["constant"]["change"] == gain.constant.change


def values(worth: dict[str, float]) -> dict[Coalition, np.ndarray]:
    """Return the value of each set of parts, which are named by their first letters."""
    by_letter = {part[0]: part for part in PARTS}
    return {
        Coalition(by_letter[letter] for letter in letters): np.array([value])
        for letters, value in worth.items()
    }


def test_a_gain_that_needs_the_projector_and_any_modulation():
    """The glove game: one left glove, two right gloves."""
    worth = {"": 0, "p": 0, "c": 0, "q": 0, "pc": 1, "pq": 1, "cq": 0, "pcq": 1}
    parts = [_shapley_value(part, values(worth))[0] for part in PARTS]
    assert parts == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_a_projector_that_cannot_be_left_out_comes_first():
    worth = {"": 0.5, "p": 0.6, "pc": 0.5, "pq": 0.9, "pcq": 1.0}
    parts = [_shapley_value(part, values(worth))[0] for part in PARTS]
    assert parts == pytest.approx([0.1, 0.0, 0.4])


def test_the_interval_is_that_of_a_bootstrap_over_clusters_of_queries(scifact_ranker: Ranker):
    dataset = scifact_ranker.collection.dataset
    ids = list(dataset.judged_queries("dev"))
    result = evaluate(scifact_ranker, "dev")
    gain = decompose_gain(scifact_ranker, result.batch, result.qrels, "nDCG@10")
    assert gain is not None
    assert gain == decompose_gain(scifact_ranker, result.batch, result.qrels, "nDCG@10")
    np.testing.assert_allclose(changes(gain), [0.0843, 0.0102, 0.0112], atol=2e-4)
    left_out = [gain.projector.left_out, gain.constant.left_out, gain.query_specific.left_out]
    np.testing.assert_allclose(left_out, [-0.0826, -0.0074, -0.0092], atol=2e-4)
    low, high = gain.projector.ci95
    assert low == pytest.approx(0.0575, abs=2e-3)
    assert high == pytest.approx(0.1125, abs=2e-3)
    # fewer queries, wider intervals
    few = evaluate(scifact_ranker, "dev", with_parts=True, query_ids=ids[:40]).gain
    assert few is not None
    assert few.projector.ci95[1] - few.projector.ci95[0] > 1.5 * (high - low)


def test_the_sample_needs_its_query_specific_modulation():
    """Without it, nearly all of the gain is lost, though its share of the score change is 28 %."""
    space = Workspace()
    sample = space.open(space.resolve("sample"))
    result = evaluate(Ranker(sample, space.adapter("sample-adapter")), "test", with_parts=True)
    assert result.gain is not None
    assert result.shares is not None
    change = result.mean("modulated")["nDCG@10"] - result.mean("base")["nDCG@10"]
    assert result.gain.query_specific.left_out == pytest.approx(-0.94 * change, rel=0.01)
    assert result.shares.query_specific == pytest.approx(0.28, abs=0.01)


def test_another_measure_and_its_cut_off():
    ranker = World(seed=3, n=8, m=8, documents=20, queries=17, candidates=20).ranker()
    result = evaluate(ranker, "test", ("RR@3", "AP"))
    for measure in ("RR@3", "AP"):
        gain = decompose_gain(ranker, result.batch, result.qrels, measure)
        assert gain is not None
        change = result.mean("modulated")[measure] - result.mean("base")[measure]
        assert sum(changes(gain)) == pytest.approx(change, abs=1e-12)
        assert gain.measure == measure
