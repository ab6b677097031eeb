"""The groups of queries that the page tells apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dashboard.figures.overview import GroupRow
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.seen import Group
from imrnns_core.statistics.measures import SystemMetrics


def query_groups(measured: Evaluation) -> dict[str, tuple[Group | None, NDArray[np.bool_]]]:
    """Return all queries and each group of them by name; where all are of one group, that once."""
    found: dict[str, tuple[Group | None, NDArray[np.bool_]]] = {
        n: (n, mask) for n, mask in measured.group_masks().items() if mask.any()
    }
    if len(found) == 1:
        return {f"all {name}": which for name, which in found.items()}
    return {"all": (None, np.ones(len(measured.query_ids), dtype=bool)), **found}


def group_rows(measured: Evaluation, bm25: SystemMetrics) -> list[GroupRow]:
    """Return the means of each group."""
    lexical = bm25.values[:, measured.measures.index(NDCG)]
    return [
        GroupRow(
            name,
            int(mask.sum()),
            float(lexical[mask].mean()),
            measured.mean("base", mask)[NDCG],
            measured.mean("modulated", mask)[NDCG],
            measured.significance(NDCG, group).ci95,
        )
        for name, (group, mask) in query_groups(measured).items()
    ]
