"""The whole explanation of one pair: all views together, as a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from imrnns_core.data.records import Document, Query
from imrnns_core.errors import EncoderError, ExplanationError
from imrnns_core.explanation.nearest_tokens import NamedToken, VocabularyView
from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.score_accounting import WordAccounting, account
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.explanation.word_drops import SHORTLIST, Carried, VerifiedWord, WordDrops
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import STAGES, Side

WHOLE_QUERY = 24
"""A query of at most so many words is verified word by word.

Short texts encode in a millisecond each.
"""
SIDES: tuple[Side, ...] = ("document", "query")
TARGETS: tuple[Carried, ...] = ("change", "score")
OTHER_WAY = 2
"""Words of the other sign that are verified besides the shortlist."""


@dataclass(frozen=True)
class Explanation:
    """Why one document stands where it stands, for one query.

    `words`, `word_accounting`, `verified` and `vocabulary` hold what is available for this encoder;
    `missing` says what is not, and why.
    """

    dataset: str
    adapter: str
    encoder: str
    query: Query
    document: Document
    ranks: dict[str, int]
    scores: dict[str, float]
    accounting: dict[str, float]
    words: dict[Side, WordDrops] = field(default_factory=dict)
    word_accounting: dict[Side, WordAccounting] = field(default_factory=dict)
    verified: dict[Side, list[VerifiedWord]] = field(default_factory=dict)
    vocabulary: dict[Side, list[NamedToken]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the record that `imrnns-lens explain --json` writes."""

        def listed(drops: WordDrops) -> list[dict[str, Any]]:
            rows = zip(drops.words, drops.score.tolist(), drops.change.tolist(), strict=True)
            return [{"word": w.text, "spans": w.spans, "score": s, "delta": d} for w, s, d in rows]

        return {
            "schema": 1,
            "dataset": self.dataset,
            "adapter": self.adapter,
            "encoder": self.encoder,
            "query_id": self.query.id or None,
            "query": self.query.text,
            "document_id": self.document.id,
            "ranks": self.ranks,
            "scores": self.scores,
            "accounting": self.accounting,
            "texts": {side: drops.text for side, drops in self.words.items()},
            "words": {side: listed(drops) for side, drops in self.words.items()},
            "word_accounting": {
                side: {"words": a.words.tolist(), "other": a.other, "constant": a.constant}
                for side, a in self.word_accounting.items()
            },
            "verified": {side: [v.to_json() for v in w] for side, w in self.verified.items()},
            "vocabulary": {
                side: [{**asdict(t), "spurious": t.spurious} for t in tokens]
                for side, tokens in self.vocabulary.items()
            },
            "missing": self.missing,
        }


def explain(
    ranker: Ranker,
    comparison: Comparison,
    document_id: str,
    verify: bool = False,
    words: Callable[[Ranker], WordExplainer] = WordExplainer,
    view: Callable[[Ranker], VocabularyView] = VocabularyView,
) -> Explanation:
    """Explain one candidate of a comparison.

    Args:
        ranker: What ranked.
        comparison: The query.
        document_id: The candidate. Raises ExplanationError if it is none.
        verify: Whether words are deleted and measured.
        words: Returns the word explainer; raises where there is none.
        view: Returns the vocabulary view, likewise.
    """
    pair = Pair(comparison, ranker.adapter.model, _position(ranker, comparison, document_id))
    parts, at = account(comparison).whole, pair.position
    explanation = Explanation(
        ranker.collection.dataset.name,
        ranker.adapter.card.name,
        ranker.collection.encoder.spec.name,
        comparison.query,
        ranker.collection.dataset.document[document_id],
        {stage: int(comparison.rank(stage)[at]) for stage in STAGES},
        {stage: float(comparison.score(stage)[at]) for stage in STAGES},
        {name: float(values[at]) for name, values in parts.items()},
    )
    try:
        _explain_words(explanation, words(ranker), pair, verify)
    except (ExplanationError, EncoderError) as error:
        explanation.missing.append(str(error))
    try:
        tokens = view(ranker)
        explanation.vocabulary.update({side: tokens.name(pair, side) for side in SIDES})
    except ExplanationError as error:
        explanation.missing.append(str(error))
    return explanation


def _position(ranker: Ranker, comparison: Comparison, document_id: str) -> int:
    """Return the position of a candidate; ExplanationError if the document is none."""
    if document_id in comparison.position:
        return comparison.position[document_id]
    if document_id in ranker.collection.documents.row:
        raise ExplanationError(
            f"document {document_id!r} is not among the {len(comparison.rows)} candidates of "
            "this query; only they are scored by the adapter"
        )
    raise ExplanationError(
        f"{ranker.collection.dataset.name} has no document {document_id!r}; name one that "
        "`search` lists"
    )


def _explain_words(
    explanation: Explanation, explainer: WordExplainer, pair: Pair, verify: bool
) -> None:
    """Add the words of both texts to an explanation, measured where `verify` says so."""
    explainer.check()
    for side in SIDES:
        drops, accounting = explainer.estimate_and_account(pair, side)
        explanation.words[side] = drops
        if accounting is not None:
            explanation.word_accounting[side] = accounting
        if verify:
            shortlist = [w for what in TARGETS for w in to_verify(drops, what, pair.fell)]
            positions = list(dict.fromkeys(shortlist))
            explanation.verified[side] = explainer.verify(pair, side, drops, positions)


def to_verify(drops: WordDrops, carried: Carried, fell: bool) -> list[int]:
    """Return the words to delete and measure.

    Of a short query all, else the shortlist by score or change.

    For the change of a document that fell, the words that pull it down come first. The strongest
    that pull the other way follow, `OTHER_WAY` of them.
    """
    falls = fell and carried == "change"
    short = drops.side == "query" and len(drops.words) <= WHOLE_QUERY
    chosen = drops.shortlist(carried, len(drops.words) if short else SHORTLIST[drops.side], falls)
    others = [
        int(i)
        for i in np.argsort(-drops.by(carried) if falls else drops.by(carried), kind="stable")
        if i not in chosen
    ]
    return chosen + others[:OTHER_WAY][::-1]
