"""The cards of a comparison: base ranking, modulated ranking, and ideal order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.widgets.ranking_cards.content import Card, CardContent, Column
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import blend

LOWER_RELEVANT = 3
"""Relevant documents that each list shows below its top k."""


@dataclass(frozen=True)
class _Ranking:
    """One of the two rankings of K candidates.

    Attributes:
        title: Its name.
        caption: One line about it.
        ranks: (K,) rank of each candidate.
        scores: (K,) score of each candidate.
        other_ranks: (K,) rank of each candidate in the other ranking.
        moves: K texts such as “1 ↘ 8”.
    """

    title: str
    caption: str
    ranks: NDArray[np.int64]
    scores: NDArray[np.float32]
    other_ranks: NDArray[np.int64]
    moves: list[str]


def rankings(comparison: Comparison, alpha: float, top_k: int, picked: str) -> list[Column]:
    """Return the base ranking and the modulated ranking (or the blend) as columns.

    Each shows its top k, the first relevant documents below, and the picked document.
    """
    scores, ranks = blend(comparison, alpha)
    base, candidates = comparison.rank("base"), len(comparison.rows)
    entered = int(((ranks <= top_k) & (base > top_k)).sum())
    moves = [_move(int(b), int(r)) for b, r in zip(base, ranks, strict=True)]
    left = _Ranking(
        "Base",
        f"cosine without the adapter · {candidates} candidates",
        base,
        comparison.score("base"),
        ranks,
        moves,
    )
    right = _Ranking(
        "Modulated" if alpha == 1.0 else f"α = {alpha:.2f}",
        f"{formatting.count(entered, 'document', 'documents')} entered the top "
        f"{min(top_k, candidates)}",
        ranks,
        scores,
        base,
        moves,
    )
    return [_column(ranking, comparison, top_k, picked) for ranking in (left, right)]


def _column(ranking: _Ranking, comparison: Comparison, top_k: int, picked: str) -> Column:
    """Return the top k of one ranking, the first relevant documents below, and the picked one."""
    order = np.argsort(ranking.ranks)
    # the reader looks for the relevant documents: show them even if they are far below the top k
    relevant = [i for i in order[top_k:] if comparison.relevance[i] > 0][:LOWER_RELEVANT]
    below = [i for i in order[top_k:] if i in relevant or comparison.document_ids[i] == picked]
    cards, last = list[Card](), 0
    for i in [*order[:top_k], *below]:
        rank = int(ranking.ranks[i])
        is_only_here = ranking.other_ranks[i] > top_k >= rank
        note = f" · not in the other top {top_k}" if is_only_here else ""
        cards.append(
            Card(
                comparison.document_ids[i],
                str(rank),
                formatting.decimal(ranking.scores[i]),
                ranking.moves[i] + note,
                rank > top_k,
                rank - last - 1,
            )
        )
        last = rank
    return Column(
        ranking.title,
        ranking.caption,
        cards,
        "No candidates.",
        len(order) - last,
        f"Relevant or selected documents below rank {top_k}",
    )


def _move(base: int, new: int) -> str:
    """Return the ranks of a document in both rankings: “1 ↘ 8”."""
    return f"{base} {'→' if new == base else '↗' if new < base else '↘'} {new}"


def contents(
    columns: Sequence[Column], comparison: Comparison, dataset: Dataset
) -> dict[str, CardContent]:
    """Return what the cards of these columns show, by document id."""

    def content(document_id: str) -> CardContent:
        document, position = dataset.document[document_id], comparison.position.get(document_id)
        # the ideal order also has relevant documents that were not retrieved
        grade = (
            comparison.judgments[document_id]
            if position is None
            else int(comparison.relevance[position])
        )
        return CardContent(
            document.title, document.text, formatting.graded(grade), theme.relevance_colour(grade)
        )

    ids = {card.document_id for column in columns for card in column.cards}
    return {document_id: content(document_id) for document_id in ids}


def ideal(comparison: Comparison, top_k: int) -> Column:
    """Return the judged relevant documents, highest grade first, with their ranks."""
    relevant = sorted(
        (i for i, g in comparison.judgments.items() if g > 0),
        key=lambda i: -comparison.judgments[i],
    )
    base, modulated = comparison.rank("base"), comparison.rank("modulated")
    cards, scores = list[Card](), comparison.score("modulated")
    for n, document_id in enumerate(relevant[:top_k], 1):
        position = comparison.position.get(document_id)
        move = (
            "not retrieved"
            if position is None
            else f"base {base[position]}, modulated {modulated[position]}"
        )
        score = "" if position is None else formatting.decimal(scores[position])
        cards.append(Card(document_id, str(n), score, move))
    return Column(
        "Ideal order",
        f"{formatting.count(len(relevant), 'relevant document', 'relevant documents')}, highest "
        "grade first. Number on the right: modulated score."
        if relevant
        else "",
        cards,
        "No document was judged relevant.",
        max(0, len(relevant) - len(cards)),
    )
