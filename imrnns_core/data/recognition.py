"""Recognise a text that training used: unchanged, slightly changed, cut into passages, or merged.

A document counts as used if one of these holds:

- its text is the same, whatever the case and the white space;
- it shares enough shingles (runs of three or four words) with one used document: a few words were
  changed;
- sentences of used documents make up half of its words, or 25 words: it is a passage of a longer
  document, or several documents in one. Sentences of many documents, such as a footer, do not
  count.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from imrnns_core.text.sentences import split_sentences
from imrnns_core.types import IntArray

SHORT_WORDS = 40
"""Documents with fewer words are short: a changed word changes a large part of them."""
SHINGLE_WORDS, SHORT_SHINGLE_WORDS = 4, 3
"""Words per shingle, and words per shingle of a short document."""
SKETCH_SIZE = 8
"""Shingles by which a longer document is recognised; a short one is recognised by all."""
MIN_SHARED, MIN_SHARE = 3, 0.3
"""Shingles, and share of its shingles, that a document must have in common with a used one."""
COPY_SHARE = 0.6
"""Share of its shingles by which a document counts as a copy with small changes."""
OLDER_SHARED = 4
"""The same for adapter cards of older versions, whose shingles are not divided by document."""
HASH_DIGITS = 8
SENTENCE_WORDS = 6
"""Shorter sentences are too common to tell where they come from; they are joined to the next."""
KNOWN_WORDS = 25
"""Words in sentences of used documents by which a longer document counts as used."""
COMMON_DOCUMENTS, COMMON_SHARE = 5, 0.1
"""What more documents have, and a larger share of them, tells nothing about one of them."""
LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half a surrogate pair: Python has such characters, encoders refuse them."""
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
    """Return hashes (8 hexadecimal digits each) of the shingles by which a text is recognised.

    These are the eight with the smallest hashes, or all of a short text. Two texts that differ in a
    few words have most of them in common; punctuation and case do not count. Source: Broder, "On
    the resemblance and containment of documents", 1997.
    """
    return frozenset(_sketch(words_of(text), SKETCH_SIZE))


def _sketch(words: Sequence[str], size: int) -> list[str]:
    """Return `size` hashes of shingles in ascending order, or all of a short text."""
    if len(words) < SHORT_WORDS:
        return _shingles(words, SHORT_SHINGLE_WORDS)
    return _shingles(words, SHINGLE_WORDS)[:size]


def _shingles(words: Sequence[str], width: int) -> list[str]:
    """Return the hashes of all runs of `width` words, in ascending order."""
    codes = np.array([zlib.crc32(w.encode(errors="surrogatepass")) for w in words], np.uint64)
    width = min(width, len(codes))
    if not width:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(codes, width)
    hashes = (windows * _FACTORS[:width]).sum(axis=1)
    hashes = ((hashes ^ (hashes >> np.uint64(29))) * _FACTORS[0]) >> np.uint64(32)
    return [f"{value:08x}" for value in np.unique(hashes)]


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
        shingles: `shingle_sketch` of title and text, joined, one item per document. Older cards
            have none, or one item per shingle.
        sentences: `sentence_hashes` of the texts. Older cards have none.
    """

    whole: list[str] = field(default_factory=list)
    shingles: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, documents: Iterable[Passage]) -> Fingerprints:
        """Return the fingerprints of some documents."""
        whole, sketches, sentences = set[str](), list[tuple[list[str], bool]](), Counter[str]()
        for document in documents:
            text = f"{document.title} {document.text}"
            whole.add(text_hash(text))
            words = words_of(text)
            # twice as many as are kept, in case that some are common
            sketches.append((_sketch(words, 2 * SKETCH_SIZE), len(words) < SHORT_WORDS))
            sentences.update(sentence_hashes(document.text).keys())
        most = max(COMMON_DOCUMENTS, COMMON_SHARE * len(sketches))
        common = {h for h, n in Counter(h for own, _ in sketches for h in own).items() if n > most}
        shingles = {
            "".join([h for h in own if h not in common][: None if short else SKETCH_SIZE])
            for own, short in sketches
        }
        told = sorted(h for h, n in sentences.items() if n <= most)
        return cls(sorted(whole), sorted(shingles - {""}), told)


class KnownTexts:
    """The documents with some fingerprints: `document in known`."""

    def __init__(self, *fingerprints: Fingerprints) -> None:
        self.whole = frozenset(h for own in fingerprints for h in own.whole)
        self._sentences = frozenset(h for own in fingerprints for h in own.sentences)
        joined = [item for own in fingerprints for item in own.shingles]
        # an older card has one shingle per item, of documents that are not told apart
        self._older = frozenset(item for item in joined if len(item) == HASH_DIGITS)
        self._documents: dict[str, list[int]] = {}
        for number, item in enumerate(item for item in joined if len(item) > HASH_DIGITS):
            for start in range(0, len(item), HASH_DIGITS):
                self._documents.setdefault(item[start : start + HASH_DIGITS], []).append(number)

    def __contains__(self, document: Passage) -> bool:
        text = f"{document.title} {document.text}"
        if text_hash(text) in self.whole or self._most_shared(text) >= MIN_SHARE:
            return True
        words = len(words_of(document.text))
        return 0 < self._known_words(document.text) >= min(KNOWN_WORDS, words / 2)

    def covers(self, document: Passage) -> bool:
        """Return whether a document is a copy with small changes, or consists of known sentences.

        Another document that contains a known one is in the known texts, but not covered by them.
        """
        text = f"{document.title} {document.text}"
        if text_hash(text) in self.whole or self._most_shared(text) >= COPY_SHARE:
            return True
        words = len(words_of(document.text))
        return words > 0 and self._known_words(document.text) >= COPY_SHARE * words

    def _most_shared(self, text: str) -> float:
        """Return the largest share of the shingles that one known document also has."""
        words = words_of(text)
        best = 0.0
        # a few words more or less can make a short text of a long one, so both kinds are compared
        for width, size in ((SHINGLE_WORDS, SKETCH_SIZE), (SHORT_SHINGLE_WORDS, len(words))):
            sketch = _shingles(words, width)[:size]
            shared = Counter(n for shingle in sketch for n in self._documents.get(shingle, ()))
            most = max(shared.values(), default=0)
            if most >= min(MIN_SHARED, len(sketch)):
                best = max(best, most / max(1, len(sketch)))
            older = len(self._older.intersection(sketch))
            if older and older >= min(OLDER_SHARED, len(sketch)):
                best = 1.0
        return best

    def _known_words(self, text: str) -> int:
        if not self._sentences:
            return 0
        return sum(n for h, n in sentence_hashes(text).items() if h in self._sentences)


def copies(documents: Sequence[Passage]) -> IntArray:
    """Return the group (N,) of each document; near copies, such as filled-in forms, are in one.

    Two documents are near copies if they share 30 % of their shingles, directly or through others.
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
    sizes = has.sum(axis=1)
    enough = shared.data >= MIN_SHARE * np.minimum(sizes[shared.row], sizes[shared.col])
    pairs = (np.ones(enough.sum()), (shared.row[enough], shared.col[enough]))
    graph = coo_array(pairs, shape=(len(documents), len(documents)))
    groups = connected_components(graph, directed=False)[1]
    return np.asarray(groups, dtype=np.int64)
