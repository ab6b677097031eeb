"""Rank only the best one of documents that are near copies of each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from imrnns_core.data.common_runs import NO_RUNS
from imrnns_core.data.records import Document
from imrnns_core.data.shingles import SHINGLE_WORDS, Hashes, runs_of, words_of
from imrnns_core.remedies.remedy import Remedy, Search
from imrnns_core.types import IntArray

SHARE = 0.6
"""Share of the runs of words of the shorter document that near copies have in common.

It is larger than that of the clusters in tests: documents that share a third of their wording
should both be found.
"""


def remedies(search: Search) -> Iterator[Remedy]:
    """Yield the remedy, if there are near copies among the documents that the base ranks."""
    dataset = search.collection.dataset
    copying = NearCopies(dataset.documents, dataset.common_runs)
    if any(len(copying.collapsed(base.rows)) < len(base.rows) for base in search.base):
        yield Remedy(
            "near copies collapsed",
            "near copies ranked higher",
            "A document is left out if one that is ranked higher has nearly the same wording (60 % "
            "of the runs of four words of the shorter one, apart from runs that many documents "
            "share, such as a footer).",
            "Go down the list, and leave out each document that is a near copy of one above it.",
            lambda search, _: [copying.collapsed(base.rows) for base in search.base],
            bytes_per_document=copying.bytes_per_document,
        )


class NearCopies:
    """Which documents of a corpus are near copies of each other.

    Args:
        documents: The N documents.
        ignored: Hashes of runs that do not count; a document that has no others keeps them.
    """

    def __init__(self, documents: Sequence[Document], ignored: Hashes = NO_RUNS) -> None:
        self._documents, self._ignored = documents, ignored
        self._runs = dict[int, Hashes]()

    @property
    def bytes_per_document(self) -> int:
        """The mean size of the runs that are kept of each document so far, rounded up."""
        sizes = [runs.nbytes for runs in self._runs.values()]
        return -(-sum(sizes) // max(1, len(sizes)))

    def collapsed(self, rows: IntArray) -> IntArray:
        """Return the rows (R,) without those of documents that are near copies of one before."""
        from scipy.sparse import csr_array

        runs = [self._runs_of(row) for row in rows.tolist()]
        sizes = np.array([len(own) for own in runs], dtype=np.int64)
        different, numbers = np.unique(np.concatenate([NO_RUNS, *runs]), return_inverse=True)
        has = csr_array(
            (np.ones(len(numbers), np.int32), numbers, np.r_[0, np.cumsum(sizes)]),
            shape=(len(rows), len(different)),
        )
        shorter = np.maximum(1, np.minimum(sizes[:, None], sizes[None, :]))
        is_near = (has @ has.T).toarray() >= SHARE * shorter
        kept = list[int]()
        for number in range(len(rows)):
            if not is_near[number, kept].any():
                kept.append(number)
        return np.asarray(rows[kept], dtype=np.int64)

    def _runs_of(self, row: int) -> Hashes:
        if row not in self._runs:
            document = self._documents[row]
            runs = runs_of(words_of(f"{document.title} {document.text}"), SHINGLE_WORDS)
            own = runs[~np.isin(runs, self._ignored)]
            self._runs[row] = own if len(own) else runs
        return self._runs[row]
