"""Results of the deletion test: one per pair, the figures over all pairs, and their record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrnns_core.explanation.word_drops import SHORTLIST
from imrnns_core.io import without_checksum
from imrnns_core.types import SIDES, Side, Target

SCHEMA = 3
_CHANGE_KEYS = {2: "delta", SCHEMA: "change"}
"""Name of the target `change` in records of each schema that can be read."""
DELETED: dict[Side, tuple[int, int]] = {"document": (1, 5), "query": (1, 2)}
"""Numbers of words that the test deletes from each text."""
TARGETS: tuple[Target, ...] = ("score", "change")
BOOTSTRAP = 2000
METHODS = ("explanation", "verified", "adapter_blind_baseline")

DeletionDrops = dict[tuple[Side, Target, int, str], tuple[float, float, float, float]]
"""(side, target, number of deleted words, method) → four drops.

The four are: the words that the method names, the mean over the same number of random occurrences,
the words with the largest single drops, and the words that a stepwise search finds.
"""


@dataclass(frozen=True)
class PairResult:
    """Result of the deletion test for one pair.

    Attributes:
        query_id: The query.
        document_id: The document.
        promoted: Whether the adapter raised the document's rank.
        drops: The drops for each text, target, number of words and method.
        rho: Rank correlation of estimated and measured drops of the change, for each text.
        milliseconds: Time of one explanation without verification, for each text.
        encode_milliseconds: Time to encode the document once, in the same run.
        untrained_jaccard: Overlap of the ten document words with the largest estimated drops
            with those of an untrained adapter.
        measured_jaccard: The same overlap for the ten words with the largest measured drops.
            A faithful explanation reaches this value.
    """

    query_id: str
    document_id: str
    promoted: bool
    drops: DeletionDrops
    rho: dict[Side, float]
    milliseconds: dict[Side, float]
    encode_milliseconds: float
    untrained_jaccard: float
    measured_jaccard: float


@dataclass(frozen=True)
class DeletionTest:
    """The deletion test over the pairs of one split.

    Methods take the text (`side`), the target, and the number of deleted words (`count`).
    """

    dataset: str
    split: str
    adapter: str
    pairs: list[PairResult] = field(default_factory=list)

    def f(self, side: Side, target: Target, count: int, method: str = "explanation") -> float:
        """Return F, a ratio of sums over the pairs, as defined in `deletion_test`."""
        return float(_ratio(self._drops(side, target, count, method)))

    def f_stepwise(self, side: Side, target: Target, count: int) -> float:
        """Return F with the stepwise search as its upper bound."""
        return float(_ratio(self._drops(side, target, count, "explanation")[:, [0, 1, 3]]))

    def interval(self, side: Side, target: Target, count: int) -> list[float]:
        """Return the 95 % bootstrap interval of F over the pairs."""
        drops = self._drops(side, target, count, "explanation")
        return _interval(lambda rows: _ratio(drops[rows]), len(drops))

    def random_margin(self, side: Side, target: Target, count: int) -> list[float]:
        """Return the 95 % interval of the mean drop minus the mean random drop."""
        drops = self._drops(side, target, count, "explanation")
        return _interval(lambda rows: (drops[rows, 0] - drops[rows, 1]).mean(), len(drops))

    def adapter_blind_margin(self, side: Side, target: Target, count: int) -> list[float]:
        """Return the 95 % interval of F minus the F of the adapter-blind baseline."""
        own, blind = (
            self._drops(side, target, count, "explanation"),
            self._drops(side, target, count, "adapter_blind_baseline"),
        )
        return _interval(lambda rows: _ratio(own[rows]) - _ratio(blind[rows]), len(own))

    def rho(self, side: Side) -> float:
        """Return the mean rank correlation of estimated and measured drops of the change."""
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
            "matched_random": _each(self._matched_random),
            "adapter_blind_baseline": _each(
                lambda side, target, count: self.f(side, target, count, "adapter_blind_baseline")
            ),
            "adapter_blind_margin_ci95": self.adapter_blind_margin("query", "change", 1),
            "verified": {side: self._verified(side) for side in SIDES},
            "untrained_top10_jaccard": float(np.mean([p.untrained_jaccard for p in pairs])),
            "untrained_top10_jaccard_measured": float(np.mean([p.measured_jaccard for p in pairs])),
            "ms_per_explanation": self.milliseconds("document"),
            "ms": {
                **{side: self.milliseconds(side) for side in SIDES},
                "encode_document": float(np.median([p.encode_milliseconds for p in pairs])),
            },
            "n_pairs": len(pairs),
            "n_promoted": sum(pair.promoted for pair in pairs),
        }

    def _matched_random(self, side: Side, target: Target, count: int) -> dict[str, Any]:
        drop, random, best, _ = self._drops(side, target, count, "explanation").mean(0)
        margin = self.random_margin(side, target, count)
        return {"drop": drop, "random": random, "best": best, "margin_ci95": margin}

    def _verified(self, side: Side) -> dict[str, Any]:
        first: dict[str, Any] = {
            target: {"k1": self.f(side, target, 1, "verified")} for target in TARGETS
        }
        return {"encodes": SHORTLIST[side], **first}

    def _drops(self, side: Side, target: Target, count: int, method: str) -> NDArray[np.float64]:
        """Return (P, 4) drops of P pairs."""
        return np.array([pair.drops[side, target, count, method] for pair in self.pairs])


def _each(value: Callable[[Side, Target, int], Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return a value for each text, target and number of deleted words."""
    return {
        side: {
            target: {f"k{k}": value(side, target, k) for k in DELETED[side]} for target in TARGETS
        }
        for side in SIDES
    }


@dataclass(frozen=True)
class DeletionSummary:
    """The figures of a deletion test that pages and reports show.

    Attributes:
        dataset: Name of the data set.
        split: Name of the split.
        pairs: Number of pairs.
        estimated: For each text, F on the change of the word with the largest estimated drop.
        verified: For each text, the same after the shortlist was measured.
        rho: For each text, rank correlation of estimated and measured drops of the change.
    """

    dataset: str
    split: str
    pairs: int
    estimated: dict[Side, float]
    verified: dict[Side, float]
    rho: dict[Side, float]

    @classmethod
    def read(cls, path: Path) -> DeletionSummary:
        """Read the record of a deletion test.

        Raises:
            OSError: The file cannot be read.
            KeyError, TypeError, ValueError: It is no record of a known schema.
        """
        record = without_checksum(json.loads(path.read_text(encoding="utf-8")))
        change = _CHANGE_KEYS.get(record["schema"])
        if change is None:
            raise ValueError(f"schema {record['schema']}")
        return cls(
            str(record["dataset"]),
            str(record["split"]),
            int(record["n_pairs"]),
            {side: float(record[side][change]["k1"]) for side in SIDES},
            {side: float(record["verified"][side][change]["k1"]) for side in SIDES},
            {side: float(record["rho"][side]) for side in SIDES},
        )


def _ratio(drops: NDArray[np.float64]) -> float:
    """Return F of (P, 3) drops: of the named words, random words, and the best words."""
    drop, random, best = drops[:, :3].sum(0)
    return float((drop - random) / (best - random)) if best != random else float("nan")


def _interval(statistic: Callable[[NDArray[np.int64]], float], count: int) -> list[float]:
    """Return the 95 % bootstrap interval of a statistic over `count` pairs."""
    generator = np.random.default_rng(0)
    values = [statistic(generator.integers(0, count, count)) for _ in range(BOOTSTRAP)]
    return [float(v) for v in np.nanpercentile(values, [2.5, 97.5])]
