"""The cards of a comparison.

Which documents stand where in the base ranking, the modulated one, and the ideal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.widgets.ranking_cards.component import Card, Column, Face
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import blend

FURTHER = 3
"""Relevant documents that are shown although they stand below the shown ranks."""


def rankings(comparison: Comparison, alpha: float, top_k: int, picked: str) -> list[Column]:
    """Return base and modulated (or the blend) as columns of the first `top_k`.

    The picked document is among them, however deep.
    """
    scores, ranks = blend(comparison, alpha)
    base = comparison.ranks[0]
    name = "Modulated" if alpha == 1.0 else f"α = {alpha:.2f}"
    candidates = len(comparison.rows)
    new = int(((ranks <= top_k) & (base > top_k)).sum())
    left = f"cosine of the frozen encoder; {candidates} candidates"
    return [
        _column(
            "Base",
            left,
            comparison,
            base,
            comparison.scores[0],
            (base, ranks),
            ranks,
            top_k,
            picked,
        ),
        _column(
            name,
            f"new in the top {min(top_k, candidates)}: {new}",
            comparison,
            ranks,
            scores,
            (base, ranks),
            base,
            top_k,
            picked,
        ),
    ]


def _column(
    title: str,
    caption: str,
    comparison: Comparison,
    own: NDArray[np.int64],
    scores: NDArray[np.float32],
    move: tuple[NDArray[np.int64], NDArray[np.int64]],
    other: NDArray[np.int64],
    top_k: int,
    picked: str,
) -> Column:
    """Return the top k of one ranking, and below it the first relevant documents that did not make it, and the picked one."""
    order = np.argsort(own)
    relevant = [i for i in order[top_k:] if comparison.relevance[i] > 0][:FURTHER]
    below = [i for i in order[top_k:] if i in relevant or comparison.document_ids[i] == picked]
    cards, last = [], 0
    for i in [*order[:top_k], *below]:
        rank = int(own[i])
        away = "" if other[i] <= top_k or rank > top_k else f"not in the other top {top_k}"
        moved = " · ".join(filter(None, (_move(int(move[0][i]), int(move[1][i])), away)))
        cards.append(
            Card(
                comparison.document_ids[i],
                str(rank),
                f"{scores[i]:.4f}",
                moved,
                rank > top_k,
                rank - last - 1,
            )
        )
        last = rank
    return Column(title, caption, cards, "No candidates.", len(order) - last)


def _move(base: int, now: int) -> str:
    """Write where a document stood and where it stands: “1 ↘ 8”."""
    return f"{base} {'→' if now == base else '↗' if now < base else '↘'} {now}"


def faces(columns: Sequence[Column], comparison: Comparison, dataset: Dataset) -> dict[str, Face]:
    """Return what the cards of these columns show of their documents."""

    def face(document_id: str) -> Face:
        document, at = dataset.document[document_id], comparison.position.get(document_id)
        grade = comparison.judgments[document_id] if at is None else int(comparison.relevance[at])
        name = formatting.relevance_name(grade) + (f" ({grade})" if grade > 0 else "")
        return Face(document.title, document.text, name, theme.relevance_colour(grade))

    return {card.document_id: face(card.document_id) for column in columns for card in column.cards}


def ideal(comparison: Comparison, top_k: int) -> Column:
    """Return the judged relevant documents, best grade first, and where they stand."""
    wanted = sorted(
        (i for i, g in comparison.judgments.items() if g > 0),
        key=lambda i: -comparison.judgments[i],
    )
    found = []
    for n, document_id in enumerate(wanted[:top_k], 1):
        at = comparison.position.get(document_id)
        move = (
            "not among the candidates"
            if at is None
            else f"base {comparison.ranks[0, at]}, modulated {comparison.ranks[3, at]}"
        )
        score = "" if at is None else f"{comparison.scores[3, at]:.4f}"
        found.append(Card(document_id, str(n), score, move))
    return Column(
        "Ideal order",
        f"{len(wanted)} judged relevant",
        found,
        "No document was judged relevant.",
        max(0, len(wanted) - len(found)),
    )
