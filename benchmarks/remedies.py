"""How well the gain of a remedy on some queries predicts its gain on others.

Run: python -m benchmarks.remedies DATA [--adapter NAME] [--split SPLIT]

The judged queries are divided into halves 200 times; queries that share a relevant document stay
together. On one half the gains are measured, and the remedy with the largest one is chosen (or
none, if all gains are negative); on the other half both are checked.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imrnns_core.remedies.bench import Bench
from imrnns_core.remedies.measuring import measure_remedies
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.alternatives import alternatives_of
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import DoubleArray

DIVISIONS = 200
LEVEL = 1.96
"""Half the width of a 95 % interval in standard errors."""


@dataclass(frozen=True)
class Calibration:
    """Predicted and held-out gains.

    Attributes:
        slope: Slope of the held-out gains on the predicted ones, over remedies and divisions.
        coverage: Share of held-out gains inside the 95 % interval around the predicted one.
        regret: Gain of the best remedy on all queries minus the mean held-out gain of the choice.
    """

    slope: float
    coverage: float
    regret: float


def calibrate(changes: DoubleArray, clusters: NDArray[np.int64], seed: int = 0) -> Calibration:
    """Compare the halves of the queries.

    Args:
        changes: (R, Q) remedy − base of each query.
        clusters: (Q,) queries that stay together.
        seed: Seed of the divisions.
    """
    generator, numbers = np.random.default_rng(seed), np.unique(clusters)
    predicted, held_out, inside, chosen = [], [], [], []
    for _ in range(DIVISIONS):
        half = np.isin(clusters, generator.permutation(numbers)[: len(numbers) // 2])
        first, second = changes[:, half], changes[:, ~half]
        x, y = first.mean(axis=1), second.mean(axis=1)
        errors = first.var(axis=1, ddof=1) / half.sum() + second.var(axis=1, ddof=1) / (~half).sum()
        predicted.append(x)
        held_out.append(y)
        inside.append(np.abs(x - y) <= LEVEL * np.sqrt(errors))
        best = int(x.argmax())
        chosen.append(float(y[best]) if x[best] > 0 else 0.0)
    x, y = np.concatenate(predicted), np.concatenate(held_out)
    best_of_all = max(0.0, float(changes.mean(axis=1).max()))
    return Calibration(
        float(np.polyfit(x, y, 1)[0]),
        float(np.mean(inside)),
        best_of_all - float(np.mean(chosen)),
    )


def changes_of(bench: Bench) -> DoubleArray:
    """Return (R, Q) remedy − base nDCG@10."""
    base = bench.base.values[:, 0]
    return np.stack([own.values - base for own in bench.measured])


def main() -> None:
    """Print the calibration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--adapter", default="none")
    parser.add_argument("--split", default="test")
    arguments = parser.parse_args()
    space = Workspace()
    collection = space.open(space.resolve(arguments.data))
    ranker = Ranker(collection, space.ranker(collection, arguments.adapter).optional_adapter)
    lexical = space.lexical_index(collection.dataset)
    others = alternatives_of(space, collection)
    bench = measure_remedies(ranker, lexical, arguments.split, None, others)
    found = calibrate(changes_of(bench), bench.clusters)
    print(
        f"{len(bench.query_ids)} queries, {len(bench.measured)} remedies: slope {found.slope:.2f}, "
        f"coverage {found.coverage:.1%}, regret {found.regret:.4f}"
    )


if __name__ == "__main__":
    main()
