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
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from imrnns_core.data.near_copies import copies
from imrnns_core.data.shingles import (
    SHINGLE_WORDS,
    SHORT_SHINGLE_WORDS,
    SHORT_WORDS,
    SKETCH_SIZE,
    Passage,
    shingles,
    words_of,
)
from imrnns_core.text.sentences import split_sentences

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
"""What more documents have, and a larger share of them, tells nothing about one of them.

Versions of one page count once: what they have in common tells that it is this page.
"""
LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half a surrogate pair: Python has such characters, encoders refuse them."""


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
        return shingles(words, SHORT_SHINGLE_WORDS)
    return shingles(words, SHINGLE_WORDS, size)


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
        documents = list(documents)
        groups = copies(documents, COPY_SHARE).tolist()
        texts = [f"{document.title} {document.text}" for document in documents]
        words = [words_of(text) for text in texts]
        # twice as many as are kept, in case that some are common
        sketches = [_sketch(own, 2 * SKETCH_SIZE) for own in words]
        sentences = [sentence_hashes(document.text) for document in documents]
        common = _common(sketches, groups)
        kept = {
            "".join([h for h in own if h not in common][: _most(text)])
            for own, text in zip(sketches, words, strict=True)
        }
        told = {h for own in sentences for h in own} - _common(sentences, groups)
        return cls(sorted({text_hash(text) for text in texts}), sorted(kept - {""}), sorted(told))


def _most(words: Sequence[str]) -> int | None:
    """Return how many shingles of a text are kept, None for all."""
    return None if len(words) < SHORT_WORDS else SKETCH_SIZE


def _common(hashes: Sequence[Iterable[str]], groups: Sequence[int]) -> set[str]:
    """Return the hashes that many groups of near copies have, such as those of a footer."""
    pairs = {(h, group) for own, group in zip(hashes, groups, strict=True) for h in own}
    most = max(COMMON_DOCUMENTS, COMMON_SHARE * len(set(groups)))
    return {h for h, count in Counter(h for h, _ in pairs).items() if count > most}


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
            sketch = shingles(words, width, size)
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
