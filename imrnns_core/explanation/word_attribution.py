"""The words behind a score and its change: estimated, or deleted and measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import chain

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.data.embeddings import unit
from imrnns_core.encoding.encoder import format_document, format_query
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import EncoderError, ExplanationError
from imrnns_core.explanation.attention_trace import Trace, TracedEncoder
from imrnns_core.explanation.occlusion import (
    MASKED_TOKENS,
    SHIFTS,
    estimate_drops,
    score_and_change,
    token_to_word,
)
from imrnns_core.explanation.pair import Pair, reference_scores
from imrnns_core.explanation.score_accounting import WordAccounting, account_words
from imrnns_core.explanation.word_drops import (
    FIRST_DRAWS,
    Draw,
    VerifiedWord,
    WordDrops,
    random_draws,
    undecided_counts,
    verified_words,
)
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.text.words import Word, end_of_character, find_words, without
from imrnns_core.types import SIDES, FloatArray, Progress, Side

BATCH_CHARACTERS = 4000
"""Largest number of characters of one batch of texts, about 0.2 s of encoding.

After each batch, progress is reported and the work can be stopped.
"""
SAME_TEXT = 0.9995
"""Smallest cosine of the stored embedding of a text and of its embedding now.

Embeddings in 16 bits have cosines above 0.99999.
"""
CACHED_TEXTS = 4096
"""Number of texts whose embeddings are kept."""


class WordExplainer:
    """Explain pairs of one ranker by their words.

    `traced` can be shared with other rankers of the same encoder.

    Raises:
        ExplanationError: The encoder is not one of sentence-transformers.
    """

    def __init__(self, ranker: Ranker, traced: TracedEncoder | None = None) -> None:
        if ranker.collection.similarity != "cosine":
            raise ExplanationError(
                f"{ranker.collection.dataset.name} is ranked by dot product, and words can be "
                "explained only for cosines; prepare it with --similarity cosine"
            )
        if not isinstance(ranker.collection.encoder, SentenceTransformerEncoder):
            raise ExplanationError(
                "words can be explained for encoders of sentence-transformers only"
            )
        self.ranker, self.encoder = ranker, ranker.collection.encoder
        self._traced, self._vectors = traced, dict[tuple[Side, str], FloatArray]()

    @cached_property
    def traced(self) -> TracedEncoder:
        """The encoder with readable attention.

        Raises:
            ExplanationError: Its attention cannot be read.
        """
        self.ranker.collection.check_encoder()
        return self._traced or TracedEncoder(self.encoder)

    def check(self) -> None:
        """Check that words can be explained.

        Raises:
            ExplanationError: The encoder's attention cannot be read.
            EncoderError: The encoder did not make the stored embeddings, or their lengths vary, so
                that the length for a new text is unknown.
        """
        _ = self.traced, self.length("document"), self.length("query")

    def check_pair(self, pair: Pair) -> None:
        """Check that the words of this pair can be explained.

        Raises:
            ExplanationError: As `check`.
            EncoderError: As `check`, or if a stored embedding of the pair is not that of its text.
        """
        self.check()
        vectors = pair.comparison.vectors
        stored = {
            "query": vectors.stored_query.numpy(),
            "document": vectors.stored_documents[pair.position].numpy(),
        }
        for side in SIDES:
            encoded = self.encode(side, [self.text(pair, side)])[0]
            cosine = float(unit(encoded) @ unit(stored[side]))
            # a drop is the score of the stored embedding minus that of a text encoded now
            if cosine < SAME_TEXT:
                raise EncoderError(
                    f"the stored embedding of the {side} is not that of its text (cosine "
                    f"{cosine:.4f}): the text was changed, or formatted in another way; encode the "
                    "data set again with imrnns-lens prepare"
                )

    def length(self, side: Side) -> float | None:
        """Return the length of the stored embeddings of a side, None: as the encoder makes them.

        Raises:
            EncoderError: The lengths vary.
        """
        return (
            self.ranker.collection.document_length
            if side == "document"
            else self.ranker.collection.query_length
        )

    def encode(
        self, side: Side, texts: Sequence[str], progress: Progress | None = None
    ) -> FloatArray:
        """Return (B, n) embeddings of B formatted texts, at the length of the stored ones.

        Each text is encoded once. `progress` counts the texts that still have to be encoded. It is
        called before the first batch, also if there is none, and after each batch. If it raises,
        the work stops; texts that are encoded by then are kept.

        Raises:
            EncoderError: The lengths of the stored embeddings vary.
        """
        length = self.length(side)
        vectors = {text: self._vectors.get((side, text)) for text in texts}
        missing = [text for text, vector in vectors.items() if vector is None]
        missing.sort(key=len, reverse=True)
        done = 0
        if progress:
            progress(done, len(missing))
        while done < len(missing):
            size = max(1, BATCH_CHARACTERS // max(1, len(missing[done])))
            batch = missing[done : done + size]
            encoded = self.encoder.encode_formatted(batch, unit=length is not None)
            if length not in (None, 1.0):
                encoded = np.float32(length) * encoded
            for text, vector in zip(batch, encoded, strict=True):
                vectors[text] = self._vectors[side, text] = vector
            done += len(batch)
            if progress:
                progress(done, len(missing))
        for oldest in list(self._vectors)[: max(0, len(self._vectors) - CACHED_TEXTS)]:
            self._vectors.pop(oldest, None)
        return np.array([vectors[text] for text in texts], dtype=np.float32).reshape(
            len(texts), self.encoder.dimension
        )

    def text(self, pair: Pair, side: Side) -> str:
        """Return a text of the pair as it is formatted for the encoder, or the best passage."""
        if side == "query":
            return format_query(self.encoder.spec, pair.comparison.query.text)
        passage = pair.comparison.passages.get(pair.document_id)
        document = self.ranker.collection.dataset.document[pair.document_id]
        return format_document(self.encoder.spec, passage.part if passage else document)

    def words(self, text: str, side: Side) -> list[Word]:
        """Return the words of a formatted text, without the encoder's prefix."""
        prefix = (
            self.encoder.spec.query_prefix if side == "query" else self.encoder.spec.document_prefix
        )
        return find_words(text, self.encoder.tokenizer, len(prefix))

    def estimate(self, pair: Pair, side: Side, text: str | None = None) -> WordDrops:
        """Estimate the drop of every word without encoding edited texts.

        Args:
            pair: The pair. Its other text stays the same.
            side: The text to explain.
            text: Another formatted text to explain in its place.

        Raises:
            ExplanationError: The encoder's attention cannot be read.
        """
        return self.estimate_and_account(pair, side, text)[0]

    def estimate_and_account(
        self, pair: Pair, side: Side, text: str | None = None
    ) -> tuple[WordDrops, WordAccounting | None]:
        """Estimate the drops, and split the change over the words.

        The accounting is None where the encoder's pooling is not additive, or without an adapter.

        Raises:
            ExplanationError: The encoder's attention cannot be read.
        """
        text = self.text(pair, side) if text is None else text
        trace, words, length = self.traced.trace(text), self.words(text, side), self.length(side)
        word_of_token = token_to_word(trace, words)
        drops = torch.zeros(len(words), 2)
        words_read = int(word_of_token.max()) + 1
        drops[:words_read] = self._estimated(pair, side, text, trace, word_of_token)
        score, change = drops.numpy().T
        # some encoders leave out combining marks
        characters_read = end_of_character(text, max((end for _, end in trace.spans), default=0))
        accounting = (
            account_words(pair, side, trace, word_of_token, length)
            if self.traced.has_additive_pooling and pair.model is not None
            else None
        )
        return WordDrops(side, text, words, score, change, characters_read), accounting

    def _estimated(
        self, pair: Pair, side: Side, text: str, trace: Trace, word_of_token: Tensor
    ) -> Tensor:
        """Return (R, 2) estimated drops of the R words that are read.

        `word_of_token` (T,) has the word of each token, −1 for none.
        """
        length, words_read = self.length(side), int(word_of_token.max()) + 1

        def scaled(vectors: Tensor) -> Tensor:
            return vectors if length is None else length * F.normalize(vectors, dim=-1)

        def pool(outputs: Tensor, weights: Tensor) -> Tensor:
            return scaled(self.traced.pool(outputs, weights))

        def scorer(vectors: Tensor) -> Tensor:
            return score_and_change(pair, side, vectors)

        if not words_read:
            return torch.zeros(0, 2)
        if words_read * len(word_of_token) <= MASKED_TOKENS:
            masked = (word_of_token == torch.arange(words_read)[:, None]).float()
            with torch.no_grad():
                full = scorer(pool(trace.outputs, torch.ones(1, len(word_of_token))))
                return full - scorer(scaled(self.traced.encode_masked(text, masked)))
        shifts = SHIFTS if self.traced.has_absolute_positions else ()
        shifted = {shift: self.traced.trace(text, shift) for shift in shifts}
        return estimate_drops(trace, shifted, scorer, pool, word_of_token)

    def measure(
        self, pair: Pair, side: Side, texts: Sequence[str], progress: Progress | None = None
    ) -> FloatArray:
        """Return (B, 2) modulated score and change with B formatted texts in place of the pair's.

        Raises:
            EncoderError: The lengths of the stored embeddings vary.
        """
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
        """Delete words, encode the text again, and compare with random deletions.

        A random deletion removes as many occurrences of other words as the word has. Words with
        the same number of occurrences share the draws. Drops refer to the scores as ranked.

        Raises:
            EncoderError: The lengths of the stored embeddings vary.
        """
        occurrences = {i: len(drops.spans_read(i)) for i in positions}
        draws = {
            count: random_draws(drops, count, [i for i in positions if occurrences[i] == count])
            for count in sorted(set(occurrences.values()) - {0})
        }
        shortened = {
            count: [without(drops.text, [Word("", tuple(chain(*d.values())))]) for d in of_count]
            for count, of_count in draws.items()
        }
        texts = [without(drops.text, [drops.words[i]]) for i in positions]
        texts += chain(*(of_count[:FIRST_DRAWS] for of_count in shortened.values()))
        lost = reference_scores(pair) - self.measure(pair, side, texts, progress)
        measured, end = dict(zip(positions, lost, strict=False)), len(positions)
        random = dict[int, tuple[Sequence[Draw], FloatArray]]()
        for count, of_count in draws.items():
            first = lost[end : end + min(FIRST_DRAWS, len(of_count))]
            random[count], end = (of_count, first), end + len(first)
        for count in sorted(undecided_counts(drops, measured, random)):
            values = self.measure(pair, side, shortened[count], progress)
            random[count] = draws[count], reference_scores(pair) - values
        return verified_words(drops, measured, random)
