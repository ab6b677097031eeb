"""The full explanation of one pair: all views together, as a record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from imrnns_core.data.records import Document, Query
from imrnns_core.errors import EncoderError, ExplanationError
from imrnns_core.explanation.nearest_tokens import NamedToken, VocabularyView
from imrnns_core.explanation.pair import TARGETS, Pair
from imrnns_core.explanation.score_accounting import WordAccounting, account
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.explanation.word_drops import SHORTLIST, VerifiedWord, WordDrops
from imrnns_core.retrieval.batch import Certainty
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.passages import BestPassage
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import SIDES, Side, Target

SCHEMA = 3
SHORT_QUERY_WORDS = 24
"""All words of a query of up to this length are verified: short texts encode in about 1 ms."""
OPPOSITE_WORDS = 2
"""Number of words with the opposite sign that are verified in addition to the shortlist."""


@dataclass(frozen=True)
class Explanation:
    """Why one document has its rank for one query.

    Attributes:
        dataset: Name of the data set.
        adapter: Name of the adapter, None for the base alone.
        encoder: Name of the encoder.
        query: The query.
        document: The document.
        ranks: Rank at each stage.
        scores: Score at each stage.
        accounting: Base score, each part of the change, and modulated score; without an adapter,
            the base score alone.
        words: Estimated drops of the words, for each text.
        word_accounting: The change split over words, for each text.
        verified: Measured drops, for each text.
        vocabulary: The paper's vocabulary view, for each text; empty without an adapter.
        missing: For each view that is not available for this encoder, the reason.
        passage: The passage by which the document is ranked, None if it was not split. `document`
            has its text.
        certainty: How certain the top k is if the adapter ranked the whole corpus, else None.
    """

    dataset: str
    adapter: str | None
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
    passage: BestPassage | None = None
    certainty: Certainty | None = None

    @property
    def final(self) -> str:
        """The last stage: "modulated", or "base" without an adapter."""
        return list(self.ranks)[-1]

    @property
    def targets(self) -> tuple[Target, ...]:
        """What its words affect: score change and score; without an adapter, the score alone."""
        return TARGETS if self.adapter is not None else ("score",)

    def to_json(self) -> dict[str, Any]:
        """Return the record that `imrnns-lens explain --json` writes."""
        return {
            "schema": SCHEMA,
            "dataset": self.dataset,
            "adapter": self.adapter,
            "encoder": self.encoder,
            "query_id": self.query.id or None,
            "query": self.query.text,
            "document_id": self.document.id,
            "passage": self.passage and self.passage.to_json(),
            "scope": "candidates" if self.certainty is None else "corpus",
            "certainty": self.certainty and self.certainty.to_json(),
            "ranks": self.ranks,
            "scores": self.scores,
            "accounting": self.accounting,
            "texts": {side: drops.text for side, drops in self.words.items()},
            "words": {side: _word_rows(drops) for side, drops in self.words.items()},
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


def _word_rows(drops: WordDrops) -> list[dict[str, Any]]:
    rows = zip(drops.words, drops.score.tolist(), drops.change.tolist(), strict=True)
    return [
        {"word": word.text, "spans": word.spans, "score": score, "change": change}
        for word, score, change in rows
    ]


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
        ranker: The ranker that made the comparison.
        comparison: The query with its candidates.
        document_id: The candidate.
        verify: Whether to delete words and measure their drops.
        words: Returns the word explainer, such as a cached one.
        view: Returns the vocabulary view, such as a cached one.

    Raises:
        ExplanationError: The document is not a candidate, or the base is a run.
    """
    if ranker.run_name is not None:
        raise ExplanationError(
            f"the run {ranker.run_name} has scores, but no vectors that would explain them; "
            "choose the encoder as the base"
        )
    pair = Pair(comparison, ranker.model, _position(ranker, comparison, document_id))
    position, passage = pair.position, comparison.passages.get(document_id)
    explanation = Explanation(
        ranker.collection.dataset.name,
        ranker.adapter_name,
        ranker.collection.encoder.spec.name,
        comparison.query,
        passage.part if passage else ranker.collection.dataset.document[document_id],
        {stage: int(comparison.rank(stage)[position]) for stage in comparison.stages},
        {stage: float(comparison.score(stage)[position]) for stage in comparison.stages},
        _accounting(pair),
        passage=passage,
        certainty=comparison.certainty,
    )
    try:
        _explain_words(explanation, words(ranker), pair, verify)
    except (ExplanationError, EncoderError) as error:
        explanation.missing.append(str(error))
    # it names the change of an embedding, which only an adapter makes
    if pair.model is not None:
        _add_vocabulary(explanation, ranker, view, pair)
    return explanation


def _accounting(pair: Pair) -> dict[str, float]:
    if pair.model is None:
        return {"base": float(pair.comparison.score("base")[pair.position])}
    return {name: float(v[pair.position]) for name, v in account(pair.comparison).total.items()}


def _add_vocabulary(
    explanation: Explanation,
    ranker: Ranker,
    view: Callable[[Ranker], VocabularyView],
    pair: Pair,
) -> None:
    """Add the vocabulary view of both texts, or the reason why it is not available."""
    try:
        tokens = view(ranker)
        explanation.vocabulary.update({side: tokens.name(pair, side) for side in SIDES})
    except ExplanationError as error:
        explanation.missing.append(str(error))


def _position(ranker: Ranker, comparison: Comparison, document_id: str) -> int:
    """Return the position of a candidate.

    Raises:
        ExplanationError: The document is not a candidate, or does not exist.
    """
    if document_id in comparison.position:
        return comparison.position[document_id]
    if ranker.collection.dataset.leaves_out(comparison.query.id, document_id):
        raise ExplanationError(
            f"document {document_id!r} is the query itself, so it is left out of its rankings; to "
            "keep it: imrnns-lens prepare DATA --keep-own"
        )
    if document_id in ranker.collection.documents.row:
        raise ExplanationError(
            f"document {document_id!r} is not among the {len(comparison.rows)} "
            + (
                "candidates of this query; the adapter scores candidates only, which `search` lists"
                if comparison.certainty is None
                else "documents that the base or the adapter ranks highest; name one of those"
            )
        )
    raise ExplanationError(
        f"{ranker.collection.dataset.name} has no document {document_id!r}; name one that "
        "`search` lists"
    )


def _explain_words(
    explanation: Explanation, explainer: WordExplainer, pair: Pair, verify: bool
) -> None:
    """Add the words of both texts to an explanation, with measured drops if `verify` is set."""
    explainer.check_pair(pair)
    for side in SIDES:
        drops, accounting = explainer.estimate_and_account(pair, side)
        explanation.words[side] = drops
        if accounting is not None:
            explanation.word_accounting[side] = accounting
        if verify:
            explanation.verified[side] = explainer.verify(
                pair, side, drops, words_to_verify(drops, pair.targets, pair.demoted)
            )


def words_to_verify(drops: WordDrops, targets: Iterable[Target], demoted: bool) -> list[int]:
    """Return the positions of the words to delete and measure: the shortlists of all targets.

    The verdict of a word depends on the words that are tested before it. So page and report
    measure the same words, whichever target a reader has chosen.
    """
    words = [word for target in targets for word in _shortlist(drops, target, demoted)]
    return list(dict.fromkeys(words))


def _shortlist(drops: WordDrops, target: Target, demoted: bool) -> list[int]:
    """Return the words that may have the largest drops of the score or of the change.

    These are all words of a short query. For the change of a demoted document, the shortlist has
    the words with the most negative drops: those that lower it. The `OPPOSITE_WORDS` strongest
    words of the opposite sign follow.
    """
    negative = demoted and target == "change"
    short = drops.side == "query" and len(drops.words) <= SHORT_QUERY_WORDS
    count = len(drops.words) if short else SHORTLIST[drops.side]
    shortlist = drops.shortlist(target, count, negative)
    values = drops.values(target)
    weakest_first = np.argsort(-values if negative else values, kind="stable")
    others = [int(i) for i in weakest_first if i not in shortlist]
    return shortlist + others[:OPPOSITE_WORDS][::-1]
