"""Measure the remedies of a search on judged queries, with settings chosen by cross-validation.

Shapes: Q queries, S settings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.near_copies import copies_of_relevant
from imrnns_core.errors import LensError
from imrnns_core.evaluation.change_bounds import CUTOFF
from imrnns_core.evaluation.cross_validation import FOLDS, choose_settings
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.seen import query_groups
from imrnns_core.remedies.bench import Bench
from imrnns_core.remedies.measured import Measured
from imrnns_core.remedies.remedy import (
    NO_ALTERNATIVES,
    Alternatives,
    Remedy,
    Search,
    all_remedies,
)
from imrnns_core.retrieval.batch import NO_ROW, ranked_ids
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import Rankings, SystemMetrics, measure
from imrnns_core.statistics.query_groups import connected_queries, query_folds
from imrnns_core.types import IntArray, LabelledProgress, Qrels

NOTHING_RANKED = (
    "the run {} ranks no document for any of the {:,} judged queries; choose another split or base"
)


def measure_remedies(
    ranker: Ranker,
    lexical: BM25Index,
    split: str,
    progress: LabelledProgress | None = None,
    alternatives: Alternatives = NO_ALTERNATIVES,
) -> Bench:
    """Measure every remedy on the judged queries of a split.

    If the base is a run, queries that it does not rank are left out.

    Args:
        ranker: The collection, with or without an adapter, or with a run.
        lexical: The BM25 index of the collection.
        split: Name of the split.
        progress: Called with (name of a remedy, settings done, all settings).
        alternatives: Other adapters and other vectors of the data set.

    Raises:
        DataError: As `Dataset.judged_queries` does.
        LensError: If the base is a run that ranks none of the queries.
    """
    dataset = ranker.collection.dataset
    every = dataset.judged_queries(split)
    qrels = _ranked(ranker, every)
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
    base = [own.rows for own in search.base]
    return Bench(
        *(dataset.name, split, ranker.adapter_name, tuple(qrels)),
        _metrics(search, qrels, base),
        tuple(measured),
        connected_queries(qrels, near),
        top=_top(search, base),
        run=ranker.run_name,
        not_ranked=len(every) - len(qrels),
    )


def _ranked(ranker: Ranker, qrels: Qrels) -> Qrels:
    """Return the judgments of the queries that the base ranks: of a run, those in its file."""
    if ranker.run_name is None:
        return qrels
    first = ranker.rank_queries(list(qrels)).rows[:, :1]
    if not (first != NO_ROW).any():
        raise LensError(NOTHING_RANKED.format(ranker.run_name, len(qrels)))
    ranked = (first[:, 0] != NO_ROW).tolist()
    return dict(compress(qrels.items(), ranked))


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
        top=_top(search, final),
    )


def _metrics(search: Search, qrels: Qrels, rankings: Sequence[IntArray]) -> SystemMetrics:
    dataset = search.collection.dataset
    return measure([NDCG], qrels, ranked_ids(dataset, tuple(qrels), rankings))


def _top(search: Search, rankings: Sequence[IntArray]) -> Rankings:
    top = [rows[:CUTOFF] for rows in rankings]
    return ranked_ids(search.collection.dataset, search.ids, top)
