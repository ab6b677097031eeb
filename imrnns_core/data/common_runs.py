"""Runs of words that many documents of a corpus have, such as those of a footer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from imrnns_core.data.shingles import (
    SHINGLE_WORDS,
    SHORT_SHINGLE_WORDS,
    Hashes,
    Passage,
    runs_of,
    words_of,
)
from imrnns_core.types import DoubleArray

COMMON_DOCUMENTS, COMMON_SHARE = 5, 0.1
"""What more documents have, and a larger share of them, tells nothing about one of them.

Versions of one page count once: what they have in common tells that it is this page.
"""
MOST = 0.5
"""What a larger share of the documents has is common, even if they are versions of one page."""
VERSION_SHARE = 0.6
"""Share of all their runs that two versions of a page have in common."""
SAMPLE = 1000
"""Documents of a larger corpus that are compared, drawn at random."""
NO_RUNS: Hashes = np.zeros(0, np.uint64)


def common_runs(documents: Sequence[Passage]) -> Hashes:
    """Return the hashes (R,) of runs of three and of four words that are common in a corpus.

    A run is common if more than five documents have it, and more than 10 % of them, where versions
    of one page count as one document; or more than half of all documents.
    """
    chosen = range(len(documents))
    if len(documents) > SAMPLE:
        drawn = np.random.default_rng(0).choice(len(documents), SAMPLE, replace=False)
        chosen = np.sort(drawn).tolist()
    if len(chosen) <= COMMON_DOCUMENTS:
        return NO_RUNS
    words = [words_of(f"{documents[row].title} {documents[row].text}") for row in chosen]
    found = [
        _common([runs_of(own, width) for own in words])
        for width in (SHORT_SHINGLE_WORDS, SHINGLE_WORDS)
    ]
    return np.unique(np.concatenate(found))


def _common(runs: Sequence[Hashes]) -> Hashes:
    from scipy.sparse import csr_array

    kinds, columns = np.unique(np.concatenate(runs), return_inverse=True)
    ends = np.cumsum([0, *(len(own) for own in runs)])
    has = csr_array((np.ones(len(columns)), columns, ends), shape=(len(runs), len(kinds)))
    count = np.asarray(has.sum(axis=0))
    common = count > max(COMMON_DOCUMENTS, MOST * len(runs))
    own = has[:, np.flatnonzero(~common & (count > 1))]
    weight = 1 / _versions(own, np.diff(has[:, np.flatnonzero(~common)].indptr))
    common |= weight @ has > max(COMMON_DOCUMENTS, COMMON_SHARE * weight.sum())
    return np.asarray(kinds[common], np.uint64)


def _versions(has: Any, sizes: Any) -> DoubleArray:
    """Return how many versions (N,) of its page a corpus has for each document, with itself.

    `has` (N, R) is 1 where a document has a run that others have, too; `sizes` (N,) are the numbers
    of all its runs.
    """
    shared = (has @ has.T).tocoo()
    first, second = shared.coords
    union = sizes[first] + sizes[second] - shared.data
    version = (shared.data >= VERSION_SHARE * union) & (first != second)
    return np.asarray(1.0 + np.bincount(first[version], minlength=len(sizes)))
