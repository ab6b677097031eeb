"""Records of a document and of a query."""

from __future__ import annotations

from dataclasses import dataclass

from imrnns_core.data.recognition import text_hash
from imrnns_core.data.shingles import words_of


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


@dataclass(frozen=True, slots=True)
class Query:
    """A query; `id` is empty if the user typed it."""

    id: str
    text: str

    @property
    def text_hash(self) -> str:
        """The hash of its words; neither case nor punctuation changes it."""
        return text_hash(" ".join(words_of(self.text)))

    @property
    def older_text_hash(self) -> str:
        """The hash of its text, which adapter cards of older versions have."""
        return text_hash(self.text)
