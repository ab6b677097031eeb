"""Split the judged queries into training and validation queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from imrnns_core.statistics.query_groups import connected_queries
from imrnns_core.types import Qrels, relevant_ids

QrelsDict = dict[str, Mapping[str, int]]
"""Query id → document id → grade, for a part of the queries."""

VALIDATION_QUERIES = 40
"""Target number of validation queries; at most two fifths of the judged queries are used for it."""
MIN_VALIDATION_QUERIES = 10
"""With fewer validation queries nothing is trained, because chance would select the epoch."""


@dataclass(frozen=True)
class TrainValidationSplit:
    """The judged queries, by use.

    Attributes:
        train: Training queries.
        valid: Validation queries that share no relevant document with `train`, if possible.
        held_out: Validation queries whose relevant documents are also relevant for `train`.
        notes: Remarks for the user about the split.
        enough: Whether there are enough validation queries to select an epoch.
    """

    train: QrelsDict = field(default_factory=dict)
    valid: QrelsDict = field(default_factory=dict)
    held_out: QrelsDict = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    enough: bool = True

    @property
    def all(self) -> QrelsDict:
        """All judged queries."""
        return {**self.train, **self.held_out, **self.valid}


def split_queries(
    qrels: QrelsDict,
    share: float,
    seed: int,
    hold_out_seen: bool,
    copies: Mapping[str, int] | None = None,
) -> TrainValidationSplit:
    """Hold out a share of the queries for validation.

    Args:
        qrels: The judged queries, each with a relevant document.
        share: Share of the queries that share no relevant document with the training queries.
        seed: Seed of the random choice.
        hold_out_seen: Also hold out this share of queries whose relevant documents are trained on.
            The share is raised if it gives fewer than `VALIDATION_QUERIES` queries.
        copies: Id of each relevant document → number of its group of near copies, which count as
            one document.
    """
    if hold_out_seen:
        share = max(share, min(0.4, VALIDATION_QUERIES / max(len(qrels), 1)))
    notes = []
    train, valid = split_disjoint(qrels, share, seed, copies)
    if not valid:  # shared relevant documents connect all queries
        train, valid = split_random(qrels, share, seed)
        notes.append(
            "the relevant documents of the validation queries were also training positives, "
            "because no other queries could be held out"
        )
    train, held_out = split_shared(train, share, seed) if hold_out_seen else (train, {})
    if len(qrels) == 1:
        train = valid = qrels
    enough = len(valid) + len(held_out) >= MIN_VALIDATION_QUERIES
    if not enough:
        notes.append(
            f"too few judged queries ({len(qrels)}) for validation, so none was trained on"
        )
    return TrainValidationSplit(train, valid, held_out, tuple(notes), enough)


def queries_with_relevant(qrels: Qrels) -> QrelsDict:
    """Return the queries that have a relevant document."""
    return {q: judged for q, judged in qrels.items() if relevant_ids(judged)}


def split_disjoint(
    qrels: Qrels, share: float, seed: int, copies: Mapping[str, int] | None = None
) -> tuple[QrelsDict, QrelsDict]:
    """Return training and validation queries that share no relevant document.

    Queries that share a relevant document, directly or through other queries, form a group; near
    copies (`copies`) count as one document. Random groups go to validation as a whole, up to
    `share` of the queries.
    """
    ids, group = list(qrels), connected_queries(qrels, copies)
    members: dict[int, list[str]] = {}
    for row in reversed(range(len(ids))):
        members.setdefault(int(group[row]), []).append(ids[row])
    groups = list(members.values())[::-1]  # in the order of their last queries
    limit, validation = share * len(qrels), set[str]()
    for i in np.random.default_rng(seed).permutation(len(groups)):
        # a group that is too large stays in training
        if len(validation) + len(groups[i]) <= max(limit, 1):
            validation.update(groups[i])
    return {q: j for q, j in qrels.items() if q not in validation}, {
        q: j for q, j in qrels.items() if q in validation
    }


def split_random(qrels: Qrels, share: float, seed: int) -> tuple[QrelsDict, QrelsDict]:
    """Return random training and validation queries, which may share relevant documents."""
    ids = list(qrels)
    validation = {
        ids[i]
        for i in np.random.default_rng(seed).permutation(len(ids))[: max(int(share * len(ids)), 1)]
    }
    return {q: j for q, j in qrels.items() if q not in validation}, {
        q: j for q, j in qrels.items() if q in validation
    }


def split_shared(qrels: Qrels, share: float, seed: int) -> tuple[QrelsDict, QrelsDict]:
    """Return training queries, and up to `share` of held-out queries that remain seen.

    All relevant documents of a held-out query are also relevant for a training query. Together with
    `split_disjoint` this measures an adapter on seen and on unseen queries.
    """
    queries_left: dict[str, int] = {}  # document id → training queries for which it is relevant
    for judged in qrels.values():
        for document in relevant_ids(judged):
            queries_left[document] = queries_left.get(document, 0) + 1
    ids, held_out = list(qrels), set[str]()
    for i in np.random.default_rng(seed).permutation(len(ids)):
        relevant = set(relevant_ids(qrels[ids[i]]))
        if len(held_out) < int(share * len(ids)) and all(queries_left[d] > 1 for d in relevant):
            held_out.add(ids[i])
            for document in relevant:
                queries_left[document] -= 1
    return {q: j for q, j in qrels.items() if q not in held_out}, {
        q: j for q, j in qrels.items() if q in held_out
    }
