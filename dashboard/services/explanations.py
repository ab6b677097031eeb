"""Explanations of one pair of a query and a document."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.selection import Selection
from dashboard.services import catalog, comparisons
from dashboard.services.caching import shared
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import ExplanationError
from imrnns_core.explanation.attention_trace import TracedEncoder
from imrnns_core.explanation.explain import words_to_verify
from imrnns_core.explanation.nearest_tokens import NamedToken, VocabularyView
from imrnns_core.explanation.pair import Pair, rescore
from imrnns_core.explanation.score_accounting import WordAccounting
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.explanation.word_drops import Target, VerifiedWord, WordDrops
from imrnns_core.types import Progress, Side


@shared(3)
def _traced(data: str) -> TracedEncoder:
    """Take the encoder of a data set apart, once for all its adapters.

    ExplanationError if it cannot be.
    """
    encoder = catalog.collection(data).encoder
    if not isinstance(encoder, SentenceTransformerEncoder):
        raise ExplanationError("words can be explained for encoders of sentence-transformers only")
    return TracedEncoder(encoder)


@shared(4)
def explainer(data: str, adapter_name: str) -> WordExplainer:
    """Return what explains words for this adapter."""
    return WordExplainer(catalog.ranker(data, adapter_name), _traced(data))


@dataclass(frozen=True)
class PairKey:
    """Names one pair of a Selection; `query_text` and `document_text` are its edited texts."""

    data: str
    adapter: str
    query: str
    text: str
    dropped: frozenset[str]
    document: str
    query_text: str | None = None
    document_text: str | None = None

    @classmethod
    def of(cls, selection: Selection, document: str) -> PairKey:
        """Name the pair of the selected query and a document."""
        return cls(
            selection.data,
            selection.adapter,
            selection.query,
            selection.text,
            comparisons.left_out(selection),
            document,
        )

    def formatted(self, side: Side) -> str | None:
        """Return the edited text as the encoder gets it, None where it is not edited."""
        text = self.query_text if side == "query" else self.document_text
        return None if text is None else prefix(self.data, side) + text


def prefix(data: str, side: Side) -> str:
    """Return what the encoder gets before a text."""
    spec = catalog.collection(data).encoder.spec
    return spec.query_prefix if side == "query" else spec.document_prefix


@shared(64)
def pair(key: PairKey) -> Pair:
    """Return the pair, scored with its edited texts."""
    found = comparisons.comparison(key.data, key.adapter, key.query, key.text, key.dropped)
    model = catalog.load_adapter(key.adapter).model
    query, document = key.formatted("query"), key.formatted("document")
    if query is not None or document is not None:
        encode = explainer(key.data, key.adapter).encode
        vector = None if query is None else encode("query", [query])[0]
        documents = {} if document is None else {key.document: encode("document", [document])[0]}
        found = rescore(found, model, vector, documents)
    return Pair(found, model, found.position[key.document])


@shared(512)
def word_drops(key: PairKey, side: Side) -> tuple[WordDrops, WordAccounting | None]:
    """Return what each word of a text carries, estimated.

    And the account per word, where the encoder has one.
    """
    return explainer(key.data, key.adapter).estimate_and_account(
        pair(key), side, key.formatted(side)
    )


def marked_spans(key: PairKey) -> list[tuple[int, int, float]]:
    """Return the words of a document: start, end, and drop of the change.

    Over title, newline and text.
    """
    drops = word_drops(key, "document")[0]
    before = len(prefix(key.data, "document"))
    return [
        (a - before, b - before, float(v))
        for word, v in zip(drops.words, drops.change, strict=True)
        for a, b in word.spans
    ]


def verified_words(
    key: PairKey, side: Side, target: Target, every: bool, progress: Progress
) -> list[VerifiedWord]:
    """Return the words of a pair that were deleted and measured: a shortlist, or every word.

    What is encoded once stays known to the explainer, also where the reader goes on before the end.
    """
    drops, found = word_drops(key, side)[0], pair(key)
    positions = range(len(drops.words)) if every else words_to_verify(drops, target, found.demoted)
    return explainer(key.data, key.adapter).verify(found, side, drops, list(positions), progress)


@shared(4, "Reading the vocabulary …")
def vocabulary(data: str, adapter_name: str) -> VocabularyView:
    """Return the encoder's vocabulary in the adapter's space."""
    return VocabularyView(catalog.ranker(data, adapter_name))


@shared(64)
def named_tokens(key: PairKey, side: Side) -> list[NamedToken]:
    """Return the words of the vocabulary near the change of one side of a pair."""
    return vocabulary(key.data, key.adapter).name(pair(key), side)
