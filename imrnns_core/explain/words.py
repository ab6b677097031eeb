"""Which words of a text carry a score, and which carry its change: estimated, or measured.

Estimated: what the score loses when no token reads the word any more and the word is not pooled. A short text is
passed through the encoder with each word hidden in turn; for a long one it is told from the gradients of one pass.
Measured: the word is deleted, the text encoded again. docs/explanations.md has the figures of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from imrnns_core.explain.positions import MOVE_SHARE, moved_weights, places_of, position_drop
from imrnns_core.explain.texts import Word, find_words, without
from imrnns_core.explain.tracing import Pool, Target, Trace, TracedEncoder, attention_drop, gradients
from imrnns_core.ranking import Ranker
from imrnns_core.records import FloatArray

Carried = Literal["score", "change"]
"""What a word can carry: the modulated score, or its change."""
Verdict = Literal["holds", "chance", "other sign"]
"""What measuring made of an estimate: it holds, the drop is no more than that of random words, or it has the other sign."""
SHORTLIST: dict[Side, int] = {"document": 10, "query": 5}
"""Words that are verified by default: as many encodes."""
SHORTLIST_ERROR = 0.1
"""Standard error of an estimate, as a share of the text's largest one, for a word at one place; it grows with the root of the places.

Seen on 6,000 words of 60 documents (SciFact train): .08 at one place, .13 at two, .19 at three to five, .34 at more.
"""
RANDOM_DRAWS = 10
HIDDEN_TOKENS = 1024
"""Each word is hidden in turn where that takes no more tokens: four passes of 256, as dear as the estimate from gradients."""
MOVES = (1, 2)
"""Places that later words move up by, in word pieces: longer words are taken for the longest."""
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

    def shortlist(self, carried: Carried, count: int, falls: bool = False) -> list[int]:
        """Return the positions of the words that are worth deleting: by what they may carry at most, one standard error above the estimate.

        Args:
            carried: Score or change.
            count: How many.
            falls: Look for the words that pull it down.
        """
        values = -self.by(carried) if falls else self.by(carried)
        places = np.array([sum(end <= self.read for _, end in word.spans) for word in self.words])
        most = values + SHORTLIST_ERROR * np.abs(values).max(initial=0.0) * np.sqrt(places)
        return [int(i) for i in np.argsort(-most, kind="stable")[:count]]


@dataclass(frozen=True)
class VerifiedWord:
    """A word that was really deleted, and what as many randomly chosen occurrences do.

    Drops are (score, change); `random` is the mean over draws, `random_std` their standard deviation; `estimate` is
    what was estimated before the word was deleted.
    """

    word: Word
    drop: tuple[float, float]
    random: tuple[float, float]
    random_std: tuple[float, float]
    estimate: tuple[float, float]

    def verdict(self, carried: Carried) -> Verdict:
        """Say what the measured drop makes of the estimate: within one deviation of random words it says nothing."""
        column = 0 if carried == "score" else 1
        if abs(self.drop[column] - self.random[column]) <= self.random_std[column]:
            return "chance"
        return "holds" if self.drop[column] * self.estimate[column] > 0 else "other sign"


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

        `progress` hears of texts that are not known yet: before the first batch, also where there is none, and after
        each. What it raises stops the work, and what is encoded by then stays known.
        """
        length, found = self.length(side), {text: self._known.get((side, text)) for text in texts}
        missing = sorted((text for text, vector in found.items() if vector is None), key=len, reverse=True)
        done = 0
        if progress:
            progress(done, len(missing))
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
        """Estimate every word's drop without encoding another text.

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
        owner = owners(trace, words)

        def scaled(vectors: Tensor) -> Tensor:
            return vectors if length is None else length * F.normalize(vectors, dim=-1)

        def pool(outputs: Tensor, weights: Tensor) -> Tensor:
            return scaled(self.traced.pool(outputs, weights))

        def target(vectors: Tensor) -> Tensor:
            return _score_and_change(pair, side, vectors)

        read = int(owner.max()) + 1
        values = torch.zeros(len(words), 2)
        if read and read * len(owner) <= HIDDEN_TOKENS:
            hidden = (owner == torch.arange(read)[:, None]).float()
            with torch.no_grad():
                whole = target(pool(trace.outputs, torch.ones(1, len(owner))))
                values[:read] = whole - target(scaled(self.traced.hide(text, hidden)))
        elif read:
            moved = {count: self.traced.trace(text, count) for count in MOVES} if self.traced.places else {}
            values[:read] = estimate_drops(trace, moved, target, pool, owner)
        found = values.numpy()
        drops = WordDrops(side, text, words, found[:, 0], found[:, 1], max((end for _, end in trace.spans), default=0))
        return drops, account_words(pair, side, trace, owner, length) if self.traced.sums else None

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
            VerifiedWord(drops.words[i], both(lost[n]), both(mean[row]), both(std[row]), (float(drops.score[i]), float(drops.change[i])))
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


def estimate_drops(trace: Trace, moved: Mapping[int, Trace], target: Target, pool: Pool, owner: Tensor) -> Tensor:
    """Return (W, G) what G targets are estimated to lose without each of the words that the encoder reads.

    Args:
        trace: The text of T tokens.
        moved: The same with its tokens some places earlier, by how many; empty where that changes nothing.
        target: (B, n) embeddings → (B, G) scores.
        pool: `TracedEncoder.pool`, at the length that is scored.
        owner: (T,) the word of each token, -1 for none.
    """
    slopes, places = gradients(trace, target, pool), places_of(owner)
    drops = attention_drop(trace, slopes, owner)
    with torch.no_grad():
        whole = target(pool(trace.outputs, torch.ones(1, len(owner))))
        left = target(pool(trace.outputs, (owner != torch.arange(len(places))[:, None]).float()))
        drops += whole - left
        pieces = [min((end - start for start, end in spots), default=0) for spots in places]
        for count, other in moved.items():
            group = [w for w, size in enumerate(pieces) if size == count or size > count == max(moved)]
            spots = [(w, place) for w in group for place in places[w]]
            if not spots:
                continue
            lost = position_drop(trace, other, slopes, [place for _, place in spots])
            for (w, _), drop in zip(spots, lost, strict=True):
                drops[w] += MOVE_SHARE * drop / len(places[w])
            weights = moved_weights(len(owner), len(other.spans), [places[w] for w in group])
            drops[group] += MOVE_SHARE * (left[group] - target(pool(torch.cat([trace.outputs, other.outputs]), weights)))
    return drops


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
