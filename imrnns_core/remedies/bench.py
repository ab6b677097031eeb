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
from imrnns_core.evaluation.change_bounds import CUTOFF
from imrnns_core.evaluation.cross_validation import FOLDS, choose_settings
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.seen import Group, masks_of, query_groups
from imrnns_core.evaluation.verdicts import MIN_CHANGED, Effect, effect_of
from imrnns_core.remedies.measured import Measured
from imrnns_core.remedies.remedy import Remedy, Search, all_remedies
from imrnns_core.retrieval.batch import ranked_ids
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import Rankings, SystemMetrics, measure
from imrnns_core.statistics.query_groups import connected_queries, query_folds
from imrnns_core.statistics.significance import Significance, holm, paired_tests
from imrnns_core.types import IntArray, LabelledProgress, Qrels

SCHEMA = 1


@dataclass(frozen=True)
class RemedyTest:
    """The change that a remedy makes on some queries.

    Attributes:
        measured: The remedy.
        test: The test of remedy − base on nDCG@10.
        p: Its p value, corrected for the number of remedies (Holm).
        fixed: (Q,) True where base has no relevant document in the top k, and the remedy has one.
        broken: (Q,) True where it is the other way round.
    """

    measured: Measured
    test: Significance
    p: float
    fixed: NDArray[np.bool_]
    broken: NDArray[np.bool_]

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
        independent: (Q,) True for the queries whose judgments the training of the adapter did not
            use; False for all if this is unknown.
        groups: (Q,) how training used the documents of each query; None without an adapter, or if
            it is unknown.
        top_k: A query fails if no relevant document is in the top k.
        top: The top 10 of each query in the base ranking.
    """

    data: str
    split: str
    adapter: str | None
    query_ids: tuple[str, ...]
    base: SystemMetrics
    measured: tuple[Measured, ...]
    clusters: IntArray = field(repr=False)
    independent: NDArray[np.bool_] = field(repr=False)
    groups: NDArray[np.str_] | None = field(default=None, repr=False)
    top_k: int = SearchConfig().top_k
    top: Rankings = field(default_factory=dict, repr=False)

    @cached_property
    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Name → mask (Q,) of all queries, and of each group if there are several."""
        every = np.ones(len(self.query_ids), dtype=bool)
        own: dict[Group, NDArray[np.bool_]] = masks_of(self.groups)
        return {"all": every, **{name: m for name, m in own.items() if m.any() and not m.all()}}

    @cached_property
    def tests(self) -> dict[str, list[RemedyTest]]:
        """Name of a group → the test of each remedy on its queries.

        A remedy that has learned from judgments is tested on all queries too, but what it shows
        there holds only for queries like those that it was trained on.
        """
        return {name: self._tests(mask) for name, mask in self.masks.items()}

    def _tests(self, mask: NDArray[np.bool_]) -> list[RemedyTest]:
        if not self.measured or not mask.any():
            return []
        base = self.base.values[:, 0]
        changes = np.stack([own.values - base for own in self.measured], axis=1)
        tests = paired_tests(changes[mask], self.clusters[mask])
        corrected = holm([test.p for test in tests])
        succeeds = self.succeeds(self.base)
        return [
            RemedyTest(
                own,
                test,
                p,
                mask & ~succeeds & self.succeeds(own.metrics),
                mask & succeeds & ~self.succeeds(own.metrics),
            )
            for own, test, p in zip(self.measured, tests, corrected, strict=True)
        ]

    def succeeds(self, metrics: SystemMetrics) -> NDArray[np.bool_]:
        """Return for each query (Q,) whether a relevant document is in the top k."""
        return (metrics.best_ranks > 0) & (metrics.best_ranks <= self.top_k)

    @property
    def has_independent(self) -> bool:
        """Whether enough queries for a verdict are independent of training."""
        return int(self.independent.sum()) >= MIN_CHANGED

    @cached_property
    def fair_tests(self) -> list[RemedyTest]:
        """The tests on the queries whose judgments no training used.

        If there are too few, or none are known, they are those of the remedies that learn from no
        judgment, on all queries.
        """
        if self.has_independent:
            return self._tests(self.independent)
        untrained = [own for own in self.measured if not own.remedy.is_trained]
        return replace(self, measured=tuple(untrained)).tests["all"]

    def first(self) -> RemedyTest | None:
        """Return the remedy to apply first: the largest gain that is shown; None if none is.

        Only queries count whose judgments the training of the adapter did not use (`fair_tests`).
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
                    **tests[i].test.to_json(),
                    "p_holm": tests[i].p,
                    "fixed": int(tests[i].fixed.sum()),
                    "broken": int(tests[i].broken.sum()),
                }
                for name, tests in self.tests.items()
            },
        }


def measure_remedies(
    ranker: Ranker, lexical: BM25Index, split: str, progress: LabelledProgress | None = None
) -> Bench:
    """Measure every remedy on the judged queries of a split.

    Args:
        ranker: The collection, with or without an adapter.
        lexical: The BM25 index of the collection.
        split: Name of the split.
        progress: Called with (name of a remedy, settings done, all settings).

    Raises DataError as `Dataset.judged_queries` does.
    """
    dataset = ranker.collection.dataset
    qrels = dataset.judged_queries(split)
    near = copies_of_relevant(dataset.document, qrels, dataset.common_runs)
    search = Search.of(ranker, lexical, [dataset.queries[query_id] for query_id in qrels])
    folds = query_folds(qrels, FOLDS, near)
    groups = query_groups(qrels, ranker.card, dataset) if ranker.card else None
    every = np.ones(len(qrels), dtype=bool)
    independent = every
    if ranker.card is not None:
        independent = ~every if groups is None else ~np.isin(groups, ["seen", "validation"])
    measured = []
    remedies = list(all_remedies(search))
    for number, remedy in enumerate(remedies, 1):
        label = f"Remedy {number} of {len(remedies)}, {remedy.name}, setting"

        def report(done: int, label: str = label, total: int = len(remedy.settings)) -> None:
            if progress:
                progress(label, done, total)

        deciding = independent if remedy.is_trained else every
        measured.append(_measured(remedy, search, qrels, folds, deciding, report))
    base = [own.rows for own in search.base]
    return Bench(
        *(dataset.name, split, ranker.adapter_name, tuple(qrels)),
        _metrics(search, qrels, base),
        tuple(measured),
        connected_queries(qrels, near),
        independent,
        groups,
        top=_top(search, base),
    )


def _measured(
    remedy: Remedy,
    search: Search,
    qrels: Qrels,
    folds: IntArray,
    deciding: NDArray[np.bool_],
    report: Callable[[int], None],
) -> Measured:
    """Rank with all settings, and give each query the best setting of the other folds."""
    start, rankings = time.perf_counter(), list[list[IntArray]]()
    for setting in remedy.settings:
        rankings.append(remedy.rank(search, setting))
        report(len(rankings))
    seconds = time.perf_counter() - start
    systems = [_metrics(search, qrels, own) for own in rankings]
    values = np.stack([system.values[:, 0] for system in systems])
    chosen, cross_validated = choose_settings(values, folds, deciding)
    final = [rankings[number][i] for i, number in enumerate(chosen.tolist())]
    return Measured(
        remedy,
        np.array(remedy.settings)[chosen],
        cross_validated,
        _metrics(search, qrels, final),
        1000 * seconds / (len(qrels) * len(remedy.settings)),
        _top(search, final),
    )


def _metrics(search: Search, qrels: Qrels, rankings: Sequence[IntArray]) -> SystemMetrics:
    dataset = search.collection.dataset
    return measure([NDCG], qrels, ranked_ids(dataset, tuple(qrels), rankings))


def _top(search: Search, rankings: Sequence[IntArray]) -> Rankings:
    top = [rows[:CUTOFF] for rows in rankings]
    return ranked_ids(search.collection.dataset, search.ids, top)
