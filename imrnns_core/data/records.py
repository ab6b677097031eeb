"""Records of a document and of a query."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from dataclasses import dataclass

import numpy as np

SHINGLE_WORDS, SKETCH_SIZE = 4, 8
"""Words per shingle, and shingles by which a changed document is recognised."""
MIN_SHARED = 4
"""Shingles that a document must share with used texts to count as a changed copy of one."""
# scripts without spaces: each character is a word
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], np.uint64
)


def text_hash(text: str) -> str:
    """Return 16 hexadecimal digits that identify a text, whatever its case and white space."""
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.blake2b(words.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def shingle_sketch(text: str) -> frozenset[str]:
    """Return hashes (8 hexadecimal digits each) of the runs of four words with the smallest hashes.

    Two texts that differ in a few words have most of these in common; punctuation and case do not
    count. Source: Broder, "On the resemblance and containment of documents", 1997.
    """
    words = _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())
    codes = np.array([zlib.crc32(w.encode(errors="surrogatepass")) for w in words], np.uint64)
    width = min(SHINGLE_WORDS, len(codes))
    if not width:
        return frozenset()
    windows = np.lib.stride_tricks.sliding_window_view(codes, width)
    hashes = (windows * _FACTORS[:width]).sum(axis=1)
    hashes = ((hashes ^ (hashes >> np.uint64(29))) * _FACTORS[0]) >> np.uint64(32)
    return frozenset(f"{value:08x}" for value in np.unique(hashes)[:SKETCH_SIZE])


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the corpus; subject and address are empty if the collection has none."""

    id: str
    title: str
    text: str
    subject: str = ""
    url: str = ""

    @property
    def body(self) -> str:
        """The text, or the title if the text is empty."""
        return self.text.strip() or self.title.strip()

    @property
    def text_hash(self) -> str:
        """The hash of title and text; the same document has it in every data set."""
        return text_hash(f"{self.title} {self.text}")

    @property
    def sketch(self) -> frozenset[str]:
        """The shingles of title and text; a slightly changed document keeps most of them."""
        return shingle_sketch(f"{self.title} {self.text}")


@dataclass(frozen=True, slots=True)
class Query:
    """A query; `id` is empty if the user typed it."""

    id: str
    text: str

    @property
    def text_hash(self) -> str:
        """The hash of the text."""
        return text_hash(self.text)
