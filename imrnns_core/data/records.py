"""Records of a document and of a query."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass


def text_hash(text: str) -> str:
    """Return 16 hexadecimal digits that identify a text, whatever its case and white space."""
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.blake2b(words.encode(errors="surrogatepass"), digest_size=8).hexdigest()


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


@dataclass(frozen=True, slots=True)
class Query:
    """A query; `id` is empty if the user typed it."""

    id: str
    text: str

    @property
    def text_hash(self) -> str:
        """The hash of the text."""
        return text_hash(self.text)
