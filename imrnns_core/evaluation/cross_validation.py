"""Weights of fused rankings, cross-validated over the judged queries.

The weight for a query never depends on its own judgments, nor on those of a query with which it
shares a relevant document.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from imrnns_core.types import DoubleArray, IntArray

WEIGHTS = np.linspace(0.0, 1.0, 11)
"""The weights to choose from."""
DEFAULT_WEIGHT = 0.5
"""Equal parts: the weight if too few queries are left to choose one."""
FOLDS = 5
MIN_QUERIES = 20
"""With fewer queries, a chosen weight is no better than the default."""


@dataclass(frozen=True)
class QueryWeights:
    """The weight of each query.

    Attributes:
        values: (Q,) weights; the queries of a fold share one.
        cross_validated: False if all weights are the default.
    """

    values: DoubleArray
    cross_validated: bool

    @cached_property
    def distinct(self) -> tuple[float, ...]:
        """The different weights, ascending."""
        return tuple(round(float(weight), 2) for weight in np.unique(self.values))


def choose_weights(
    values: DoubleArray, folds: IntArray, eligible: NDArray[np.bool_]
) -> QueryWeights:
    """Return the weight of each query: the best one for the eligible queries of the other folds.

    Of equally good weights, the smallest is chosen. If any fold has fewer than 20 such queries, all
    weights are the default.

    Args:
        values: (11, Q) measure of each query with each of `WEIGHTS`.
        folds: (Q,) fold of each query.
        eligible: (Q,) True for the queries that may decide.
    """
    weights = np.full(len(folds), DEFAULT_WEIGHT)
    for fold in np.unique(folds):
        deciding = eligible & (folds != fold)
        if deciding.sum() < MIN_QUERIES:
            return QueryWeights(np.full(len(folds), DEFAULT_WEIGHT), cross_validated=False)
        # rounded, so that sums of equal values in another order stay equal
        means = values[:, deciding].mean(axis=1).round(12)
        weights[folds == fold] = WEIGHTS[int(means.argmax())]
    return QueryWeights(weights, cross_validated=True)


def choose_settings(
    values: DoubleArray, folds: IntArray, deciding: NDArray[np.bool_]
) -> tuple[IntArray, bool]:
    """Return the number of the setting (Q,) of each query, and whether queries have chosen it.

    A query gets the best setting for the deciding queries of the other folds; of equally good ones,
    the first. If any fold has fewer than 20 of these, all queries get the first setting.

    Args:
        values: (S, Q) measure of each query with each setting.
        folds: (Q,) fold of each query.
        deciding: (Q,) True for the queries that may decide.
    """
    chosen = np.zeros(len(folds), dtype=np.int64)
    if len(values) == 1:
        return chosen, False
    for fold in np.unique(folds):
        others = deciding & (folds != fold)
        if others.sum() < MIN_QUERIES:
            return np.zeros(len(folds), dtype=np.int64), False
        # rounded, so that sums of equal values in another order stay equal
        chosen[folds == fold] = int(values[:, others].mean(axis=1).round(12).argmax())
    return chosen, True
