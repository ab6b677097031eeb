"""Which words of a text carry a score, and which carry its change: estimated from one pass of the encoder, or measured.

Estimated: what the score loses when no token reads the word any more and the word is not pooled. Measured: the
word is deleted, the text encoded again. docs/explanations.md has the figures of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.encoder import Progress, SentenceTransformerEncoder, format_document, format_query
from imrnns_core.errors import ExplanationError
from imrnns_core.explain.accounting import WordAccounting, account_words
from imrnns_core.explain.counterfactual import Pair, Side
from imrnns_core.explain.texts import Word, find_words, without
from imrnns_core.explain.tracing import Pool, Trace, TracedEncoder, attention_drop
from imrnns_core.ranking import Ranker
from imrnns_core.records import FloatArray

Carried = Literal["score", "change"]
"""What a word can carry: the modulated score, or its change."""
SHORTLIST: dict[Side, int] = {"document": 10, "query": 5}
"""Words that are verified by default: as many encodes."""
RANDOM_DRAWS = 10
BATCH_LETTERS = 4000
"""Texts are encoded so many letters at a time: a fifth of a second, after which the reader can be told or can go on."""
KNOWN_TEXTS = 4096


@dataclass(frozen=True)
class WordDrops:
    """What the modulated score, and the change Δ = modulated − base, lose without each of W words.

    Attributes:
        side: Which text.
        text: As it is formatted for the encoder.
        words: The words, each with all its places.
        score: (W,) drop of the modulated score; negative where it rises.
        change: (W,) drop of Δ.
        read: The encoder reads the text up to this character; later words drop nothing.
    """

    side: Side
    text: str
    words: list[Word]
    score: FloatArray
    change: FloatArray
    read: int

    def by(self, carried: Carried) -> FloatArray:
        """Return (W,) drops of the score or of the change."""
        return self.score if carried == "score" else self.change

    def top(self, carried: Carried, count: int) -> list[int]:
        """Return the positions of the words whose removal costs most, first the largest drop."""
        return [int(i) for i in np.argsort(-self.by(carried), kind="stable")[:count]]


@dataclass(frozen=True)
class VerifiedWord:
    """A word that was really deleted, and what as many randomly chosen occurrences do.

    Drops are (score, change); `random` is the mean over draws, `random_std` their standard deviation.
    """

    word: Word
    drop: tuple[float, float]
    random: tuple[float, float]
    random_std: tuple[float, float]


class WordExplainer:
    """Explain pairs of one ranker by their words; the encoder taken apart can be shared with other rankers."""

    def __init__(self, ranker: Ranker, traced: TracedEncoder | None = None) -> None:
        if not isinstance(ranker.collection.encoder, SentenceTransformerEncoder):
            raise ExplanationError("words can be explained for encoders of sentence-transformers only")
        self.ranker, self.encoder = ranker, ranker.collection.encoder
        self._traced, self._known = traced, dict[tuple[Side, str], FloatArray]()

    @cached_property
    def traced(self) -> TracedEncoder:
        """The encoder taken apart; ExplanationError if it cannot be."""
        self.ranker.collection.check_encoder()
        return self._traced or TracedEncoder(self.encoder)

    def check(self) -> None:
        """Raise what says why words cannot be explained.

        ExplanationError where the encoder cannot be taken apart, EncoderError where it is another than the vectors', or
        where these are of lengths that no new text can be given.
        """
        _ = self.traced, self.length("document"), self.length("query")

    def length(self, side: Side) -> float | None:
        """Return how long a text's embedding is beside the stored ones; None: as the encoder makes it."""
        return self.ranker.collection.document_length if side == "document" else self.ranker.collection.query_length

    def encode(self, side: Side, texts: Sequence[str], progress: Progress | None = None) -> FloatArray:
        """Return (B, n) embeddings of formatted texts, as long as the stored ones; each text is encoded once.

        `progress` hears of texts that are not known yet, batch by batch. What it raises stops the work, and what is
        encoded by then stays known.
        """
        length, found = self.length(side), {text: self._known.get((side, text)) for text in texts}
        missing = sorted((text for text, vector in found.items() if vector is None), key=len, reverse=True)
        done = 0
        while done < len(missing):
            size = max(1, BATCH_LETTERS // max(1, len(missing[done])))
            batch = missing[done : done + size]
            vectors = self.encoder.encode_formatted(batch, unit=length is not None)
            for text, vector in zip(batch, vectors if length in (None, 1.0) else np.float32(length) * vectors, strict=True):
                found[text] = self._known[side, text] = vector
            done += len(batch)
            if progress:
                progress(done, len(missing))
        for oldest in list(self._known)[: max(0, len(self._known) - KNOWN_TEXTS)]:
            self._known.pop(oldest, None)
        return np.array([found[text] for text in texts], dtype=np.float32).reshape(len(texts), self.encoder.dimension)

    def text(self, pair: Pair, side: Side) -> str:
        """Return a text of the pair as formatted for the encoder."""
        if side == "query":
            return format_query(self.encoder.spec, pair.comparison.query.text)
        return format_document(self.encoder.spec, self.ranker.collection.dataset.document[pair.document_id])

    def words(self, text: str, side: Side) -> list[Word]:
        """Return the words of a formatted text; the encoder's prefix is not among them."""
        prefix = self.encoder.spec.query_prefix if side == "query" else self.encoder.spec.document_prefix
        return find_words(text, self.encoder.tokenizer, len(prefix))

    def estimate(self, pair: Pair, side: Side, text: str | None = None) -> WordDrops:
        """Estimate every word's drop without encoding again: one pass forward, one backward for each of the two scores.

        Args:
            pair: The pair; its other text and all else is kept.
            side: The text to explain.
            text: Another formatted text in its place.

        Raises ExplanationError where the encoder cannot be taken apart.
        """
        return self.estimate_and_account(pair, side, text)[0]

    def estimate_and_account(self, pair: Pair, side: Side, text: str | None = None) -> tuple[WordDrops, WordAccounting | None]:
        """Estimate, and split Δ over the words too, where the encoder has such an account (else None)."""
        text = self.text(pair, side) if text is None else text
        trace, words, length = self.traced.trace(text), self.words(text, side), self.length(side)

        def pool(outputs: Tensor, kept: Tensor) -> Tensor:
            vectors = self.traced.pool(outputs, kept)
            return vectors if length is None else length * F.normalize(vectors, dim=-1)

        values = estimate_drops(trace, pool, pair, side, words)
        drops = WordDrops(side, text, words, values[:, 0], values[:, 1], max((end for _, end in trace.spans), default=0))
        return drops, account_words(pair, side, trace, owners(trace, words), length) if self.traced.sums else None

    def measure(self, pair: Pair, side: Side, texts: Sequence[str], progress: Progress | None = None) -> FloatArray:
        """Return (B, 2) modulated score and Δ with each of these formatted texts in place of the pair's."""
        vectors = torch.from_numpy(self.encode(side, texts, progress))
        with torch.no_grad():
            return _score_and_change(pair, side, vectors).numpy()

    def verify(
        self, pair: Pair, side: Side, drops: WordDrops, positions: Sequence[int], progress: Progress | None = None
    ) -> list[VerifiedWord]:
        """Delete words and encode again, each beside as many random occurrences of the text's words.

        Words with as many occurrences share the draws. Drops are counted from the scores as ranked, so that they
        are what the ranking would show.
        """
        counts = sorted({len(drops.words[i].spans) for i in positions})
        texts = [without(drops.text, [drops.words[i]]) for i in positions]
        for count in counts:  # the same draws, whichever words are asked for
            generator = np.random.default_rng(0)
            texts += [random_deletion(drops, count, generator) for _ in range(RANDOM_DRAWS)]
        lost = ranked(pair) - self.measure(pair, side, texts, progress)
        random = lost[len(positions) :].reshape(len(counts), RANDOM_DRAWS, 2)
        mean, std = random.mean(1), random.std(1)

        def both(row: FloatArray) -> tuple[float, float]:
            return float(row[0]), float(row[1])

        rows = [counts.index(len(drops.words[i].spans)) for i in positions]
        return [
            VerifiedWord(drops.words[i], both(lost[n]), both(mean[row]), both(std[row]))
            for n, (i, row) in enumerate(zip(positions, rows, strict=True))
        ]


def ranked(pair: Pair) -> FloatArray:
    """Return (2,) the pair's modulated score and Δ."""
    base, modulated = pair.scores.tolist()
    return np.array([modulated, modulated - base], dtype=np.float32)


def random_deletion(drops: WordDrops, count: int, generator: np.random.Generator) -> str:
    """Return the text without `count` randomly chosen occurrences of words that the encoder reads."""
    places = [(left, right) for word in drops.words for left, right in word.spans if right <= drops.read]
    chosen = generator.permutation(len(places))[:count]
    return without(drops.text, [Word("", (places[i],)) for i in chosen])


def estimate_drops(trace: Trace, pool: Pool, pair: Pair, side: Side, words: Sequence[Word]) -> FloatArray:
    """Return (W, 2) estimated drops of the modulated score and of Δ."""

    def target(vectors: Tensor) -> Tensor:
        return _score_and_change(pair, side, vectors)

    owner = owners(trace, words)
    member = torch.stack([owner == i for i in range(len(words))]).float() if words else torch.zeros(0, len(owner))
    with torch.no_grad():
        whole = target(pool(trace.outputs, torch.ones(1, len(owner))))
        pooled = whole - target(pool(trace.outputs, 1 - member))  # (W, 2)
    pooled[member.sum(1) == 0] = 0.0  # the encoder does not read the word
    pooled[: int(owner.max()) + 1] += attention_drop(trace, target, pool, owner)
    return np.asarray(pooled.numpy(), dtype=np.float32)


def owners(trace: Trace, words: Sequence[Word]) -> Tensor:
    """Return (T,) the position of the word that each token overlaps, -1 for none."""
    spans = np.array(trace.spans).reshape(-1, 2)
    owner = np.full(len(spans), -1)
    for position, word in enumerate(words):
        for left, right in word.spans:
            owner[(spans[:, 0] < right) & (spans[:, 1] > left)] = position
    return torch.from_numpy(owner)


def _score_and_change(pair: Pair, side: Side, vectors: Tensor) -> Tensor:
    scores = pair.document_scores(vectors) if side == "document" else pair.query_scores(vectors)  # (B, 2)
    return torch.stack([scores[:, 1], scores[:, 1] - scores[:, 0]], dim=-1)
