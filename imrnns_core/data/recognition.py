"""Recognise a text that training used: unchanged, slightly changed, cut into passages, or merged.

A document counts as used if one of these holds:

- its text is the same, whatever the case and the white space;
- it shares 4 of its 8 shingles with used documents: a few words were changed;
- sentences of used documents make up half of its words, or 25 words: it is a passage of a longer
  document, or several documents in one. A footer that all pages have is shorter than that.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from imrnns_core.text.sentences import split_sentences
from imrnns_core.types import IntArray

SHINGLE_WORDS, SKETCH_SIZE = 4, 8
"""Words per shingle, and shingles by which a changed document is recognised."""
MIN_SHARED = 4
"""Shingles that a document must share with used texts to count as a changed copy of one."""
SENTENCE_WORDS = 6
"""Shorter sentences are too common to tell where they come from; they are joined to the next."""
KNOWN_WORDS = 25
"""Words in sentences of used documents by which a longer document counts as used."""
# scripts without spaces: each character is a word
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], np.uint64
)


class Passage(Protocol):
    """A document, as far as its recognition needs it."""

    @property
    def title(self) -> str:
        """The title; may be empty."""
        ...

    @property
    def text(self) -> str:
        """The text."""
        ...


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation."""
    return _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())


def text_hash(text: str) -> str:
    """Return 16 hexadecimal digits that identify a text, whatever its case and white space."""
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.blake2b(words.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def shingle_sketch(text: str) -> frozenset[str]:
    """Return hashes (8 hexadecimal digits each) of the runs of four words with the smallest hashes.

    Two texts that differ in a few words have most of these in common; punctuation and case do not
    count. Source: Broder, "On the resemblance and containment of documents", 1997.
    """
    words = words_of(text)
    codes = np.array([zlib.crc32(w.encode(errors="surrogatepass")) for w in words], np.uint64)
    width = min(SHINGLE_WORDS, len(codes))
    if not width:
        return frozenset()
    windows = np.lib.stride_tricks.sliding_window_view(codes, width)
    hashes = (windows * _FACTORS[:width]).sum(axis=1)
    hashes = ((hashes ^ (hashes >> np.uint64(29))) * _FACTORS[0]) >> np.uint64(32)
    return frozenset(f"{value:08x}" for value in np.unique(hashes)[:SKETCH_SIZE])


def sentence_hashes(text: str) -> dict[str, int]:
    """Return the hashes (10 hexadecimal digits each) of the sentences → their numbers of words."""
    hashes = {}
    for sentence in split_sentences(text, SENTENCE_WORDS):
        words = words_of(sentence)
        if len(words) >= SENTENCE_WORDS:
            encoded = " ".join(words).encode(errors="surrogatepass")
            hashes[hashlib.blake2b(encoded, digest_size=5).hexdigest()] = len(words)
    return hashes


@dataclass(frozen=True)
class Fingerprints:
    """By what documents are recognised, as sorted lists of hashes.

    Attributes:
        whole: `text_hash` of title and text.
        shingles: `shingle_sketch` of title and text. Older cards have none.
        sentences: `sentence_hashes` of the texts. Older cards have none.
    """

    whole: list[str] = field(default_factory=list)
    shingles: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, documents: Iterable[Passage]) -> Fingerprints:
        """Return the fingerprints of some documents."""
        whole, shingles, sentences = set[str](), set[str](), set[str]()
        for document in documents:
            whole.add(text_hash(f"{document.title} {document.text}"))
            shingles |= shingle_sketch(f"{document.title} {document.text}")
            sentences |= sentence_hashes(document.text).keys()
        return cls(sorted(whole), sorted(shingles), sorted(sentences))


class KnownTexts:
    """The documents with some fingerprints: `document in known`."""

    def __init__(self, *fingerprints: Fingerprints) -> None:
        self.whole = frozenset(h for own in fingerprints for h in own.whole)
        self._shingles = frozenset(h for own in fingerprints for h in own.shingles)
        self._sentences = frozenset(h for own in fingerprints for h in own.sentences)

    def __contains__(self, document: Passage) -> bool:
        text = f"{document.title} {document.text}"
        if text_hash(text) in self.whole:
            return True
        sketch = shingle_sketch(text)
        if sketch and len(sketch & self._shingles) >= min(MIN_SHARED, len(sketch)):
            return True
        return self._has_sentences(document.text)

    def _has_sentences(self, text: str) -> bool:
        if not self._sentences:
            return False
        known = sum(n for h, n in sentence_hashes(text).items() if h in self._sentences)
        return 0 < known >= min(KNOWN_WORDS, len(words_of(text)) / 2)


def copies(documents: Sequence[Passage]) -> IntArray:
    """Return the group (N,) of each document; near copies, such as filled-in forms, are in one.

    Two documents are near copies if they share 4 of their 8 shingles, directly or through others.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    column: dict[str, int] = {}
    entries = [
        (row, column.setdefault(shingle, len(column)))
        for row, document in enumerate(documents)
        for shingle in sorted(shingle_sketch(f"{document.title} {document.text}"))
    ]
    if not entries:
        return np.arange(len(documents), dtype=np.int64)
    rows, columns = np.array(entries, dtype=np.int64).T
    shape = (len(documents), len(column))
    has = coo_array((np.ones(len(rows), np.int32), (rows, columns)), shape=shape).tocsr()
    shared = (has @ has.T).tocoo()
    sizes = np.minimum(MIN_SHARED, has.sum(axis=1))
    enough = shared.data >= np.minimum(sizes[shared.row], sizes[shared.col])
    pairs = (np.ones(enough.sum()), (shared.row[enough], shared.col[enough]))
    graph = coo_array(pairs, shape=(len(documents), len(documents)))
    groups = connected_components(graph, directed=False)[1]
    return np.asarray(groups, dtype=np.int64)
