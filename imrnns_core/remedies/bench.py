"""Measure the remedies of a search on judged queries, with settings chosen by cross-validation.

Shapes: Q queries, S settings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrnns_core.config import SearchConfig
from imrnns_core.data.near_copies import copies_of_relevant
from imrnns_core.evaluation.cross_validation import FOLDS, choose_settings
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.seen import GROUPS, Group, masks_of, query_groups
from imrnns_core.evaluation.verdicts import MIN_CHANGED, Effect, effect_of
from imrnns_core.remedies.remedy import (
    NO_ALTERNATIVES,
    Alternatives,
    Remedy,
    Search,
    all_remedies,
)
from imrnns_core.retrieval.batch import ranked_ids
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import SystemMetrics, measure
from imrnns_core.statistics.query_groups import connected_queries, query_folds
from imrnns_core.statistics.significance import Significance, holm, paired_tests
from imrnns_core.types import DoubleArray, IntArray, LabelledProgress, Qrels

SCHEMA = 1


@dataclass(frozen=True)
class Measured:
    """A remedy, measured.

    Attributes:
        remedy: The remedy.
        settings: (Q,) the setting of each query, which its own judgments did not choose.
        cross_validated: False if too few queries could choose: all have the default.
        metrics: nDCG@10 and ranks of the best relevant document, for each query.
        milliseconds: Time per query, with the base search and BM25 done.
        independent: (Q,) True for the queries whose judgments the training of its adapter did not
            use; False for all if this is unknown, True for all without an adapter.
        groups: (Q,) how training used the documents of each query: that of its adapter, else that
            of the adapter of the search; None without one, or if it is unknown.
    """

    remedy: Remedy
    settings: DoubleArray
    cross_validated: bool
    metrics: SystemMetrics
    milliseconds: float
    independent: NDArray[np.bool_] = field(repr=False)
    groups: NDArray[np.str_] | None = field(default=None, repr=False)

    @property
    def values(self) -> DoubleArray:
        """(Q,) nDCG@10."""
        return np.asarray(self.metrics.values[:, 0])

    @property
    def distinct(self) -> list[float]:
        """The different settings, ascending."""
        return [round(float(value), 4) for value in np.unique(self.settings)]


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
    """

    data: str
    split: str
    adapter: str | None
    query_ids: tuple[str, ...]
    base: SystemMetrics
    measured: tuple[Measured, ...]
    clusters: IntArray = field(repr=False)
    top_k: int = SearchConfig().top_k

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
        names = [own.remedy.card.name for own in self.measured if own.remedy.card is not None
                 and own not in self.fair]  # fmt: skip
        return list(dict.fromkeys(names))

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


def measure_remedies(
    ranker: Ranker,
    lexical: BM25Index,
    split: str,
    progress: LabelledProgress | None = None,
    alternatives: Alternatives = NO_ALTERNATIVES,
) -> Bench:
    """Measure every remedy on the judged queries of a split.

    Args:
        ranker: The collection, with or without an adapter.
        lexical: The BM25 index of the collection.
        split: Name of the split.
        progress: Called with (name of a remedy, settings done, all settings).
        alternatives: Other adapters and other vectors of the data set.

    Raises DataError as `Dataset.judged_queries` does.
    """
    dataset = ranker.collection.dataset
    qrels = dataset.judged_queries(split)
    near = copies_of_relevant(dataset.document, qrels, dataset.common_runs)
    queries = [dataset.queries[query_id] for query_id in qrels]
    search = Search.of(ranker, lexical, queries, None, alternatives)
    folds = query_folds(qrels, FOLDS, near)
    contact = _contact(search, qrels)
    measured = []
    remedies = list(all_remedies(search))
    for number, remedy in enumerate(remedies, 1):
        label = f"Remedy {number} of {len(remedies)}, {remedy.name}, setting"

        def report(done: int, label: str = label, total: int = len(remedy.settings)) -> None:
            if progress:
                progress(label, done, total)

        groups = contact[remedy.card.name if remedy.card else ranker.adapter_name]
        independent = _independent(remedy, groups, len(qrels))
        own = _measured(remedy, search, qrels, folds, independent, report)
        if own is not None:
            measured.append(replace(own, groups=groups))
    return Bench(
        *(dataset.name, split, ranker.adapter_name, tuple(qrels)),
        _metrics(search, qrels, [own.rows for own in search.base]),
        tuple(measured),
        connected_queries(qrels, near),
    )


def _contact(search: Search, qrels: Qrels) -> dict[str | None, NDArray[np.str_] | None]:
    """Return how the training of each adapter used the documents of the queries, by its name."""
    dataset, none = (
        search.collection.dataset,
        dict[str | None, NDArray[np.str_] | None]({None: None}),
    )
    cards = [own.card for own in search.adapters if own.card is not None]
    return {**none, **{card.name: query_groups(qrels, card, dataset) for card in cards}}


def _independent(remedy: Remedy, groups: NDArray[np.str_] | None, number: int) -> NDArray[np.bool_]:
    """Return the queries (Q,) whose judgments the training of a remedy did not use."""
    if remedy.card is None:
        return np.ones(number, dtype=bool)
    if groups is None:
        return np.zeros(number, dtype=bool)
    return np.asarray(~np.isin(groups, ["seen", "validation"]))


def _measured(
    remedy: Remedy,
    search: Search,
    qrels: Qrels,
    folds: IntArray,
    independent: NDArray[np.bool_],
    report: Callable[[int], None],
) -> Measured | None:
    """Rank with all settings, and give each query the best setting of the other folds.

    Returns None if no setting changes a ranking, as with an adapter that is the identity.
    """
    start, rankings = time.perf_counter(), list[list[IntArray]]()
    for setting in remedy.settings:
        rankings.append(remedy.rank(search, setting))
        report(len(rankings))
    seconds = time.perf_counter() - start
    base = [own.rows for own in search.base]
    if all(np.array_equal(*pair) for own in rankings for pair in zip(own, base, strict=True)):
        return None
    systems = [_metrics(search, qrels, own) for own in rankings]
    values = np.stack([system.values[:, 0] for system in systems])
    chosen, cross_validated = choose_settings(values, folds, independent)
    final = [rankings[number][i] for i, number in enumerate(chosen.tolist())]
    return Measured(
        remedy,
        np.array(remedy.settings)[chosen],
        cross_validated,
        _metrics(search, qrels, final),
        1000 * seconds / (len(qrels) * len(remedy.settings)),
        independent,
    )


def _metrics(search: Search, qrels: Qrels, rankings: Sequence[IntArray]) -> SystemMetrics:
    dataset = search.collection.dataset
    return measure([NDCG], qrels, ranked_ids(dataset, tuple(qrels), rankings))
