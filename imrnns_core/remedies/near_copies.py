"""Rank only the best one of documents that are near copies of each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from imrnns_core.data.near_copies import copies
from imrnns_core.data.records import Document
from imrnns_core.data.shingles import SHINGLE_WORDS, Hashes, runs_of, words_of
from imrnns_core.remedies.remedy import Remedy, Search
from imrnns_core.types import IntArray

SHARE = 0.6
"""Share of the runs of words of the shorter document that near copies have in common.

It is larger than that of the clusters in tests: documents that share a third of their wording
should both be found.
"""
FINDING_SHARE = 0.3
"""Documents that have less than this share of a sample of their runs in common are not compared."""


def remedies(search: Search) -> Iterator[Remedy]:
    """Yield the remedy, if there are near copies among the documents that the base ranks."""
    dataset = search.collection.dataset
    ranked = np.unique(np.concatenate([base.rows for base in search.base]))
    documents = [dataset.documents[row] for row in ranked.tolist()]
    groups = np.arange(len(dataset.documents))
    groups[ranked] = ranked[copies(documents, FINDING_SHARE, dataset.common_runs)]
    if len(np.unique(groups)) < len(groups):
        copying = NearCopies(dataset.documents, groups)
        yield Remedy(
            "near copies collapsed",
            "A document is left out if one that is ranked higher has nearly the same wording (60 % "
            "of the runs of four words of the shorter one).",
            "Go down the list, and leave out each document that is a near copy of one above it.",
            lambda search, _: [copying.collapsed(base.rows) for base in search.base],
            bytes_per_document=8,
        )


class NearCopies:
    """Which documents of a corpus are near copies of each other.

    Args:
        documents: The N documents.
        groups: (N,) only documents of one group can be near copies.
    """

    def __init__(self, documents: Sequence[Document], groups: IntArray) -> None:
        self._documents, self._groups = documents, groups
        self._runs = dict[int, Hashes]()

    def collapsed(self, rows: IntArray) -> IntArray:
        """Return the rows (R,) without those of documents that are near copies of one before."""
        ranked, above = list[int](), defaultdict[int, list[int]](list)
        for row, group in zip(rows.tolist(), self._groups[rows].tolist(), strict=True):
            if not any(self._are_near(row, other) for other in above[group]):
                ranked.append(row)
                above[group].append(row)
        return np.array(ranked, dtype=np.int64)

    def _are_near(self, first: int, second: int) -> bool:
        own, other = self._runs_of(first), self._runs_of(second)
        common = len(np.intersect1d(own, other, assume_unique=True))
        return common >= SHARE * max(1, min(len(own), len(other)))

    def _runs_of(self, row: int) -> Hashes:
        if row not in self._runs:
            document = self._documents[row]
            words = words_of(f"{document.title} {document.text}")
            self._runs[row] = runs_of(words, SHINGLE_WORDS)
        return self._runs[row]
