"""What a deletion test measured.

Figures over its pairs, their record, and the summary for readers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrnns_core.explanation.word_drops import SHORTLIST
from imrnns_core.types import Side

SCHEMA = 2
SIDES: tuple[Side, ...] = ("document", "query")
DELETED: dict[Side, tuple[int, int]] = {"document": (1, 5), "query": (1, 2)}
"""How many words the test deletes."""
TARGETS = ("score", "delta")
BOOTSTRAP = 2000
METHODS = ("explanation", "verified", "b1")

Result = dict[tuple[Side, str, int, str], tuple[float, float, float, float]]
"""(side, target, words deleted, method) → four drops.

The drop, that of a matched random deletion, the best in order, the best stepwise.
"""


@dataclass(frozen=True)
class PairResult:
    """What the test found for one pair.

    `rho` is the rank correlation of estimated and measured drops of Δ.

    `encode_milliseconds` is the time to encode the document once, in the same run: what the other
    times compare with. `untrained_jaccard` is how much of the ten words named for a document an
    untrained adapter names too; `measured_jaccard` the same of the ten words with the largest
    measured drops: what a faithful explanation shows.
    """

    query_id: str
    document_id: str
    riser: bool
    drops: Result
    rho: dict[Side, float]
    milliseconds: dict[Side, float]
    encode_milliseconds: float
    untrained_jaccard: float
    measured_jaccard: float


@dataclass(frozen=True)
class DeletionTest:
    """The deletion test over the pairs of one split."""

    dataset: str
    split: str
    adapter: str
    pairs: list[PairResult] = field(default_factory=list)

    def f(self, side: Side, target: str, count: int, method: str = "explanation") -> float:
        """Return F, a ratio of sums over the pairs."""
        return float(_ratio(self._table(side, target, count, method)))

    def f_stepwise(self, side: Side, target: str, count: int) -> float:
        """Return F against stepwise deletion."""
        return float(_ratio(self._table(side, target, count, "explanation")[:, [0, 1, 3]]))

    def interval(self, side: Side, target: str, count: int) -> list[float]:
        """Return the 95 % bootstrap interval of F, pairs drawn."""
        table = self._table(side, target, count, "explanation")
        return _interval(lambda rows: _ratio(table[rows]), len(table))

    def random_margin(self, side: Side, target: str, count: int) -> list[float]:
        """Return the 95 % interval of the mean of drop − matched random drop."""
        table = self._table(side, target, count, "explanation")
        return _interval(lambda rows: (table[rows, 0] - table[rows, 1]).mean(), len(table))

    def b1_margin(self, side: Side, target: str, count: int) -> list[float]:
        """Return the 95 % interval of F less the F of the adapter-blind control B1."""
        own, blind = (
            self._table(side, target, count, "explanation"),
            self._table(side, target, count, "b1"),
        )
        return _interval(lambda rows: _ratio(own[rows]) - _ratio(blind[rows]), len(own))

    def rho(self, side: Side) -> float:
        """Return the mean rank correlation with deleting every word, on Δ."""
        return float(np.nanmean([pair.rho[side] for pair in self.pairs]))

    def milliseconds(self, side: Side) -> float:
        """Return the median time of one explanation without verification."""
        return float(np.median([pair.milliseconds[side] for pair in self.pairs]))

    def to_json(self) -> dict[str, Any]:
        """Return the record that `imrnns-lens faithfulness --json` writes."""
        pairs = self.pairs
        return {
            "schema": SCHEMA,
            "dataset": self.dataset,
            "split": self.split,
            "adapter": self.adapter,
            **_each(self.f),
            "ci95": _each(self.interval),
            "stepwise": _each(self.f_stepwise),
            "rho": {side: self.rho(side) for side in SIDES},
            "matched_random": _each(self._chance),
            "b1": _each(lambda side, target, count: self.f(side, target, count, "b1")),
            "b1_query_delta_margin_ci95": self.b1_margin("query", "delta", 1),
            "verified": {side: self._verified(side) for side in SIDES},
            "untrained_top10_jaccard": float(np.mean([p.untrained_jaccard for p in pairs])),
            "untrained_top10_jaccard_measured": float(np.mean([p.measured_jaccard for p in pairs])),
            "ms_per_explanation": self.milliseconds("document"),
            "ms": {
                **{side: self.milliseconds(side) for side in SIDES},
                "encode_document": float(np.median([p.encode_milliseconds for p in pairs])),
            },
            "n_pairs": len(pairs),
            "n_risers": sum(pair.riser for pair in pairs),
        }

    def _chance(self, side: Side, target: str, count: int) -> dict[str, Any]:
        drop, random, best, _ = self._table(side, target, count, "explanation").mean(0)
        margin = self.random_margin(side, target, count)
        return {"drop": drop, "random": random, "best": best, "margin_ci95": margin}

    def _verified(self, side: Side) -> dict[str, Any]:
        first = {target: {"k1": self.f(side, target, 1, "verified")} for target in TARGETS}
        return {"encodes": SHORTLIST[side], **first}

    def _table(self, side: Side, target: str, count: int, method: str) -> NDArray[np.float64]:
        return np.array([pair.drops[side, target, count, method] for pair in self.pairs])


def _each(value: Callable[[Side, str, int], Any]) -> dict[str, Any]:
    """Return a value for each text, target and number of deleted words."""
    return {
        side: {
            target: {f"k{k}": value(side, target, k) for k in DELETED[side]} for target in TARGETS
        }
        for side in SIDES
    }


@dataclass(frozen=True)
class DeletionSummary:
    """What pages and reports say of a deletion test, read from the record that it wrote.

    `named`, `verified` and `rho` hold a value for each text: F on the change of the first word that
    is named, the same after verification, and the rank correlation with deleting every word.
    """

    dataset: str
    split: str
    pairs: int
    named: dict[Side, float]
    verified: dict[Side, float]
    rho: dict[Side, float]

    @classmethod
    def read(cls, path: Path) -> DeletionSummary:
        """Read a record.

        Raises OSError, KeyError, TypeError or ValueError where it is not one of this schema.
        """
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["schema"] != SCHEMA:
            raise ValueError(f"schema {record['schema']}")
        return cls(
            str(record["dataset"]),
            str(record["split"]),
            int(record["n_pairs"]),
            {side: float(record[side]["delta"]["k1"]) for side in SIDES},
            {side: float(record["verified"][side]["delta"]["k1"]) for side in SIDES},
            {side: float(record["rho"][side]) for side in SIDES},
        )


def _ratio(table: NDArray[np.float64]) -> float:
    drop, random, best = table[:, :3].sum(0)
    return float((drop - random) / (best - random)) if best != random else float("nan")


def _interval(statistic: Callable[[NDArray[np.int64]], float], count: int) -> list[float]:
    generator = np.random.default_rng(0)
    values = [statistic(generator.integers(0, count, count)) for _ in range(BOOTSTRAP)]
    return [float(v) for v in np.nanpercentile(values, [2.5, 97.5])]
