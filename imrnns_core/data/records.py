"""Records of a document and of a query."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

PART_HASHES = 4
"""Largest number of sentences by which a changed document is recognised."""
_SENTENCE_END = re.compile(r"[.!?;:\n\u3002\uff01\uff1f\u0964]+")
_NO_WORD = re.compile(r"[\W_]+")


def text_hash(text: str) -> str:
    """Return 16 hexadecimal digits that identify a text, whatever its case and white space."""
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.blake2b(words.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def part_hashes(*texts: str) -> frozenset[str]:
    """Return the hashes (8 hexadecimal digits each) of a few sentences of texts.

    Only words count. From many sentences, those with the smallest hashes are taken, so a text from
    which a few sentences were changed keeps most of its hashes.
    Source: Broder, "On the resemblance and containment of documents", 1997 (bottom-k sketches).
    """
    sentences = (
        _NO_WORD.sub(" ", sentence).strip()
        for text in texts
        for sentence in _SENTENCE_END.split(unicodedata.normalize("NFKC", text).casefold())
    )
    hashes = {
        hashlib.blake2b(words.encode(errors="surrogatepass"), digest_size=4).hexdigest()
        for words in sentences
        if words
    }
    return frozenset(sorted(hashes)[:PART_HASHES])


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the corpus; `subject` is empty if the collection does not name it."""

    id: str
    title: str
    text: str
    subject: str = ""

    @property
    def body(self) -> str:
        """The text, or the title if the text is empty."""
        return self.text.strip() or self.title.strip()

    @property
    def text_hash(self) -> str:
        """The hash of title and text; the same document has it in every data set."""
        return text_hash(f"{self.title} {self.text}")

    @property
    def part_hashes(self) -> frozenset[str]:
        """Hashes of the title and of sentences; a slightly changed document keeps most of them."""
        return part_hashes(self.title, self.text)


@dataclass(frozen=True, slots=True)
class Query:
    """A query; `id` is empty if the user typed it."""

    id: str
    text: str

    @property
    def text_hash(self) -> str:
        """The hash of the text."""
        return text_hash(self.text)
