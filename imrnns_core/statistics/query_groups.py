"""Groups of queries that share relevant documents."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from imrnns_core.types import IntArray, Qrels, relevant_ids


def connected_queries(qrels: Qrels, copies: Mapping[str, int] | None = None) -> IntArray:
    """Return the group (Q,) of each query.

    Queries that share a relevant document, directly or through other queries, are in one group.

    Args:
        qrels: The judgments of the Q queries.
        copies: Document id → number of its group of near copies, which count as one document.
    """
    # takes a third of a second to import
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    column: dict[str | int, int] = {}
    groups_of = copies or {}
    entries = [
        (row, column.setdefault(groups_of.get(document_id, document_id), len(column)))
        for row, judged in enumerate(qrels.values())
        for document_id in sorted(relevant_ids(judged))
    ]
    rows, columns = np.array(entries, dtype=np.int64).reshape(-1, 2).T
    size = len(qrels) + len(column)  # one node per query and per relevant document
    graph = coo_array((np.ones(len(rows)), (rows, columns + len(qrels))), shape=(size, size))
    groups = connected_components(graph, directed=False)[1][: len(qrels)]
    return np.asarray(groups, dtype=np.int64)


def query_folds(qrels: Qrels, count: int, copies: Mapping[str, int] | None = None) -> IntArray:
    """Return the fold (Q,) of each query.

    Queries that share a relevant document are in one fold. There are up to `count` folds, of sizes
    as equal as this allows, and only one if all queries are connected by shared documents.

    Args:
        qrels: The judgments of the Q queries.
        count: Largest number of folds.
        copies: As for `connected_queries`.
    """
    from sklearn.model_selection import GroupKFold  # takes a third of a second to import

    groups = connected_queries(qrels, copies)
    different = len(np.unique(groups))
    folds = np.zeros(len(qrels), dtype=np.int64)
    if different > 1:
        splitter = GroupKFold(min(count, different))
        for fold, (_, members) in enumerate(splitter.split(groups, groups=groups)):
            folds[members] = fold
    return folds
