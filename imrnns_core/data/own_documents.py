"""Queries that are documents of the corpus themselves, as in ArguAna and Quora."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imrnns_core.data.recognition import text_hash
from imrnns_core.data.records import Document, Query


@dataclass(frozen=True)
class OwnDocuments:
    """The documents that have the id of a query.

    Attributes:
        rows: Query id → corpus row of the document that is the query itself: it has the id of the
            query and the same text, whatever the case and the white space.
        other_text: Ids of queries whose id a document with another text has by chance.
    """

    rows: Mapping[str, int]
    other_text: tuple[str, ...]

    @classmethod
    def find(cls, documents: Sequence[Document], queries: Iterable[Query]) -> OwnDocuments:
        """Compare each query with the document of the same id."""
        row_of = {document.id: row for row, document in enumerate(documents)}
        same_id = [query for query in queries if query.id in row_of]
        rows = {q.id: row_of[q.id] for q in same_id if _is_same(q, documents[row_of[q.id]])}
        return cls(rows, tuple(q.id for q in same_id if q.id not in rows))


def _is_same(query: Query, document: Document) -> bool:
    # the queries of ArguAna are the texts of documents without their titles
    return text_hash(query.text) in (document.text_hash, text_hash(document.text))
