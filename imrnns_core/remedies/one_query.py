"""What each remedy does to one query, with its default setting."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from imrnns_core.remedies.remedy import Remedy, Search, all_remedies
from imrnns_core.types import IntArray


@dataclass(frozen=True)
class RemedyOutcome:
    """The best relevant document of a query with a remedy.

    Attributes:
        remedy: The remedy, with its default setting.
        rank: The rank of the document; 0 if no relevant document is ranked.
        document_id: The document; empty if there is none.
    """

    remedy: Remedy
    rank: int
    document_id: str


def try_remedies(search: Search, relevant: Collection[str]) -> list[RemedyOutcome]:
    """Return what each remedy does to the only query of a search.

    Args:
        search: A search for one query.
        relevant: Ids of its relevant documents.
    """
    outcomes = []
    for remedy in all_remedies(search):
        (rows,) = remedy.rank(search, remedy.settings[0])
        outcomes.append(RemedyOutcome(remedy, *best_relevant(search, rows, relevant)))
    return outcomes


def best_relevant(search: Search, rows: IntArray, relevant: Collection[str]) -> tuple[int, str]:
    """Return rank and id of the best relevant document among ranked rows (R,); else 0 and ""."""
    ids = search.collection.dataset.document_ids
    ranked = ((rank, ids[row]) for rank, row in enumerate(rows.tolist(), 1))
    return next((own for own in ranked if own[1] in relevant), (0, ""))
