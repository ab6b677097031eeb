"""Ten pairs of query and document to judge: those that narrow the range of a change most."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from dashboard.services import catalog, evaluations
from dashboard.services.computation import Computation
from dashboard.services.judging import Pair
from imrnns_core.data.dataset import Dataset
from imrnns_core.evaluation.change_bounds import CUTOFF, OpenChange, TwoRankings
from imrnns_core.evaluation.informative_judgments import ChangeRange, narrowing_pairs
from imrnns_core.remedies.bench import Bench
from imrnns_core.remedies.measured import Measured
from imrnns_core.retrieval.batch import ranked_ids
from imrnns_core.statistics.measures import Rankings
from imrnns_core.storage.judgments import GRADES
from imrnns_core.types import LabelledProgress, Stage

MODULATED = "modulated ranking"


@dataclass(frozen=True)
class Task:
    """Which two rankings are compared.

    Attributes:
        data: The data set.
        system: The adapter with its scope, as `Selection.system` names it.
        split: The split whose queries are ranked.
        other: The ranking that is compared with the base: `MODULATED`, or the name of a remedy.
    """

    data: str
    system: str
    split: str
    other: str


@dataclass(frozen=True)
class Ten:
    """Pairs to judge.

    The rankings stay as they were when the pairs were chosen: a judgment can change the setting of
    a remedy, and so its ranking.

    Attributes:
        task: Which rankings are compared.
        rankings: Their top 10.
        pairs: The pairs, in random order; fewer than ten if fewer have an effect.
        before: The range of the change when they were chosen.
    """

    task: Task
    rankings: TwoRankings
    pairs: tuple[Pair, ...]
    before: ChangeRange

    def range(self) -> ChangeRange:
        """Return the range of the change with the judgments of now."""
        return ChangeRange.of(_open_change(self.task, self.rankings))


@dataclass(frozen=True)
class OpenTen:
    """Ten pairs of a session, which may still be chosen."""

    task: Task
    job: Computation[Ten]


def is_offered(data: str, split: str) -> bool:
    """Return whether a split has negative judgments, or judgments that people made here.

    If files name only relevant documents, nobody is known to judge: the data set then has no use
    for a few judgments more.
    """
    dataset = catalog.dataset(data)
    if dataset.judged_by_people(split):
        return True
    return any(
        grade <= 0 for judged in dataset.splits.get(split, {}).values() for grade in judged.values()
    )


def choose(task: Task, bench: Bench, remedy: Measured, skipped: Container[Pair]) -> OpenTen:
    """Choose the next pairs, in the background.

    Args:
        task: Which rankings are compared.
        bench: The measured remedies, with the base ranking.
        remedy: The remedy that is compared with the base; without effect for `MODULATED`.
        skipped: Pairs that are left out.
    """
    dataset = catalog.dataset(task.data)

    def work(report: LabelledProgress) -> Ten:
        report("Choosing documents", 0, 1)
        tops = (bench.top, remedy.top)
        if task.other == MODULATED:
            tops = _tops_of_adapter(task, dataset)
        rankings = TwoRankings.of(*tops)
        change = _open_change(task, rankings)
        pairs = narrowing_pairs(rankings, change, np.random.default_rng(), skipped=skipped)
        return Ten(task, rankings, tuple(pairs), ChangeRange.of(change))

    return OpenTen(task, Computation.start(work))


def _tops_of_adapter(task: Task, dataset: Dataset) -> tuple[Rankings, Rankings]:
    measured = evaluations.evaluation(task.data, task.system, task.split, CUTOFF)

    def top(stage: Stage) -> Rankings:
        rows = [own[:CUTOFF] for own in measured.batch.ranked_rows(stage)]
        return ranked_ids(dataset, measured.query_ids, rows)

    return top("base"), top(measured.final)


def _open_change(task: Task, rankings: TwoRankings) -> OpenChange:
    qrels = catalog.dataset(task.data).splits.get(task.split, {})
    # a judgment that was undone can leave a query without any
    own = {query_id: qrels.get(query_id, {}) for query_id in rankings.query_ids}
    return OpenChange.of(rankings, own, max(GRADES))
