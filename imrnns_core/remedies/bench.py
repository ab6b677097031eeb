"""What remedies change on judged queries, and what to do first.

Shapes: Q queries, S settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrnns_core.config import SearchConfig
from imrnns_core.evaluation.seen import GROUPS, Group, masks_of
from imrnns_core.evaluation.verdicts import MIN_CHANGED, Effect, effect_of
from imrnns_core.remedies.measured import Measured
from imrnns_core.statistics.measures import Rankings, SystemMetrics
from imrnns_core.statistics.significance import Significance, holm, paired_tests
from imrnns_core.types import IntArray

SCHEMA = 1


@dataclass(frozen=True)
class RemedyTest:
    """The change that a remedy makes on some queries.

    Attributes:
        measured: The remedy.
        mask: (Q,) True for the queries of the test.
        test: The test of remedy − base on nDCG@10.
        p: Its p value, corrected for the number of remedies (Holm).
        fixed: (Q,) True where base has no relevant document in the top k, and the remedy has one.
        broken: (Q,) True where it is the other way round.
    """

    measured: Measured
    mask: NDArray[np.bool_] = field(repr=False)
    test: Significance
    p: float
    fixed: NDArray[np.bool_] = field(repr=False)
    broken: NDArray[np.bool_] = field(repr=False)

    @property
    def effect(self) -> Effect:
        """Whether the remedy helps or harms, and whether this is shown."""
        return effect_of(self.test, self.p)


@dataclass(frozen=True)
class Bench:
    """All remedies on the judged queries of a split.

    Attributes:
        data: Name of the data set.
        split: Name of the split.
        adapter: Name of the adapter; None if there is none.
        query_ids: The Q queries.
        base: nDCG@10 and ranks of the base.
        measured: The remedies.
        clusters: (Q,) cluster of each query; queries that share a relevant document are in one.
        top_k: A query fails if no relevant document is in the top k.
        top: The top 10 of each query in the base ranking.
        run: Name of the run that is the base; None if the vectors are.
        not_ranked: Number of judged queries that are left out because the run does not rank them.
    """

    data: str
    split: str
    adapter: str | None
    query_ids: tuple[str, ...]
    base: SystemMetrics
    measured: tuple[Measured, ...]
    clusters: IntArray = field(repr=False)
    top_k: int = SearchConfig().top_k
    top: Rankings = field(default_factory=dict, repr=False)
    run: str | None = None
    not_ranked: int = 0

    @cached_property
    def tests(self) -> dict[str, list[RemedyTest]]:
        """Name of a group → the test of each remedy on its queries.

        “all” has all remedies. A remedy with an adapter is tested on all queries too, but what it
        shows there holds only for queries like those that the adapter was trained on.
        """
        every = np.ones(len(self.query_ids), dtype=bool)
        tested = dict[str, list[tuple[Measured, NDArray[np.bool_]]]]()
        for own in self.measured:
            masks: dict[Group, NDArray[np.bool_]] = masks_of(own.groups)
            named: list[tuple[str, NDArray[np.bool_]]] = [("all", every)]
            named += [(group, mask) for group, mask in masks.items() if not mask.all()]
            for name, mask in named:
                tested.setdefault(name, []).append((own, mask))
        ordered = ["all", *(group for group in GROUPS if group in tested)] if tested else []
        return {name: self._tests(tested[name]) for name in ordered}

    def _tests(self, tested: Sequence[tuple[Measured, NDArray[np.bool_]]]) -> list[RemedyTest]:
        base, succeeds = self.base.values[:, 0], self.succeeds(self.base)
        by_mask = dict[bytes, list[int]]()
        for number, (_, mask) in enumerate(tested):
            by_mask.setdefault(mask.tobytes(), []).append(number)
        tests = dict[int, Significance]()
        for numbers in by_mask.values():  # remedies with the same queries share the resampling
            mask = tested[numbers[0]][1]
            changes = np.stack([tested[number][0].values - base for number in numbers], axis=1)
            found = paired_tests(changes[mask], self.clusters[mask])
            tests.update(zip(numbers, found, strict=True))
        corrected = holm([tests[number].p for number in range(len(tested))])
        return [
            RemedyTest(
                *(own, mask, tests[number], corrected[number]),
                mask & ~succeeds & self.succeeds(own.metrics),
                mask & succeeds & ~self.succeeds(own.metrics),
            )
            for number, (own, mask) in enumerate(tested)
        ]

    def succeeds(self, metrics: SystemMetrics) -> NDArray[np.bool_]:
        """Return for each query (Q,) whether a relevant document is in the top k."""
        return (metrics.best_ranks > 0) & (metrics.best_ranks <= self.top_k)

    @cached_property
    def fair(self) -> tuple[Measured, ...]:
        """The remedies that can come first.

        The training of their adapters did not use the judgments of a common set of queries that is
        large enough for a verdict. If there is none, these are the remedies without an adapter.
        """
        enough = [own for own in self.measured if int(own.independent.sum()) >= MIN_CHANGED]
        if enough and int(_common(enough).sum()) >= MIN_CHANGED:
            return tuple(enough)
        return tuple(own for own in self.measured if own.remedy.card is None)

    @cached_property
    def independent(self) -> NDArray[np.bool_]:
        """(Q,) the queries that decide what to do first: no training used their judgments."""
        return _common(self.fair) if self.fair else np.ones(len(self.query_ids), dtype=bool)

    @property
    def excluded(self) -> list[str]:
        """The names of the adapters that cannot come first."""
        every, fair = (
            dict.fromkeys(own.remedy.card.name for own in measured if own.remedy.card)
            for measured in (self.measured, self.fair)
        )
        return [name for name in every if name not in fair]

    @cached_property
    def fair_tests(self) -> list[RemedyTest]:
        """The tests of the remedies that can come first, on the queries that decide."""
        return self._tests([(own, self.independent) for own in self.fair])

    def first(self) -> RemedyTest | None:
        """Return the remedy to apply first: the largest gain that is shown; None if none is.

        Only queries count whose judgments the training of no adapter used (`fair_tests`).
        """
        shown = [test for test in self.fair_tests if test.effect == "helps"]
        return max(shown, key=lambda test: test.test.change, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return the record that `imrnns-lens remedies --json` writes."""
        first = self.first()
        return {
            "schema": SCHEMA,
            "dataset": self.data,
            "split": self.split,
            "adapter": self.adapter,
            "run": self.run,
            "not_ranked": self.not_ranked,
            "queries": len(self.query_ids),
            "failing": int((~self.succeeds(self.base)).sum()),
            "first": None if first is None else first.measured.remedy.name,
            "remedies": [self._record(i) for i in range(len(self.measured))],
        }

    def _record(self, i: int) -> dict[str, Any]:
        own, ids = self.measured[i], np.array(self.query_ids)
        return {
            "name": own.remedy.name,
            "settings": own.distinct,
            "cross_validated": own.cross_validated,
            "milliseconds_per_query": own.milliseconds,
            "bytes_per_document": own.remedy.bytes_per_document,
            "reencodes": own.remedy.reencodes,
            "fixed": ids[self.tests["all"][i].fixed].tolist(),
            "broken": ids[self.tests["all"][i].broken].tolist(),
            "groups": {
                name: {
                    **test.test.to_json(),
                    "p_holm": test.p,
                    "fixed": int(test.fixed.sum()),
                    "broken": int(test.broken.sum()),
                }
                for name, tests in self.tests.items()
                for test in tests
                if test.measured is own
            },
        }


def _common(measured: Sequence[Measured]) -> NDArray[np.bool_]:
    return np.asarray(np.logical_and.reduce([own.independent for own in measured]))
