"""Find documents that are nearly the same, such as filled-in forms or versions of a page."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.shingles import (
    SHINGLE_WORDS,
    SHORT_SHINGLE_WORDS,
    SHORT_WORDS,
    SKETCH_SIZE,
    Passage,
    hash_runs,
    shingle_hashes,
    words_of,
)
from imrnns_core.types import IntArray, Qrels, relevant_ids

Hashes = NDArray[np.uint64]
NEAR_SHARE = 0.3
"""Share of the shingles of its sketch by which a document is a near copy of another one."""
CHUNK = 10_000
"""Documents whose words are hashed together."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def copies(documents: Sequence[Passage], share: float = NEAR_SHARE) -> IntArray:
    """Return the group (N,) of each document; near copies are in one group.

    Two documents are near copies if they have this share of their sketches in common, directly or
    through others. A sketch has the eight shingles with the smallest hashes, of three words each in
    a document with fewer than 40 words, else of four: a sample of the text. With 0.3, documents
    that share a third of their shingles are found in 40 % of cases, with 60 % in 90 %. The time
    grows with N, not with its square, whatever the documents have in common.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    sketches, sizes = _sketches(documents)
    edges = list(_edges(sketches, np.ceil(share * sizes).astype(np.int64), sizes))
    if not edges:
        return np.arange(len(documents), dtype=np.int64)
    first, second = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    shape = (len(documents), len(documents))
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=shape)
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def copies_of_relevant(document: Mapping[str, Passage], qrels: Qrels) -> dict[str, int]:
    """Return the group of near copies of each relevant document that is in the corpus.

    `document` has the documents of the corpus by id.
    """
    ids = sorted({d for judged in qrels.values() for d in relevant_ids(judged) if d in document})
    return dict(zip(ids, copies([document[i] for i in ids]).tolist(), strict=True))


def _sketches(documents: Sequence[Passage]) -> tuple[Hashes, IntArray]:
    """Return the sketches (N, 8), filled up with zeros, and their sizes (N,)."""
    sketches = np.zeros((len(documents), SKETCH_SIZE), np.uint64)
    sizes = np.zeros(len(documents), np.int64)
    codes = _Codes()
    for start in range(0, len(documents), CHUNK):
        texts = [
            words_of(f"{document.title} {document.text}")
            for document in documents[start : start + CHUNK]
        ]
        lengths = np.array([len(words) for words in texts])
        joined = np.fromiter(map(codes.__getitem__, chain.from_iterable(texts)), np.uint64)
        for width, chosen in (
            (SHORT_SHINGLE_WORDS, lengths < SHORT_WORDS),
            (SHINGLE_WORDS, lengths >= SHORT_WORDS),
        ):
            kept = np.repeat(chosen, lengths)
            rows = start + np.flatnonzero(chosen)
            _fill(joined[kept], lengths[chosen], width, rows, sketches, sizes)
    return sketches, sizes


class _Codes(dict[str, int]):
    """Word → a number; most words of a corpus occur many times."""

    def __missing__(self, word: str) -> int:
        code = self[word] = zlib.crc32(word.encode(errors="surrogatepass"))
        return code


def _fill(
    codes: Hashes,
    lengths: IntArray,
    width: int,
    rows: IntArray,
    sketches: Hashes,
    sizes: IntArray,
) -> None:
    """Write the sketches of some documents into the rows (D,) of `sketches`, and their sizes.

    `codes` (W,) are the codes of their words, one document after the other, with D `lengths`.
    """
    owners = np.repeat(np.arange(len(lengths)), lengths)
    # a document with fewer words than a shingle has one shingle of all its words
    few = np.flatnonzero((lengths > 0) & (lengths < width))
    for number in few:
        own = shingle_hashes(codes[owners == number], width)
        sketches[rows[number], : len(own)], sizes[rows[number]] = own, len(own)
    if len(codes) < width:
        return
    last = len(codes) - width + 1
    inside = owners[:last] == owners[width - 1 :]
    hashes = hash_runs([codes[shift : last + shift] for shift in range(width)])[inside]
    owner = owners[:last][inside]
    order = np.lexsort((hashes, owner))
    hashes, owner = hashes[order], owner[order]
    new = np.r_[True, (hashes[1:] != hashes[:-1]) | (owner[1:] != owner[:-1])][: len(hashes)]
    hashes, owner = hashes[new], owner[new]
    starts = np.searchsorted(owner, np.arange(len(lengths)))
    position = np.arange(len(owner)) - starts[owner]
    small = position < SKETCH_SIZE
    sketches[rows[owner[small]], position[small]] = hashes[small]
    counts = np.bincount(owner[small], minlength=len(lengths))
    sizes[rows[counts > 0]] = counts[counts > 0]


def _edges(
    sketches: Hashes, needed: IntArray, sizes: IntArray
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield pairs of documents, (E,) and (E,), that connect all near copies.

    Documents are near copies if they have as many shingles in common as one of them needs (N,). So
    it is enough to compare sets of that size: documents with the same set are near copies if it has
    the size that one of them needs. That one connects all the others.
    """
    for count in range(1, int(needed.max(initial=0)) + 1):
        sets, rows = _sets(sketches, sizes, count)
        if not len(sets):
            continue
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
