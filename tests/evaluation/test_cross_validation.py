"""Weights come from other queries only, and a chosen weight shows no false gain."""

from __future__ import annotations

import numpy as np

from imrnns_core.evaluation.cross_validation import (
    DEFAULT_WEIGHT,
    MIN_QUERIES,
    WEIGHTS,
    choose_weights,
)


def test_queries_in_one_fold_get_the_default():
    values = np.random.default_rng(0).random((11, 50))
    weights = choose_weights(values, np.zeros(50, dtype=np.int64), np.ones(50, bool))
    assert not weights.cross_validated
    assert weights.distinct == (DEFAULT_WEIGHT,)


def test_a_fold_gets_the_best_weight_of_the_other_folds():
    folds = np.repeat(np.arange(5), 10)
    values = np.zeros((11, 50))
    values[2] = 0.5  # .2 is good for all
    values[9, folds == 3] = 50.0  # .9 is far better, but only for fold 3
    weights = choose_weights(values, folds, np.ones(50, bool))
    assert weights.cross_validated
    assert set(weights.values[folds == 3].tolist()) == {0.2}
    assert set(weights.values[folds != 3].round(2).tolist()) == {0.9}
    # queries that may not decide do not
    without = choose_weights(values, folds, folds != 3)
    assert set(without.values.round(2).tolist()) == {0.2}


def test_too_few_queries_to_choose_give_the_default():
    folds = np.repeat(np.arange(5), 10)
    values = np.zeros((11, 50))
    values[8] = 1.0
    eligible = np.zeros(50, bool)
    eligible[: MIN_QUERIES + 10] = True  # 20 are left outside each fold
    assert choose_weights(values, folds, eligible).distinct == (0.8,)
    eligible[0] = False  # 19 outside fold 1
    weights = choose_weights(values, folds, eligible)
    assert (weights.distinct, weights.cross_validated) == ((0.5,), False)


def test_equally_good_weights_give_the_smallest():
    folds = np.repeat(np.arange(5), 10)
    assert choose_weights(np.full((11, 50), 0.3), folds, np.ones(50, bool)).distinct == (0.0,)


def test_cross_validated_weights_show_no_false_gain():
    """No weight is better than another: the best one in hindsight seems to be, a chosen one not."""
    rng, folds = np.random.default_rng(7), np.repeat(np.arange(5), 10)
    hindsight, chosen = [], []
    for _ in range(400):
        values = rng.random((11, 50))  # the same distribution for every weight, with mean .5
        weights = choose_weights(values, folds, np.ones(50, bool))
        picked = np.searchsorted(WEIGHTS, weights.values - 1e-9)
        chosen.append(values[picked, np.arange(50)].mean() - 0.5)
        hindsight.append(values.mean(axis=1).max() - 0.5)
    error = np.std(chosen) / np.sqrt(len(chosen))
    assert abs(np.mean(chosen)) < 3 * error < 0.01
    assert np.mean(hindsight) > 0.05  # the false gain that this avoids
