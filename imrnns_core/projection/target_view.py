"""The target view: the exact angle between query and documents at each stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import FloatArray, IntArray


@dataclass(frozen=True)
class TargetView:
    """Polar coordinates of R candidates, with the query in the centre.

    Attributes:
        radius: (S, R) angle between query and document at each stage, in degrees.
        direction: (R,) direction in degrees. Similar documents have neighbouring directions; apart
            from that, the direction has no meaning.
    """

    radius: FloatArray
    direction: FloatArray


def target_view(comparison: Comparison, positions: IntArray) -> TargetView:
    """Return the target view of the candidates at positions (R,) of the comparison."""
    scores = np.stack([comparison.score(stage) for stage in comparison.stages])  # (S, K)
    radius = np.degrees(np.arccos(np.clip(scores[:, positions], -1.0, 1.0))).astype(np.float32)
    count = len(positions)
    direction = np.empty(count, dtype=np.float32)
    direction[neighbourhood_order(comparison.vectors.documents.numpy()[positions])] = (
        np.arange(count) * 360.0 / count
    )
    return TargetView(radius, direction)


def neighbourhood_order(vectors: FloatArray) -> IntArray:
    """Return an order (K,) of vectors (K, n) in which similar vectors are neighbours.

    It is the optimal order of the leaves of an average-linkage clustering.
    """
    if len(vectors) < 3:
        return np.arange(len(vectors))
    from scipy.cluster.hierarchy import leaves_list, linkage

    return np.asarray(
        leaves_list(linkage(vectors, method="average", optimal_ordering=True)), dtype=np.int64
    )
