"""Which judged queries are trained on, and which of them are held out to validate with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from imrnns_core.types import Qrels, relevant_ids

Judged = dict[str, Mapping[str, int]]

HELD_OUT = 40
"""So many validation queries, where two fifths of the judged ones allow it; fewer tell nothing."""
FEWEST = 10
"""With fewer validation queries of its own choice, a run trains nothing.

Chance would choose the epoch.
"""


@dataclass(frozen=True)
class TrainValidationSplit:
    """Judged queries by use.

    Attributes:
        train: Trained on.
        valid: Choose the epoch; where it can be, they share no relevant document with `train`.
        held: Choose it as well; each shares a relevant document with `train`.
        notes: What the user should know about them.
        enough: Whether there are enough to validate with.
    """

    train: Judged = field(default_factory=dict)
    valid: Judged = field(default_factory=dict)
    held: Judged = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    enough: bool = True

    @property
    def all(self) -> Judged:
        """All judged queries."""
        return {**self.train, **self.held, **self.valid}


def split_queries(qrels: Judged, share: float, seed: int, both: bool) -> TrainValidationSplit:
    """Hold out a share of the queries on other documents.

    With `both`, as many on documents that are trained on.
    """
    if both:
        share = max(share, min(0.4, HELD_OUT / max(len(qrels), 1)))
    notes = []
    train, valid = split_disjoint(qrels, share, seed)
    if not valid:  # all queries hang together by the documents they share
        train, valid = split_random(qrels, share, seed)
        notes.append(
            "validated on queries whose relevant documents were training positives too: no "
            "others could be set apart"
        )
    train, held = split_shared(train, share, seed) if both else (train, {})
    if len(qrels) == 1:
        train = valid = qrels
    enough = len(valid) + len(held) >= FEWEST
    if not enough:
        notes.append(f"too few judged queries ({len(qrels)}) to validate with: none was trained on")
    return TrainValidationSplit(train, valid, held, tuple(notes), enough)


def judged_positive(qrels: Qrels) -> Judged:
    """Keep the queries with a relevant document."""
    return {q: judged for q, judged in qrels.items() if relevant_ids(judged)}


def split_disjoint(qrels: Qrels, share: float, seed: int) -> tuple[Judged, Judged]:
    """Split queries into training and validation parts that share no relevant document.

    Queries that share one, directly or through others, stay together; whole groups, in random
    order, go to validation until it holds `share` of the queries.
    """
    ids, columns = list(qrels), dict[str, int]()
    edges = [
        (row, columns.setdefault(d, len(columns)))
        for row, q in enumerate(ids)
        for d in sorted(relevant_ids(qrels[q]))
    ]
    rows, documents = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    nodes = len(ids) + len(columns)
    graph = coo_array((np.ones(len(edges)), (rows, documents + len(ids))), shape=(nodes, nodes))
    group = connected_components(graph, directed=False)[1][: len(ids)]
    members: dict[int, list[str]] = {}
    for row in reversed(range(len(ids))):
        members.setdefault(int(group[row]), []).append(ids[row])
    groups = list(members.values())[::-1]  # in the order of their last queries
    wanted, validation = share * len(qrels), set[str]()
    for i in np.random.default_rng(seed).permutation(len(groups)):
        if len(validation) + len(groups[i]) <= max(wanted, 1):
            validation.update(groups[i])
    return {q: j for q, j in qrels.items() if q not in validation}, {
        q: j for q, j in qrels.items() if q in validation
    }


def split_random(qrels: Qrels, share: float, seed: int) -> tuple[Judged, Judged]:
    """Split queries into training and validation parts, whatever they share."""
    ids = list(qrels)
    validation = {
        ids[i]
        for i in np.random.default_rng(seed).permutation(len(ids))[: max(int(share * len(ids)), 1)]
    }
    return {q: j for q, j in qrels.items() if q not in validation}, {
        q: j for q, j in qrels.items() if q in validation
    }


def split_shared(qrels: Qrels, share: float, seed: int) -> tuple[Judged, Judged]:
    """Hold out up to `share` of the queries, each with a relevant document that is trained on.

    Together with `split_disjoint` this tells how an adapter does on seen and on unseen documents.
    """
    left: dict[str, int] = {}
    for judged in qrels.values():
        for document in relevant_ids(judged):
            left[document] = left.get(document, 0) + 1
    ids, held = list(qrels), set[str]()
    for i in np.random.default_rng(seed).permutation(len(ids)):
        relevant = set(relevant_ids(qrels[ids[i]]))
        if len(held) < int(share * len(ids)) and all(left[d] > 1 for d in relevant):
            held.add(ids[i])
            for document in relevant:
                left[document] -= 1
    return {q: j for q, j in qrels.items() if q not in held}, {
        q: j for q, j in qrels.items() if q in held
    }
