"""Advice to the authors of a document: query words that its title lacks.

The advice uses the relevant document, so it is no remedy, and its effect is never a cause. A
document is edited and ranked again among the same candidates; the same is done with random words
of the corpus. Shapes: D draws of random words, n encoder dimensions.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection as Some
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from imrnns_core.data.embeddings import unit
from imrnns_core.data.records import Document
from imrnns_core.explanation.pair import rescore
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.text.stemming import stem
from imrnns_core.text.stop_words import content_words, stop_words
from imrnns_core.types import FloatArray, IntArray

DRAWS = 20
"""How often random words are added. It decides what the advice costs: one more text is encoded."""
LEVEL = 0.05
"""The advice is shown if at most this share of the draws gives a rank as good."""


@dataclass(frozen=True)
class Advice:
    """Words to add to the title of a relevant document, and what that changes for one query.

    Ranks are those among the candidates of the base; the number of candidates plus one is a rank
    below all of them.

    Attributes:
        document_id: The best relevant document by the base.
        words: The content words of the query that it does not contain.
        base_rank: Its base rank.
        rank: Its base rank with the words in its title.
        random_ranks: (D,) its base rank with the same number of random words instead.
        modulated: Its modulated rank without and with the words; None if the adapter, or the lack
            of one, does not rank it.
        candidates: Number of candidates.
    """

    document_id: str
    words: tuple[str, ...]
    base_rank: int
    rank: int
    random_ranks: IntArray
    modulated: tuple[int, int] | None
    candidates: int

    @property
    def is_shown(self) -> bool:
        """Whether the words bring it higher, and random words rarely bring it as high."""
        as_good = float((self.random_ranks <= self.rank).mean())
        return self.rank < self.base_rank and as_good <= LEVEL


def advise(
    ranker: Ranker, lexical: BM25Index, comparison: Comparison, relevant: Some[str]
) -> Advice | None:
    """Add the query words that the best relevant document lacks to its title, and rank it again.

    Args:
        ranker: The ranker of the comparison; its base must be the vectors.
        lexical: The BM25 index of the corpus, whose words are drawn.
        comparison: The ranked query.
        relevant: Ids of the relevant documents.

    Returns:
        The advice, shown or not. None if a relevant document is at rank 1, or if none has a text
        that can be edited, or if it contains all words of the query.

    Raises:
        EncoderError: If the encoder did not make the embeddings, or their lengths vary.
    """
    collection = ranker.collection
    document_id = _best_relevant(collection, comparison, relevant)
    if not document_id:
        return None
    candidates = comparison.candidate_ids
    own = comparison.passages.get(document_id)
    document = own.part if own else collection.dataset.document[document_id]
    words = missing_words(comparison.query.text, document)
    drawn = _draws(lexical, comparison.query.text, document, len(words)) if words else []
    if not drawn:
        return None
    vectors = _encoded(collection, [with_words(document, own) for own in (words, *drawn)])
    others = np.array([i != document_id for i in candidates])
    scores = comparison.score("base")[: len(candidates)][others]
    ranks = 1 + (scores > _base_scores(collection, comparison, vectors)[:, None]).sum(axis=1)
    is_candidate = document_id in candidates
    base = int(comparison.rank("base")[comparison.position[document_id]]) if is_candidate else 0
    return Advice(
        *(document_id, words, base or len(candidates) + 1, int(ranks[0]), ranks[1:]),
        _modulated(ranker, comparison, document_id, vectors[0]),
        len(candidates),
    )


def missing_words(query: str, document: Document) -> tuple[str, ...]:
    """Return the content words of a query whose stem no word of the document has."""
    known, missing = _stems(document), dict[str, str]()
    for word in content_words(query):
        if word not in stop_words() and stem(word) not in known:
            missing.setdefault(stem(word), word)
    return tuple(missing.values())


def with_words(document: Document, words: Sequence[str]) -> Document:
    """Return a document with words after its title."""
    return replace(document, title=" ".join([document.title, *words]).strip())


def _stems(document: Document) -> frozenset[str]:
    return frozenset(map(stem, content_words(f"{document.title}\n{document.text}")))


def _best_relevant(collection: Collection, comparison: Comparison, relevant: Some[str]) -> str:
    """Return the best relevant document by the base; empty if it is first, or has no text."""
    dataset, ranked = collection.dataset, comparison.candidate_ids
    query_id = comparison.query.id
    # candidates are in base order
    best = next((i for i in ranked if i in relevant), "")
    if not best and collection.passages is None:
        others = [
            i for i in relevant if i in dataset.document and not dataset.leaves_out(query_id, i)
        ]
        vectors = collection.documents.vectors[[collection.documents.row[i] for i in others]]
        scores = _base_scores(collection, comparison, np.asarray(vectors, dtype=np.float32))
        best = max(zip(scores.tolist(), others, strict=True), default=(0.0, ""))[1]
    if not best or best in ranked[:1] or not dataset.document[best].body:
        return ""
    return best


def _base_scores(collection: Collection, comparison: Comparison, vectors: FloatArray) -> FloatArray:
    """Return (B,) base scores of B vectors (B, n) of documents for the query."""
    query = collection.base_queries(comparison.vectors.stored_query.numpy()[None])[0]
    scores: FloatArray = (unit(vectors) if collection.similarity == "cosine" else vectors) @ query
    return scores


def _draws(lexical: BM25Index, query: str, document: Document, count: int) -> list[tuple[str, ...]]:
    """Return D times `count` random words of the corpus; empty if it has too few."""
    words = list(islice(_random_words(lexical, query, document), DRAWS * count))
    if len(words) < DRAWS * count:
        return []
    return [tuple(words[i : i + count]) for i in range(0, len(words), count)]


def _random_words(lexical: BM25Index, query: str, document: Document) -> Iterator[str]:
    """Yield the words of the corpus that neither text has, in random order."""
    excluded = _stems(document) | {stem(word) for word in content_words(query)}
    # the same words for the same query, in every process
    generator = np.random.default_rng(zlib.crc32(query.encode("utf-8", "replace")))
    for i in generator.permutation(len(lexical.vocabulary)):
        word = lexical.vocabulary[i]
        if word not in stop_words() and stem(word) not in excluded:
            yield word


def _encoded(collection: Collection, documents: Sequence[Document]) -> FloatArray:
    """Return (B, n) vectors of new texts, with the length of the stored ones."""
    collection.check_encoder()
    length = collection.document_length
    vectors = collection.encoder.encode_documents(documents, unit=length is not None)
    scaled: FloatArray = vectors if length in (None, 1.0) else np.float32(length) * vectors
    return scaled


def _modulated(
    ranker: Ranker, comparison: Comparison, document_id: str, vector: FloatArray
) -> tuple[int, int] | None:
    """Return the modulated rank of a document without and with its edit."""
    if ranker.model is None or document_id not in comparison.position:
        return None
    edited = ranker.with_ranks(rescore(comparison, ranker.model, documents={document_id: vector}))
    at = comparison.position[document_id]
    before, after = (int(own.rank("modulated")[at]) for own in (comparison, edited))
    return before, after
