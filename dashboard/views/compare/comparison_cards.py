"""The cards of a comparison: base ranking, another ranking, and ideal order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard import formatting, theme
from dashboard.widgets.ranking_cards.content import Card, CardContent, Column
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison, Ranking
from imrnns_core.retrieval.hybrid import Hybrid
from imrnns_core.retrieval.run_ranker import ENCODER
from imrnns_core.types import UNJUDGED, FloatArray, IntArray

NOT_RANKED = "The run ranks no document for this query."
NO_MATCH = (
    "No document has a word of the query that BM25 reads: it ignores words such as “the”, and "
    "single letters and digits."
)
LOWER_RELEVANT = 3
"""Relevant documents that each list shows below its top k."""


@dataclass(frozen=True)
class _Side:
    """One of the two rankings.

    Attributes:
        title: Its name.
        caption: One line about it.
        ranking: Its documents, scores and ranks.
        other: Document id → rank in the other ranking.
        is_base: Whether it is the base ranking.
    """

    title: str
    caption: str
    ranking: Ranking
    other: dict[str, int]
    is_base: bool = False

    def move(self, document_id: str, rank: int) -> str:
        """Return the ranks in both rankings, that in base first: “1 ↘ 8”."""
        other = self.other.get(document_id, 0)
        return _move(rank, other) if self.is_base else _move(other, rank)


def modulated(
    comparison: Comparison, alpha: float, blended: tuple[FloatArray, IntArray]
) -> tuple[str, Ranking]:
    """Return title and ranking of blended base and modulated scores, with scores and ranks (K,)."""
    scores, ranks = blended
    title = "Modulated" if alpha == 1.0 else f"α = {alpha:.2f}"
    return title, Ranking(title, comparison.document_ids, scores, ranks)


def lexical(hybrid: Hybrid, weight: float) -> tuple[str, Ranking]:
    """Return title and ranking of the mix of base and BM25 scores."""
    if weight == 1.0:
        return "BM25", hybrid.bm25
    return f"Base + BM25, w = {weight:.2f}", hybrid.mixed(weight)


def encoder(comparison: Comparison) -> tuple[str, Ranking]:
    """Return title and ranking of the embeddings, which a run is compared with."""
    return "Encoder", comparison.rankings[ENCODER]


def rankings(
    comparison: Comparison, second: tuple[str, Ranking], top_k: int, picked: str, run: str = ""
) -> list[Column]:
    """Return the base ranking and a second one, with its title, as columns.

    Each shows its top k, the first relevant documents below, and the picked document. `run` is the
    name of the run that is the base, if it is one.
    """
    (title, ranking), base = second, comparison.rankings["base"]
    base_ranks, ranks = (
        dict(zip(r.document_ids, r.ranks.tolist(), strict=True)) for r in (base, ranking)
    )
    shown = min(top_k, len(ranks))
    entered = sum(
        rank <= top_k and base_ranks.get(i, top_k + 1) > top_k for i, rank in ranks.items()
    )
    left = _Side(
        "Base",
        f"run {run} · {formatting.count(len(base_ranks), 'document', 'documents')}"
        if run
        else _base_caption(comparison),
        base,
        ranks,
        is_base=True,
    )
    right = _Side(
        title,
        f"{formatting.count(entered, 'document', 'documents')} entered the top {shown}",
        ranking,
        base_ranks,
    )
    return [_column(side, comparison, top_k, picked) for side in (left, right)]


def _base_caption(comparison: Comparison) -> str:
    """Return how the base ranks, and what."""
    if comparison.certainty is not None:
        return (
            f"cosine · ranks in the whole corpus · {len(comparison.document_ids)} documents listed"
        )
    return f"cosine without an adapter · {len(comparison.document_ids)} candidates"


def _column(side: _Side, comparison: Comparison, top_k: int, picked: str) -> Column:
    """Return the top k of one ranking, the first relevant documents below, and the picked one."""
    ranking, order = side.ranking, side.ranking.order.tolist()
    grades = [comparison.judgments.get(i, UNJUDGED) for i in ranking.document_ids]
    # the reader looks for the relevant documents: show them even if they are far below the top k
    relevant = [i for i in order[top_k:] if grades[i] > 0][:LOWER_RELEVANT]
    below = [i for i in order[top_k:] if i in relevant or ranking.document_ids[i] == picked]
    cards, last = list[Card](), 0
    for i in [*order[:top_k], *below]:
        rank, document_id = int(ranking.ranks[i]), ranking.document_ids[i]
        is_only_here = side.other.get(document_id, top_k + 1) > top_k >= rank
        note = f" · not in the other top {top_k}" if is_only_here else ""
        cards.append(
            Card(
                document_id,
                str(rank),
                "" if np.isnan(ranking.scores[i]) else formatting.decimal(ranking.scores[i]),
                side.move(document_id, rank) + note,
                rank > top_k,
                rank - last - 1,
            )
        )
        last = rank
    return Column(
        side.title,
        side.caption,
        cards,
        NOT_RANKED if side.is_base else NO_MATCH,
        # of the whole corpus, only some documents are listed: their number would say nothing
        max(len(order) - last, 0) if comparison.certainty is None else 0,
        f"Relevant or selected documents below rank {top_k}",
    )


def _move(base: int, new: int) -> str:
    """Return the ranks of a document in both rankings: “1 ↘ 8”; — where it is not ranked."""
    if not base or not new:
        return f"{base or '—'} → {new or '—'}"
    return f"{base} {'→' if new == base else '↗' if new < base else '↘'} {new}"


def contents(
    columns: Sequence[Column], comparison: Comparison, dataset: Dataset
) -> dict[str, CardContent]:
    """Return what the cards of these columns show, by document id."""

    def content(document_id: str) -> CardContent:
        best = comparison.passages.get(document_id)
        document = best.part if best else dataset.document[document_id]
        grade = comparison.judgments.get(document_id, UNJUDGED)
        relevance = formatting.graded(grade) + (f" · {best}" if best else "")
        return CardContent(document.title, document.text, relevance, theme.relevance_colour(grade))

    ids = {card.document_id for column in columns for card in column.cards}
    return {document_id: content(document_id) for document_id in ids}


def ideal(comparison: Comparison, second: str, top_k: int) -> Column:
    """Return the judged relevant documents, highest grade first, with their ranks.

    `second` is the ranking that is shown beside base.
    """
    relevant = sorted(
        (i for i, g in comparison.judgments.items() if g > 0),
        key=lambda i: -comparison.judgments[i],
    )
    cards, final = list[Card](), comparison.final
    for n, document_id in enumerate(relevant[:top_k], 1):
        hits = {system: comparison.hit(system, document_id) for system in ("base", second)}
        ranks = [f"{system} {hit.rank if hit else '—'}" for system, hit in hits.items()]
        move = ", ".join(ranks) if any(hits.values()) else "not retrieved"
        scored = comparison.hit(final, document_id)
        cards.append(
            Card(document_id, str(n), formatting.decimal(scored.score) if scored else "", move)
        )
    return Column(
        "Ideal order",
        f"{formatting.count(len(relevant), 'relevant document', 'relevant documents')}, highest "
        f"grade first. Number on the right: {final} score."
        if relevant
        else "",
        cards,
        "No document was judged relevant.",
        max(0, len(relevant) - len(cards)),
    )
