"""The target view: the true angle between query and documents at each stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import STAGES, FloatArray, IntArray


@dataclass(frozen=True)
class TargetView:
    """R candidates around the query.

    `radius` (4, R) true angle to the query in degrees at each stage, `direction` (R,) in degrees.

    Neighbouring directions are similar documents; only the radius is a measurement.
    """

    radius: FloatArray
    direction: FloatArray


def target_view(comparison: Comparison, positions: IntArray) -> TargetView:
    """Place candidates, positions (R,), by their true angle to the query.

    Their directions are in the neighbourhood order of the documents.
    """
    scores = np.stack([comparison.score(stage) for stage in STAGES])  # (4, K)
    radius = np.degrees(np.arccos(np.clip(scores[:, positions], -1.0, 1.0))).astype(np.float32)
    count = len(positions)
    direction = np.empty(count, dtype=np.float32)
    direction[neighbourhood_order(comparison.modulation.documents.numpy()[positions])] = (
        np.arange(count) * 360.0 / count
    )
    return TargetView(radius, direction)


def neighbourhood_order(vectors: FloatArray) -> IntArray:
    """Return an order (K,) of (K, n) vectors in which similar ones are neighbours.

    It is that of the leaves of an average linkage, optimally ordered.
    """
    if len(vectors) < 3:
        return np.arange(len(vectors))
    from scipy.cluster.hierarchy import leaves_list, linkage

    return np.asarray(
        leaves_list(linkage(vectors, method="average", optimal_ordering=True)), dtype=np.int64
    )
