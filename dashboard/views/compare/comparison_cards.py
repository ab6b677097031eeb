"""The cards of a comparison.

Which documents stand where in the base ranking, the modulated one, and the ideal.
"""

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

FURTHER = 3
"""Relevant documents that are shown although they stand below the shown ranks."""


@dataclass(frozen=True)
class _Ranking:
    """One of the two rankings beside each other.

    Attributes:
        title: Its name.
        caption: A line about it.
        ranks: (K,) rank of each candidate.
        scores: (K,) score of each candidate.
        other: (K,) rank of each candidate in the other ranking.
        moves: (K,) how each candidate moved, as it is written.
    """

    title: str
    caption: str
    ranks: NDArray[np.int64]
    scores: NDArray[np.float32]
    other: NDArray[np.int64]
    moves: list[str]


def rankings(comparison: Comparison, alpha: float, top_k: int, picked: str) -> list[Column]:
    """Return base and modulated (or the blend) as columns of the first `top_k`.

    The picked document is among them, however deep.
    """
    scores, ranks = blend(comparison, alpha)
    base, candidates = comparison.rank("base"), len(comparison.rows)
    new = int(((ranks <= top_k) & (base > top_k)).sum())
    moves = [_move(int(b), int(r)) for b, r in zip(base, ranks, strict=True)]
    left = _Ranking(
        "Base",
        f"cosine of the frozen encoder; {candidates} candidates",
        base,
        comparison.score("base"),
        ranks,
        moves,
    )
    right = _Ranking(
        "Modulated" if alpha == 1.0 else f"α = {alpha:.2f}",
        f"new in the top {min(top_k, candidates)}: {new}",
        ranks,
        scores,
        base,
        moves,
    )
    return [_column(ranking, comparison, top_k, picked) for ranking in (left, right)]


def _column(ranking: _Ranking, comparison: Comparison, top_k: int, picked: str) -> Column:
    """Return the top k of one ranking.

    Below it stand the first relevant documents that did not make it, and the picked one.
    """
    order = np.argsort(ranking.ranks)
    relevant = [i for i in order[top_k:] if comparison.relevance[i] > 0][:FURTHER]
    below = [i for i in order[top_k:] if i in relevant or comparison.document_ids[i] == picked]
    cards, last = list[Card](), 0
    for i in [*order[:top_k], *below]:
        rank = int(ranking.ranks[i])
        is_away = ranking.other[i] > top_k >= rank
        away = f" · not in the other top {top_k}" if is_away else ""
        cards.append(
            Card(
                comparison.document_ids[i],
                str(rank),
                f"{ranking.scores[i]:.4f}",
                ranking.moves[i] + away,
                rank > top_k,
                rank - last - 1,
            )
        )
        last = rank
    return Column(ranking.title, ranking.caption, cards, "No candidates.", len(order) - last)


def _move(base: int, now: int) -> str:
    """Write where a document stood and where it stands: “1 ↘ 8”."""
    return f"{base} {'→' if now == base else '↗' if now < base else '↘'} {now}"


def faces(
    columns: Sequence[Column], comparison: Comparison, dataset: Dataset
) -> dict[str, CardContent]:
    """Return what the cards of these columns show of their documents."""

    def face(document_id: str) -> CardContent:
        document, at = dataset.document[document_id], comparison.position.get(document_id)
        grade = comparison.judgments[document_id] if at is None else int(comparison.relevance[at])
        return CardContent(
            document.title, document.text, formatting.graded(grade), theme.relevance_colour(grade)
        )

    return {card.document_id: face(card.document_id) for column in columns for card in column.cards}


def ideal(comparison: Comparison, top_k: int) -> Column:
    """Return the judged relevant documents, best grade first, and where they stand."""
    wanted = sorted(
        (i for i, g in comparison.judgments.items() if g > 0),
        key=lambda i: -comparison.judgments[i],
    )
    base, modulated = comparison.rank("base"), comparison.rank("modulated")
    found, scores = list[Card](), comparison.score("modulated")
    for n, document_id in enumerate(wanted[:top_k], 1):
        at = comparison.position.get(document_id)
        move = (
            "not among the candidates"
            if at is None
            else f"base {base[at]}, modulated {modulated[at]}"
        )
        score = "" if at is None else f"{scores[at]:.4f}"
        found.append(Card(document_id, str(n), score, move))
    return Column(
        "Ideal order",
        f"{len(wanted)} judged relevant",
        found,
        "No document was judged relevant.",
        max(0, len(wanted) - len(found)),
    )
