"""Records of a document and of a query."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Query:
    """A query; `id` is empty if the user typed it."""

    id: str
    text: str
