"""The words of a document, and hashes of their runs (shingles), by which texts are compared."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import regex
from numpy.typing import NDArray

SHORT_WORDS = 40
"""Documents with fewer words are short: a changed word changes a large part of them."""
SHINGLE_WORDS, SHORT_SHINGLE_WORDS = 4, 3
"""Words per shingle, and words per shingle of a short document."""
SKETCH_SIZE = 8
"""Shingles by which a longer document is recognised; a short one is recognised by all."""
# Scripts without spaces: each character is a word. A mark, such as a vowel sign, is a part of one
_CHARACTERS = r"[[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]--\p{P}]"
_WORDS = regex.compile(rf"{_CHARACTERS}|[[\p{{L}}\p{{M}}\p{{N}}]--{_CHARACTERS}]+", regex.VERSION1)
Hashes = NDArray[np.uint64]
_ASCII_WORDS = re.compile("[a-z0-9]+")
"""The same words of a text without other letters, several times as fast."""
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
    folded = unicodedata.normalize("NFKC", text).casefold()
    found: list[str] = (_ASCII_WORDS if folded.isascii() else _WORDS).findall(folded)
    return found


def hash_runs(columns: Sequence[Hashes]) -> Hashes:
    """Return a hash (R,) of each run of words; `columns` has an array (R,) for each word of it."""
    pairs = zip(columns, _FACTORS, strict=False)
    hashes = sum((codes * factor for codes, factor in pairs), np.zeros(1, np.uint64))
    mixed = ((hashes ^ (hashes >> np.uint64(29))) * _FACTORS[0]) >> np.uint64(32)
    return np.asarray(mixed, np.uint64)


def runs_in_order(words: Sequence[str], width: int) -> Hashes:
    """Return the hash of each run of `width` words in the order of the text, or of all words."""
    codes = np.array([zlib.crc32(w.encode(errors="surrogatepass")) for w in words], np.uint64)
    width = min(width, len(codes))
    if not width:
        return codes
    last = len(codes) - width + 1
    return hash_runs([codes[shift : last + shift] for shift in range(width)])


def runs_of(words: Sequence[str], width: int) -> Hashes:
    """Return the different hashes of all runs of `width` words, in ascending order."""
    return np.unique(runs_in_order(words, width))


def hexadecimal(hashes: Hashes) -> list[str]:
    """Return the hashes as adapter cards have them: 8 hexadecimal digits each."""
    return [f"{value:08x}" for value in hashes.tolist()]
