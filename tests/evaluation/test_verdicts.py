"""One case for each conclusion, on hand-made measures."""

from __future__ import annotations

import numpy as np
import pytest

from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.verdicts import (
    effect_of,
    judge_effect,
    judge_generalization,
    judge_outcomes,
)
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.statistics.significance import Significance
from tests.toys import adapter, collection, still_model

BASE = collection(
    [[1, 0], [0.8, 0.6], [0, 1]],
    [[0.6, 0.8], [1, 0], [0.8, 0.6]],
    {"q0": {"d2": 1}, "q1": {"d0": 1}},
)
UP, DOWN, NONE = [0.1, 0.2] * 10, [-0.1, -0.2] * 10, [0.0] * 20
SEEN, UNSEEN = ["seen"] * 20, ["unseen"] * 20


def evaluation(
    changes: list[float], groups: list[str] | None = None, ranks: tuple[int, int] = (2, 2)
) -> Evaluation:
    """Return an evaluation in which query i changes by changes[i] from nDCG@10 .5, at stage 3."""
    count = len(changes)
    values = np.full((4, count, 1), 0.5)
    values[2:, :, 0] += np.array(changes)
    batch = Ranker(BASE, adapter(still_model(2))).rank_batch(BASE.queries.vectors[:1])
    best = np.repeat([[ranks[0]], [ranks[0]], [ranks[1]], [ranks[1]]], count, axis=1)
    return Evaluation(
        dataset="toy",
        split="test",
        adapter="toy",
        query_ids=tuple(f"q{i}" for i in range(count)),
        measures=(NDCG,),
        values=values,
        best_ranks=best,
        groups=None if groups is None else np.array(groups),
        top_k=10,
        batch=batch,
        qrels={},
    )


@pytest.mark.parametrize(
    ("interval", "effect"),
    [
        ((0.01, 0.1), "helps"),
        ((-0.1, -0.01), "harms"),
        ((-0.1, 0.1), "not shown"),
        ((0.0, 0.1), "not shown"),
        ((-0.1, 0.0), "not shown"),
    ],
)
def test_an_interval_that_includes_zero_shows_nothing(
    interval: tuple[float, float], effect: str
) -> None:
    test = judge_effect(evaluation(UP), SystemMetrics(np.zeros((20, 1)), np.zeros(20))).test
    assert effect_of(Significance(**{**vars(test), "ci95": interval})) == effect


def test_an_effect_comes_with_its_means() -> None:
    lexical = SystemMetrics(np.full((20, 1), 0.25), np.zeros(20, np.int64))
    verdict = judge_effect(evaluation(UP), lexical)
    assert (verdict.effect, verdict.queries, verdict.bm25) == ("helps", 20, 0.25)
    assert (verdict.base, verdict.modulated) == (0.5, pytest.approx(0.65))
    assert verdict.test.change == pytest.approx(0.15)
    assert judge_effect(evaluation(DOWN), lexical).effect == "harms"
    assert judge_effect(evaluation([0.1, -0.1] * 10), lexical).effect == "not shown"


def test_outcomes_are_counted_and_the_change_is_split_into_steps() -> None:
    verdict = judge_outcomes(evaluation([0.1, 0.2, -0.1, 0.0]))
    assert list(verdict.counts.items()) == [("improved", 2), ("unchanged", 1), ("worsened", 1)]
    assert (verdict.better, verdict.worse) == (2, 1)
    assert verdict.steps == {
        "projected": 0.0,
        "document-modulated": pytest.approx(0.05),
        "modulated": 0.0,
    }


def test_rescued_and_broken_count_as_better_and_worse() -> None:
    rescued = judge_outcomes(evaluation([0.1, 0.1], ranks=(20, 1)))
    broken = judge_outcomes(evaluation([-0.1], ranks=(1, 20)))
    assert (rescued.counts, rescued.better, rescued.worse) == ({"rescued": 2}, 2, 0)
    assert (broken.counts, broken.better, broken.worse) == ({"broken": 1}, 0, 1)
    failing = judge_outcomes(evaluation([0.0], ranks=(0, 0)))
    assert (failing.counts, failing.better, failing.worse) == ({"not retrieved": 1}, 0, 0)


def test_a_step_below_four_decimals_is_none() -> None:
    assert judge_outcomes(evaluation(NONE)).steps == {}
    assert judge_outcomes(evaluation([4e-5])).steps == {}
    assert judge_outcomes(evaluation([-6e-5])).steps["document-modulated"] == pytest.approx(-6e-5)


@pytest.mark.parametrize(
    ("changes", "groups", "expected"),
    [
        (UP, None, "unknown"),
        (UP, SEEN, "only seen queries"),
        (UP + UP, SEEN + UNSEEN, "holds on unseen queries"),
        (UP, UNSEEN, "holds on unseen queries"),
        (DOWN + UP, SEEN + UNSEEN, "holds on unseen queries"),
        (UP + NONE, SEEN + UNSEEN, "gain on seen queries only"),
        # the same mean, far apart: the groups cannot be told apart
        (UP + [1.0, -0.7] * 10, SEEN + UNSEEN, "not shown on unseen queries"),
        (UP + DOWN, SEEN + UNSEEN, "harms unseen queries"),
        (NONE + NONE, SEEN + UNSEEN, "no gain"),
        (DOWN + NONE, SEEN + UNSEEN, "no gain"),
        (NONE, UNSEEN, "no gain"),
    ],
)
def test_generalization(changes: list[float], groups: list[str] | None, expected: str) -> None:
    verdict = judge_generalization(evaluation(changes, groups))
    assert verdict.generalization == expected
    named = [] if groups is None else list(dict.fromkeys(groups))
    assert [(c.group, c.queries) for c in verdict.groups] == [(name, 20) for name in named]
