"""Recognise a text that training used: unchanged, slightly changed, cut into passages, or merged.

A document counts as used if one of these holds:

- its text is the same, whatever the case and the white space;
- it shares enough shingles (runs of three or four words) with one used document: a few words were
  changed;
- sentences of used documents make up half of its words, or 25 words: it is a passage of a longer
  document, or several documents in one.

Runs of words that many documents have (`common_runs`), such as those of a footer, do not count.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import regex

from imrnns_core.data.common_runs import NO_RUNS, common_runs
from imrnns_core.data.shingles import (
    SHINGLE_WORDS,
    SHORT_SHINGLE_WORDS,
    SHORT_WORDS,
    SKETCH_SIZE,
    Hashes,
    Passage,
    hexadecimal,
    runs_in_order,
    runs_of,
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
# Scripts in which blanks part phrases or sentences, not words
_UNSPACED = r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
UNSPACED = regex.compile(_UNSPACED)
UNSPACED_LETTERS = 4
"""Letters, with their marks, that count as a word of a sentence in these scripts."""
PARTS = regex.compile(rf"(?:^|\s)(?:[-–*•·◦‣▪+]|\d{{1,3}}[.)]|\(?[a-zA-Z]\))\s|(?<={_UNSPACED})\s+")
"""What parts sentences without a full stop: the items of a list, and phrases of these scripts."""
KNOWN_WORDS = 25
"""Words in sentences of used documents by which a longer document counts as used."""
LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half a surrogate pair: Python has such characters, encoders refuse them."""


def text_hash(text: str) -> str:
    """Return 16 hexadecimal digits that identify a text, whatever its case and white space."""
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.blake2b(words.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def shingle_sketch(text: str, common: Hashes = NO_RUNS) -> frozenset[str]:
    """Return hashes (8 hexadecimal digits each) of the shingles by which a text is recognised.

    These are the eight with the smallest hashes, or all of a short text. Two texts that differ in a
    few words have most of them in common; punctuation and case do not count. Source: Broder, "On
    the resemblance and containment of documents", 1997. `common` shingles do not count.
    """
    return frozenset(_sketch(words_of(text), common))


def _sketch(words: Sequence[str], common: Hashes) -> list[str]:
    own = _own_runs(words, SHORT_SHINGLE_WORDS, common)
    if len(own) <= SHORT_WORDS - SHORT_SHINGLE_WORDS:
        return hexadecimal(own)
    return hexadecimal(_own_runs(words, SHINGLE_WORDS, common)[:SKETCH_SIZE])


def _own_runs(words: Sequence[str], width: int, common: Hashes) -> Hashes:
    """Return the hashes of the runs of words that are not common, in ascending order."""
    return np.setdiff1d(runs_of(words, width), common)


def own_words(words: Sequence[str], common: Hashes) -> int:
    """Return how many of the words of a text are in no common run."""
    if not len(common):
        return len(words)
    inside = np.zeros(len(words), np.bool_)
    starts = np.flatnonzero(np.isin(runs_in_order(words, SHORT_SHINGLE_WORDS), common))
    for shift in range(min(SHORT_SHINGLE_WORDS, len(words))):
        inside[starts + shift] = True
    return int((~inside).sum())


def sentence_hashes(text: str) -> frozenset[str]:
    """Return the hashes (10 hexadecimal digits each) of the sentences of a text.

    A sentence with fewer than six words is too common: its hash is that of the sentence and those
    after it, up to six words. A hash begins at each sentence, so a passage has those of its
    document, wherever it is cut.
    """
    return frozenset(h for h, _ in _hashed_sentences(_sentences(text)))


def _sentences(text: str) -> list[list[str]]:
    """Return the words of each sentence, item of a list, or phrase (`PARTS`)."""
    parts = [part for sentence in split_sentences(text, 1) for part in PARTS.split(sentence)]
    return [words for words in map(words_of, parts) if words]


def _count(word: str) -> int:
    """Return about how many words a run of letters has: several in scripts without blanks."""
    return max(1, len(word) // UNSPACED_LETTERS) if UNSPACED.match(word) else 1


def _hashed_sentences(sentences: Sequence[Sequence[str]]) -> Iterator[tuple[str, range]]:
    """Yield each hash of `sentence_hashes` and the positions of its sentences."""
    for first in range(len(sentences)):
        words: list[str] = []
        for last in range(first, len(sentences)):
            words += sentences[last]
            if sum(map(_count, words)) >= SENTENCE_WORDS:
                encoded = " ".join(words).encode(errors="surrogatepass")
                digest = hashlib.blake2b(encoded, digest_size=5).hexdigest()
                yield digest, range(first, last + 1)
                break


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
    def of(cls, documents: Iterable[Passage], common: Hashes | None = None) -> Fingerprints:
        """Return the fingerprints of some documents.

        `common` are the `common_runs` of their corpus, by default those of the documents.
        """
        documents = list(documents)
        common = common_runs(documents) if common is None else common
        texts = [f"{document.title} {document.text}" for document in documents]
        sketches = {"".join(_sketch(words_of(text), common)) for text in texts}
        sentences = {
            h
            for own in (_sentences(document.text) for document in documents)
            for h, joined in _hashed_sentences(own)
            if any(own_words(own[number], common) for number in joined)
        }
        whole = {text_hash(text) for text in texts}
        return cls(sorted(whole), sorted(sketches - {""}), sorted(sentences))


class KnownTexts:
    """The documents with some fingerprints: `document in known`.

    `common` are the `common_runs` of the corpus of the documents that are looked up. Otherwise most
    shingles of a short page with a long footer would be those of the footer.
    """

    def __init__(self, *fingerprints: Fingerprints, common: Hashes = NO_RUNS) -> None:
        self.whole = frozenset(h for own in fingerprints for h in own.whole)
        self._common = common
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
        own = own_words(words_of(document.text), self._common)
        return 0 < self._known_words(document.text) >= min(KNOWN_WORDS, own / 2)

    def covers(self, document: Passage) -> bool:
        """Return whether a document is a copy with small changes, or consists of known sentences.

        Another document that contains a known one is in the known texts, but not covered by them.
        """
        text = f"{document.title} {document.text}"
        if text_hash(text) in self.whole or self._most_shared(text) >= COPY_SHARE:
            return True
        own = own_words(words_of(document.text), self._common)
        return 0 < self._known_words(document.text) >= COPY_SHARE * own

    def _most_shared(self, text: str) -> float:
        """Return the largest share of the shingles that one known document also has."""
        words = words_of(text)
        best = 0.0
        # a few words more or less can make a short text of a long one, so both kinds are compared
        for width, size in ((SHINGLE_WORDS, SKETCH_SIZE), (SHORT_SHINGLE_WORDS, len(words))):
            sketch = hexadecimal(_own_runs(words, width, self._common)[:size])
            shared = Counter(n for shingle in sketch for n in self._documents.get(shingle, ()))
            most = max(shared.values(), default=0)
            if most >= min(MIN_SHARED, max(1, len(words) - width + 1)):
                best = max(best, most / max(1, len(sketch)))
            older = len(self._older.intersection(sketch))
            if older and older >= min(OLDER_SHARED, len(sketch)):
                best = 1.0
        return best

    def _known_words(self, text: str) -> int:
        """Return how many words of a text are in known sentences, without those of a footer."""
        sentences = _sentences(text) if self._sentences else []
        known = {
            number
            for h, joined in _hashed_sentences(sentences)
            if h in self._sentences
            for number in joined
        }
        return sum(own_words(sentences[number], self._common) for number in known)
