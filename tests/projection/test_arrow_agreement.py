"""The test whether arrows agree with the true movement better than chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from imrnns_core.projection.arrow_agreement import ArrowAgreement, arrow_agreement
from imrnns_core.types import FloatArray, IntArray

OWN = np.arange(15)


def drawn(seed: int, own_arrow: bool, own_length: bool = True) -> ArrowAgreement:
    """Return the agreement of 15 random movements in a plane, whose map is the plane itself."""
    rng = np.random.default_rng(seed)
    points, moves = rng.normal(size=(40, 2)), rng.normal(size=(15, 2))
    order = np.arange(15) if own_arrow else rng.permutation(15)
    lengths = np.linalg.norm(moves, axis=1)
    shown = moves[order] if own_length else moves[order] * (lengths / lengths[order])[:, None]
    return agreement(points, shown, moves)


def agreement(
    points: FloatArray, shown: FloatArray, moves: FloatArray, copies: IntArray | None = None
) -> ArrowAgreement:
    """Return the agreement of arrows (R, 2) from the first R points with the true moves (R, 2)."""
    start, count = points[: len(moves)], len(moves)
    before = np.linalg.norm(start[:, None] - points, axis=-1)
    after = np.linalg.norm((start + moves)[:, None] - points, axis=-1)
    return arrow_agreement(
        (start, start + shown),
        np.linalg.norm(moves, axis=1),
        points,
        before - after,
        np.arange(count),
        np.arange(count) if copies is None else copies,
    )


def test_exact_arrows_agree_fully():
    for seed in range(20):
        result = drawn(seed, own_arrow=True)
        assert (result.length, result.direction) == pytest.approx((1, 1))
        assert (result.length_p, result.direction_p) == (0.001, 0.001)
        assert result.direction_by_chance < 0.5
        assert result.better_than_chance


def test_arrows_in_the_wrong_direction_or_of_the_wrong_length_do_not_pass():
    rng = np.random.default_rng(0)
    points, moves = rng.normal(size=(40, 2)), rng.normal(size=(15, 2))
    reversed_arrows = agreement(points, -moves, moves)
    assert reversed_arrows.length == pytest.approx(1)
    assert reversed_arrows.direction < -0.7
    assert reversed_arrows.direction_p == 1
    assert not reversed_arrows.better_than_chance
    lengths = np.linalg.norm(moves, axis=1, keepdims=True)
    inverse = agreement(points, moves / lengths**2, moves)
    assert inverse.length == pytest.approx(-1)
    assert inverse.direction > 0.5
    assert inverse.direction_p == 0.001
    assert not inverse.better_than_chance


@pytest.mark.parametrize(("level", "better"), [(0.05, True), (0.051, False)])
def test_both_p_values_count(level: float, better: bool):
    assert ArrowAgreement(0.5, level, 0.5, 0.001, 0.1).better_than_chance is better
    assert ArrowAgreement(0.5, 0.001, 0.5, level, 0.1).better_than_chance is better


@pytest.mark.parametrize("own_length", [True, False])
def test_arrows_of_other_documents_rarely_pass(own_length: bool):
    """At most 5 % pass; 1 % of the time, 300 cases with 5 % have more than 24."""
    passed = [drawn(seed, False, own_length) for seed in range(300)]
    assert sum(result.better_than_chance for result in passed) <= 24
    assert 5 <= sum(result.direction_p <= 0.05 for result in passed) <= 24
    if own_length:
        assert 5 <= sum(result.length_p <= 0.05 for result in passed) <= 24


def test_near_copies_count_once():
    """Six documents with five copies each, which move together, by the arrows of other documents.

    As thirty independent documents, such arrows would pass far too often.
    """
    passed = alone = 0
    copies = np.repeat(np.arange(6), 5)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        others, moves = rng.normal(size=(20, 2)), rng.normal(size=(6, 2))
        points = np.repeat(rng.normal(size=(6, 2)), 5, axis=0)
        points = np.concatenate([points + 0.01 * rng.normal(size=points.shape), others])
        true = np.repeat(moves, 5, axis=0)
        shown = np.repeat(moves[rng.permutation(6)], 5, axis=0)
        passed += agreement(points, shown, true, copies).direction_p <= 0.05
        alone += agreement(points, shown, true).direction_p <= 0.05
    assert passed <= 11  # 5 % of 100, and three standard errors
    assert alone > 20


def test_the_figures_are_mean_rank_correlations():
    rng = np.random.default_rng(1)
    points, shown, moves = (rng.normal(size=s) for s in ((9, 2), (4, 2), (4, 2)))
    result = agreement(points, shown, moves)
    by_document = []
    for i in range(4):
        others = [j for j in range(9) if j != i]
        nearer = [
            np.linalg.norm(points[i] - points[others], axis=1)
            - np.linalg.norm(points[i] + m[i] - points[others], axis=1)
            for m in (shown, moves)
        ]
        by_document.append(spearmanr(*nearer).statistic)
    assert result.direction == pytest.approx(np.mean(by_document))
    assert result.length == pytest.approx(
        spearmanr(*(np.linalg.norm(m, axis=1) for m in (shown, moves))).statistic
    )


def test_one_document_and_arrows_without_length_are_no_better_than_chance():
    rng = np.random.default_rng(0)
    points, moves = rng.normal(size=(9, 2)), rng.normal(size=(5, 2))
    for result in (agreement(points, moves[:1], moves[:1]), agreement(points, 0 * moves, moves)):
        assert (result.length_p, result.direction_p) == (1, 1)
        assert not result.better_than_chance
