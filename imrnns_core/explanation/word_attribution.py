"""Words behind a score and its change: estimated, or deleted and measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.encoding.encoder import format_document, format_query
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import ExplanationError
from imrnns_core.explanation.attention_trace import Trace, TracedEncoder
from imrnns_core.explanation.occlusion import (
    BATCH_LETTERS,
    HIDDEN_TOKENS,
    MOVES,
    estimate_drops,
    score_and_change,
    token_to_word,
)
from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.score_accounting import WordAccounting, account_words
from imrnns_core.explanation.word_drops import VerifiedWord, WordDrops
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.text.words import Word, find_words, without
from imrnns_core.types import FloatArray, Progress, Side

RANDOM_DRAWS = 10
KNOWN_TEXTS = 4096


class WordExplainer:
    """Explain pairs of one ranker by their words.

    The encoder taken apart can be shared with other rankers.
    """

    def __init__(self, ranker: Ranker, traced: TracedEncoder | None = None) -> None:
        if not isinstance(ranker.collection.encoder, SentenceTransformerEncoder):
            raise ExplanationError(
                "words can be explained for encoders of sentence-transformers only"
            )
        self.ranker, self.encoder = ranker, ranker.collection.encoder
        self._traced, self._known = traced, dict[tuple[Side, str], FloatArray]()

    @cached_property
    def traced(self) -> TracedEncoder:
        """The encoder taken apart; ExplanationError if it cannot be."""
        self.ranker.collection.check_encoder()
        return self._traced or TracedEncoder(self.encoder)

    def check(self) -> None:
        """Raise what says why words cannot be explained.

        ExplanationError where the encoder cannot be taken apart, EncoderError where it is another
        than the vectors', or where these are of lengths that no new text can be given.
        """
        _ = self.traced, self.length("document"), self.length("query")

    def length(self, side: Side) -> float | None:
        """Return how long a text's embedding is beside the stored ones.

        None: as the encoder makes it.
        """
        return (
            self.ranker.collection.document_length
            if side == "document"
            else self.ranker.collection.query_length
        )

    def encode(
        self, side: Side, texts: Sequence[str], progress: Progress | None = None
    ) -> FloatArray:
        """Return (B, n) embeddings of formatted texts, as long as the stored ones.

        Each text is encoded once.

        `progress` hears of texts that are not known yet: before the first batch, also where there
        is none, and after each. What it raises stops the work, and what is encoded by then stays
        known.
        """
        length, found = self.length(side), {text: self._known.get((side, text)) for text in texts}
        missing = sorted(
            (text for text, vector in found.items() if vector is None), key=len, reverse=True
        )
        done = 0
        if progress:
            progress(done, len(missing))
        while done < len(missing):
            size = max(1, BATCH_LETTERS // max(1, len(missing[done])))
            batch = missing[done : done + size]
            vectors = self.encoder.encode_formatted(batch, unit=length is not None)
            for text, vector in zip(
                batch,
                vectors if length in (None, 1.0) else np.float32(length) * vectors,
                strict=True,
            ):
                found[text] = self._known[side, text] = vector
            done += len(batch)
            if progress:
                progress(done, len(missing))
        for oldest in list(self._known)[: max(0, len(self._known) - KNOWN_TEXTS)]:
            self._known.pop(oldest, None)
        return np.array([found[text] for text in texts], dtype=np.float32).reshape(
            len(texts), self.encoder.dimension
        )

    def text(self, pair: Pair, side: Side) -> str:
        """Return a text of the pair as formatted for the encoder."""
        if side == "query":
            return format_query(self.encoder.spec, pair.comparison.query.text)
        return format_document(
            self.encoder.spec, self.ranker.collection.dataset.document[pair.document_id]
        )

    def words(self, text: str, side: Side) -> list[Word]:
        """Return the words of a formatted text; the encoder's prefix is not among them."""
        prefix = (
            self.encoder.spec.query_prefix if side == "query" else self.encoder.spec.document_prefix
        )
        return find_words(text, self.encoder.tokenizer, len(prefix))

    def estimate(self, pair: Pair, side: Side, text: str | None = None) -> WordDrops:
        """Estimate every word's drop without encoding another text.

        Args:
            pair: The pair; its other text and all else is kept.
            side: The text to explain.
            text: Another formatted text in its place.

        Raises ExplanationError where the encoder cannot be taken apart.
        """
        return self.estimate_and_account(pair, side, text)[0]

    def estimate_and_account(
        self, pair: Pair, side: Side, text: str | None = None
    ) -> tuple[WordDrops, WordAccounting | None]:
        """Estimate, and split Δ over the words, too; None where the encoder has no such account."""
        text = self.text(pair, side) if text is None else text
        trace, words, length = self.traced.trace(text), self.words(text, side), self.length(side)
        owner = token_to_word(trace, words)
        values = torch.zeros(len(words), 2)
        read = int(owner.max()) + 1
        values[:read] = self._estimated(pair, side, text, trace, owner)
        found, end = values.numpy(), max((end for _, end in trace.spans), default=0)
        drops = WordDrops(side, text, words, found[:, 0], found[:, 1], end)
        return drops, account_words(pair, side, trace, owner, length) if self.traced.sums else None

    def _estimated(self, pair: Pair, side: Side, text: str, trace: Trace, owner: Tensor) -> Tensor:
        """Return (R, 2) estimated drops of the R words that are read.

        Owner (T,) has each token's word.
        """
        length, read = self.length(side), int(owner.max()) + 1

        def scaled(vectors: Tensor) -> Tensor:
            return vectors if length is None else length * F.normalize(vectors, dim=-1)

        def pool(outputs: Tensor, weights: Tensor) -> Tensor:
            return scaled(self.traced.pool(outputs, weights))

        def target(vectors: Tensor) -> Tensor:
            return score_and_change(pair, side, vectors)

        if not read:
            return torch.zeros(0, 2)
        if read * len(owner) <= HIDDEN_TOKENS:
            hidden = (owner == torch.arange(read)[:, None]).float()
            with torch.no_grad():
                whole = target(pool(trace.outputs, torch.ones(1, len(owner))))
                return whole - target(scaled(self.traced.hide(text, hidden)))
        moved = {n: self.traced.trace(text, n) for n in MOVES} if self.traced.places else {}
        return estimate_drops(trace, moved, target, pool, owner)

    def measure(
        self, pair: Pair, side: Side, texts: Sequence[str], progress: Progress | None = None
    ) -> FloatArray:
        """Return (B, 2) modulated score and Δ with B formatted texts in place of the pair's."""
        vectors = torch.from_numpy(self.encode(side, texts, progress))
        with torch.no_grad():
            return score_and_change(pair, side, vectors).numpy()

    def verify(
        self,
        pair: Pair,
        side: Side,
        drops: WordDrops,
        positions: Sequence[int],
        progress: Progress | None = None,
    ) -> list[VerifiedWord]:
        """Delete words and encode again, each beside a random deletion of as many occurrences.

        Words with as many occurrences share the draws. Drops are counted from the scores as ranked,
        so that they are what the ranking would show.
        """
        counts = sorted({len(drops.words[i].spans) for i in positions})
        texts = [without(drops.text, [drops.words[i]]) for i in positions]
        for count in counts:  # the same draws, whichever words are asked for
            generator = np.random.default_rng(0)
            texts += [random_deletion(drops, count, generator) for _ in range(RANDOM_DRAWS)]
        lost = reference_scores(pair) - self.measure(pair, side, texts, progress)
        random = lost[len(positions) :].reshape(len(counts), RANDOM_DRAWS, 2)
        mean, std = random.mean(1), random.std(1)

        def both(row: FloatArray) -> tuple[float, float]:
            return float(row[0]), float(row[1])

        rows = [counts.index(len(drops.words[i].spans)) for i in positions]
        return [
            VerifiedWord(
                drops.words[i],
                both(lost[n]),
                both(mean[row]),
                both(std[row]),
                (float(drops.score[i]), float(drops.change[i])),
            )
            for n, (i, row) in enumerate(zip(positions, rows, strict=True))
        ]


def reference_scores(pair: Pair) -> FloatArray:
    """Return (2,) the pair's modulated score and Δ."""
    base, modulated = pair.scores.tolist()
    return np.array([modulated, modulated - base], dtype=np.float32)


def random_deletion(drops: WordDrops, count: int, generator: np.random.Generator) -> str:
    """Return the text without `count` random occurrences of words that the encoder reads."""
    places = [
        (left, right) for word in drops.words for left, right in word.spans if right <= drops.read
    ]
    chosen = generator.permutation(len(places))[:count]
    return without(drops.text, [Word("", (places[i],)) for i in chosen])
