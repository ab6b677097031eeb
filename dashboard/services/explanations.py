"""Explanations of a pair of a query and a document."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.selection import Selection
from dashboard.services import catalog, comparisons
from dashboard.services.caching import shared
from imrnns_core.config import NO_ADAPTER
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import ExplanationError
from imrnns_core.explanation.attention_trace import TracedEncoder
from imrnns_core.explanation.explain import words_to_verify
from imrnns_core.explanation.nearest_tokens import NamedToken, VocabularyView
from imrnns_core.explanation.pair import Pair, rescore
from imrnns_core.explanation.score_accounting import WordAccounting
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.explanation.word_drops import VerifiedWord, WordDrops
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.text.stop_words import stop_words
from imrnns_core.types import Progress, Side


@shared(3, judged=False)
def _traced(data: str) -> TracedEncoder:
    """Return the encoder of a data set with traced attention, once for all adapters.

    Raises:
        ExplanationError: If the encoder is not one of sentence-transformers.
    """
    encoder = catalog.collection(data).encoder
    if not isinstance(encoder, SentenceTransformerEncoder):
        raise ExplanationError("words can be explained only for encoders of sentence-transformers")
    return TracedEncoder(encoder)


@shared(4, judged=False)
def explainer(data: str, adapter_name: str) -> WordExplainer:
    """Return the explainer of words for this adapter."""
    return WordExplainer(catalog.ranker(data, adapter_name), _traced(data))


@dataclass(frozen=True)
class PairKey:
    """Identifies a pair of a Selection. `query_text` and `document_text` are edited texts."""

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
        """Return the key of the selected query with a document."""
        return cls(
            selection.data,
            selection.system,
            selection.query,
            selection.text,
            comparisons.excluded_ids(selection),
            document,
        )

    def formatted(self, side: Side) -> str | None:
        """Return the edited text as the encoder gets it, or None if the text is not edited."""
        text = self.query_text if side == "query" else self.document_text
        return None if text is None else prefix(self.data, side) + text


def prefix(data: str, side: Side) -> str:
    """Return the prefix that the encoder gets before each text of a side."""
    spec = catalog.collection(data).encoder.spec
    return spec.query_prefix if side == "query" else spec.document_prefix


def explained_document(comparison: Comparison, selected: str) -> str:
    """Return the selected document if it is a candidate.

    Otherwise the best-ranked relevant candidate, which a reader debugs, or the one at rank 1.
    """
    if selected in comparison.position:
        return selected
    order = comparison.order(comparison.final)
    relevant = [i for i in order if comparison.relevant[i]]
    return comparison.document_ids[int(relevant[0] if relevant else order[0])]


@shared(64, judged=False)
def pair(key: PairKey) -> Pair:
    """Return the pair, scored with its edited texts if it has any."""
    comparison = comparisons.comparison(key.data, key.adapter, key.query, key.text, key.dropped)
    # the ranker's model: the memory of the file may lack documents of the collection
    model = catalog.ranker(key.data, key.adapter).model
    query, document = key.formatted("query"), key.formatted("document")
    if query is not None or document is not None:
        encode = explainer(key.data, key.adapter).encode
        vector = None if query is None else encode("query", [query])[0]
        documents = {} if document is None else {key.document: encode("document", [document])[0]}
        edited = rescore(comparison, model, vector, documents)
        comparison = catalog.ranker(key.data, key.adapter).with_ranks(edited)
    return Pair(comparison, model, comparison.position[key.document])


@shared(512, judged=False)
def word_drops(key: PairKey, side: Side) -> tuple[WordDrops, WordAccounting | None]:
    """Return the estimated drop of each word of a text.

    With it comes the accounting per word, or None if the encoder does not allow one.
    """
    return explainer(key.data, key.adapter).estimate_and_account(
        pair(key), side, key.formatted(side)
    )


def marked_spans(key: PairKey) -> list[tuple[int, int, float]]:
    """Return (start, end, drop) of the content words of a document.

    The drop is that of the score change or, without an adapter, of the base score.

    The positions are in the document's text: title + newline + text.
    """
    drops = word_drops(key, "document")[0]
    values = drops.values("score" if key.adapter == NO_ADAPTER else "change")
    # the positions of the encoder count its prefix, which no card shows
    prefix_length = len(prefix(key.data, "document"))
    return [
        (start - prefix_length, end - prefix_length, float(drop))
        for word, drop in zip(drops.words, values, strict=True)
        if word.text.lower() not in stop_words()  # a card marks words that name something
        for start, end in word.spans
    ]


def verified_words(key: PairKey, side: Side, every: bool, progress: Progress) -> list[VerifiedWord]:
    """Delete words of a pair one by one and return their measured drops.

    The words are shortlists, or all words if `every` is set. The explainer remembers what it has
    encoded, so a measurement that the reader interrupts continues where it ended.
    """
    drops, measured_pair = word_drops(key, side)[0], pair(key)
    positions = list(range(len(drops.words)))
    if not every:
        positions = words_to_verify(drops, measured_pair.targets, measured_pair.demoted)
    word_explainer = explainer(key.data, key.adapter)
    return word_explainer.verify(measured_pair, side, drops, positions, progress)


@shared(4, "Reading the vocabulary …", judged=False)
def vocabulary(data: str, adapter_name: str) -> VocabularyView:
    """Return the encoder's vocabulary in the adapter's space."""
    return VocabularyView(catalog.ranker(data, adapter_name))


@shared(64, judged=False)
def named_tokens(key: PairKey, side: Side) -> list[NamedToken]:
    """Return the vocabulary tokens nearest to the change of one side of a pair."""
    return vocabulary(key.data, key.adapter).name(pair(key), side)
