"""The sentences about baselines, and their table."""

from __future__ import annotations

import numpy as np
import pytest

from imrnns_core.evaluation.baselines import Baseline, BaselineTest, BaselineVerdict
from imrnns_core.evaluation.cross_validation import QueryWeights
from imrnns_core.evaluation.verdicts import Effect
from imrnns_core.reporting import baselines as texts
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.statistics.significance import Significance

METRICS = SystemMetrics(np.zeros((0, 1)), np.zeros(0, np.int64), np.zeros((0, 1)))


def verdict(
    effect: Effect,
    name: str = "base + BM25",
    mean: float = 0.857,
    excluded: int = 0,
    favoured: int = 0,
) -> BaselineVerdict:
    change = 0.874 - mean
    ends = (change - 0.02, change + 0.02)
    test = Significance(change, ends, 0.1, 236, 90, ends, 0.01, 236, 90)
    return BaselineVerdict(
        effect,
        BaselineTest(Baseline(name, METRICS), mean, test, 0.21),
        0.874,
        excluded,
        favoured,
        6,
    )


@pytest.mark.parametrize(
    ("effect", "mean", "sentence"),
    [
        (
            "not shown",
            0.857,
            "Base + BM25, without training, may be as good (no difference is shown, p = 0.2100)",
        ),
        (
            "not shown",
            0.88,
            "Base + BM25, without training, has an equal or higher mean (no difference is shown, "
            "p = 0.2100)",
        ),
        (
            "harms",
            0.9,
            "Base + BM25, without training, is better (p = 0.2100)",
        ),
        (
            "helps",
            0.8,
            "It is better than the strongest baseline without training, base + BM25 (p = 0.2100)",
        ),
        ("too few queries", 0.857, ""),
    ],
)
def test_the_headline_names_the_strongest_baseline(effect: Effect, mean: float, sentence: str):
    assert texts.headline(verdict(effect, mean=mean)) == sentence


def test_the_headline_names_the_queries_if_some_are_left_out():
    assert texts.headline(verdict("harms", excluded=70)) == (
        "Base + BM25, without training, is better (p = 0.2100, on the 236 queries that are "
        "neither “seen” nor “validation”)"
    )


def test_base_as_the_strongest_needs_no_headline():
    assert texts.headline(verdict("not shown", "base")) == ""
    assert texts.figures(verdict("not shown", "base")) == (
        "No baseline without training has a higher mean nDCG@10 than base."
    )


def test_the_figures_name_what_the_test_can_miss_and_what_is_left_out():
    assert texts.figures(verdict("not shown", excluded=70)) == (
        "nDCG@10 on 236 queries: base + BM25 0.8570, adapter 0.8740, difference +0.0170 (95 % "
        "interval −0.0030 to +0.0370, p = 0.2100, Holm-corrected for the number of baselines). 70 "
        "queries are left out here, because training used judgments of their relevant documents. "
        "If as many queries differ again, a true difference of 0.0348 would probably be "
        "significant, a smaller one often not."
    )


def test_the_figures_say_when_the_adapter_is_favoured():
    assert (
        "Training used, or may have used, the judgments of 40 of these queries, which favours the "
        "adapter."
    ) in texts.figures(verdict("helps", favoured=40))


def test_weights_of_folds_are_written_as_a_range():
    def written(*values: float) -> str:
        weights = QueryWeights(np.array(values), cross_validated=True)
        return texts.weight(Baseline("base + BM25", METRICS, weights))

    assert written(0.3, 0.3) == "0.3"
    assert written(0.5, 0.7, 0.6) == "0.5–0.7"
    assert texts.weight(Baseline("BM25", METRICS)) == ""
