"""Find documents that are nearly the same, such as filled-in forms or versions of a page."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations

import numpy as np

from imrnns_core.data.common_runs import NO_RUNS
from imrnns_core.data.shingles import (
    SHINGLE_WORDS,
    SHORT_SHINGLE_WORDS,
    SHORT_WORDS,
    SKETCH_SIZE,
    Hashes,
    Passage,
    hash_runs,
    words_of,
)
from imrnns_core.types import IntArray, Progress, Qrels, relevant_ids

BOTH_WORDS = SHORT_WORDS // 2
"""Short documents with at least so many words are also compared as longer ones."""
NEAR_SHARE = 0.3
"""Share of the shingles of its sketch by which a document is a near copy of another one."""
CHUNK = 10_000
"""Documents whose words are hashed together."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HASH_BITS, _HASH = np.uint64(32), np.uint64(0xFFFFFFFF)


def copies(
    documents: Sequence[Passage],
    share: float = NEAR_SHARE,
    ignored: Hashes = NO_RUNS,
    progress: Progress | None = None,
) -> IntArray:
    """Return the group (N,) of each document; near copies are in one group.

    Two documents are near copies if they have this share of their sketches in common, directly or
    through others. A sketch has the eight shingles with the smallest hashes: a sample of the text.
    Documents with fewer than 40 words are compared by shingles of three words, those with at least
    20 words by shingles of four words, so some by both. With 0.3, documents that share a third of
    their shingles are found in 40 % of cases, with 60 % in 90 %. The time grows with N, not with
    its square, whatever the documents have in common.

    Args:
        documents: The N documents.
        share: The share by which two documents are near copies.
        ignored: Hashes of shingles that do not count. By default, all count: pages that fill in one
            template are near copies. With the `common_runs` of the corpus, they are not, nor are
            pages with one footer. A document that has no other shingles keeps them.
        progress: Called with (done, total) documents whose words are hashed.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = [
        edge
        for sketches, sizes in _sketches(documents, ignored, progress)
        for edge in _edges(sketches, np.ceil(share * sizes).astype(np.int64), sizes)
    ]
    if not edges:
        return np.arange(len(documents), dtype=np.int64)
    first, second = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    shape = (len(documents), len(documents))
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=shape)
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def copies_of_relevant(
    document: Mapping[str, Passage], qrels: Qrels, ignored: Hashes
) -> dict[str, int]:
    """Return the group of near copies of each relevant document that is in the corpus.

    `document` has the documents of the corpus by id, `ignored` the shingles that do not count.
    """
    ids = sorted({d for judged in qrels.values() for d in relevant_ids(judged) if d in document})
    groups = copies([document[i] for i in ids], ignored=ignored)
    return dict(zip(ids, groups.tolist(), strict=True))


def _sketches(
    documents: Sequence[Passage], ignored: Hashes, progress: Progress | None
) -> list[tuple[Hashes, IntArray]]:
    """Return the sketches (N, 8), filled up with zeros, and their sizes (N,), for each kind.

    A document that is not compared as a kind has a sketch of size 0.
    """
    found = [
        (np.zeros((len(documents), SKETCH_SIZE), np.uint64), np.zeros(len(documents), np.int64))
        for _ in range(2)
    ]
    codes = _Codes()
    for start in range(0, len(documents), CHUNK):
        texts = [
            words_of(f"{document.title} {document.text}")
            for document in documents[start : start + CHUNK]
        ]
        lengths = np.array([len(words) for words in texts])
        joined = np.fromiter(map(codes.__getitem__, chain.from_iterable(texts)), np.uint64)
        for width, chosen, kind in (
            (SHORT_SHINGLE_WORDS, lengths < SHORT_WORDS, found[0]),
            (SHINGLE_WORDS, lengths >= BOTH_WORDS, found[1]),
        ):
            rows = np.flatnonzero(chosen)
            runs, owners = _runs(joined[np.repeat(chosen, lengths)], lengths[chosen], width)
            _fill(*_without(runs, owners, ignored), start + rows, kind)
        if progress:
            progress(start + len(texts), len(documents))
    return found


class _Codes(dict[str, int]):
    """Word → a number; most words of a corpus occur many times."""

    def __missing__(self, word: str) -> int:
        code = self[word] = zlib.crc32(word.encode(errors="surrogatepass"))
        return code


def _runs(codes: Hashes, lengths: IntArray, width: int) -> tuple[Hashes, IntArray]:
    """Return the hashes (R,) of the runs of some documents, and the number of the document of each.

    `codes` (W,) are the codes of their words, one document after the other, with D `lengths`.
    """
    owners = np.repeat(np.arange(len(lengths)), lengths)
    # a document with fewer words than a shingle has one shingle of all its words
    documents = np.flatnonzero((lengths > 0) & (lengths < width))
    hashes = [hash_runs(list(codes[owners == number, None])) for number in documents]
    if len(codes) >= width:
        last = len(codes) - width + 1
        inside = owners[:last] == owners[width - 1 :]
        hashes.append(hash_runs([codes[shift : last + shift] for shift in range(width)])[inside])
        documents = np.r_[documents, owners[:last][inside]]
    return np.concatenate([NO_RUNS, *hashes]), documents


def _without(runs: Hashes, owners: IntArray, ignored: Hashes) -> tuple[Hashes, IntArray]:
    """Return the runs that are not ignored; a document that would have none keeps all of them."""
    kept = ~np.isin(runs, ignored)
    kept |= np.bincount(owners[kept], minlength=int(owners.max(initial=0)) + 1)[owners] == 0
    return runs[kept], owners[kept]


def _fill(runs: Hashes, owners: IntArray, rows: IntArray, kind: tuple[Hashes, IntArray]) -> None:
    """Write the sketches of some documents, and their sizes, into the rows (D,) of a kind."""
    sketches, sizes = kind
    # a hash has 32 bits, so one number has both: sorting it is faster than sorting by two
    both = np.sort((owners.astype(np.uint64) << _HASH_BITS) | runs)
    both = both[np.r_[True, both[1:] != both[:-1]][: len(both)]]
    runs, owners = both & _HASH, (both >> _HASH_BITS).astype(np.int64)
    position = np.arange(len(owners)) - np.searchsorted(owners, owners)
    small = position < SKETCH_SIZE
    sketches[rows[owners[small]], position[small]] = runs[small]
    sizes[rows] = np.bincount(owners[small], minlength=len(rows))


def _edges(
    sketches: Hashes, needed: IntArray, sizes: IntArray
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield pairs of documents, (E,) and (E,), that connect all near copies.

    Documents are near copies if they have as many shingles in common as one of them needs (N,). So
    it is enough to compare sets of that size: documents with the same set are near copies if it has
    the size that one of them needs. That one connects all the others.
    """
    for count in np.unique(needed[sizes > 0]).tolist():
        sets, rows = _sets(sketches, sizes, count)
        # of equal sets, those for which the set is enough come first
        enough = needed[rows] == count
        order = np.lexsort((~enough, sets))
        sets, rows, enough = sets[order], rows[order], enough[order]
        starts = np.flatnonzero(np.r_[True, sets[1:] != sets[:-1]])
        hubs = np.repeat(starts, np.diff(np.r_[starts, len(sets)]))
        connected = enough[hubs]
        yield rows[hubs[connected]], rows[connected]


def _sets(sketches: Hashes, sizes: IntArray, count: int) -> tuple[Hashes, IntArray]:
    """Return a hash of every set of `count` shingles of a sketch, and its document; both (S,)."""
    sets, rows = [], []
    for columns in combinations(range(SKETCH_SIZE), count):
        # sketches are filled from the left
        row = np.flatnonzero(sizes > columns[-1])
        value = np.zeros(len(row), np.uint64)
        for column in columns:
            value = (value ^ sketches[row, column]) * _FACTOR
            value ^= value >> np.uint64(29)
        sets.append(value)
        rows.append(row)
    return np.concatenate(sets), np.concatenate(rows)
