"""The groups of queries that the page compares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dashboard.figures.overview import GroupRow
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.seen import Group
from imrnns_core.evaluation.verdicts import effect_of, verdict_tests
from imrnns_core.statistics.measures import SystemMetrics


def query_groups(measured: Evaluation) -> dict[str, tuple[Group | None, NDArray[np.bool_]]]:
    """Return name → (group, mask) for all queries, and for each group of `evaluation.seen`.

    If all queries belong to one group, the result has this group only.
    """
    groups: dict[str, tuple[Group | None, NDArray[np.bool_]]] = {
        group: (group, mask) for group, mask in measured.group_masks().items()
    }
    # “all” and its only group would be the same row twice
    if len(groups) == 1:
        return groups
    return {"all": (None, np.ones(len(measured.query_ids), dtype=bool)), **groups}


def group_rows(measured: Evaluation, bm25: SystemMetrics) -> list[GroupRow]:
    """Return the means of each group, with the interval of the change."""
    tests = verdict_tests(measured)
    # BM25 was measured with the same measures, in the same order
    lexical = bm25.values[:, measured.measures.index(NDCG)]
    return [
        GroupRow(
            name,
            int(mask.sum()),
            float(lexical[mask].mean()),
            measured.mean("base", mask)[NDCG],
            measured.mean("modulated", mask)[NDCG],
            tests[group][0].interval,
            effect_of(*tests[group]),
        )
        for name, (group, mask) in query_groups(measured).items()
    ]
