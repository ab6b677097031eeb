"""Rank only the best one of documents that are near copies of each other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from imrnns_core.data.near_copies import copies
from imrnns_core.remedies.remedy import Remedy, Search
from imrnns_core.types import IntArray

SHARE = 0.6
"""Share of the compared runs of words that near copies have in common.

It is larger than that of the clusters in tests: documents that share a third of their wording
should both be found.
"""


def remedies(search: Search) -> Iterator[Remedy]:
    """Yield the remedy, if the corpus has near copies."""
    dataset = search.collection.dataset
    groups = copies(dataset.documents, SHARE, dataset.common_runs)
    if len(np.unique(groups)) < len(groups):
        yield Remedy(
            "near copies collapsed",
            "Of documents that share about 60 % of their wording or more, only the best is ranked.",
            "Give each document the number of its group, and keep the first one of a group.",
            partial(_collapsed, groups),
            bytes_per_document=8,
        )


def _collapsed(groups: IntArray, search: Search, _: float) -> list[IntArray]:
    rankings = []
    for base in search.base:
        first = np.unique(groups[base.rows], return_index=True)[1]
        rankings.append(base.rows[np.sort(first)])
    return rankings
