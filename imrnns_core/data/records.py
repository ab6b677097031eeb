"""One document and one query."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """One passage of the corpus; `subject` is empty where the collection names none."""

    id: str
    title: str
    text: str
    subject: str = ""

    @property
    def body(self) -> str:
        """The text or, where there is none, the title."""
        return self.text.strip() or self.title.strip()


@dataclass(frozen=True, slots=True)
class Query:
    """One query; `id` is empty for a query that was typed in."""

    id: str
    text: str
