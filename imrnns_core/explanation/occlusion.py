"""Estimate how much a score drops without each word of a text, without encoding it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from imrnns_core.explanation.attention_trace import (
    MIN_ATTENTION_LEFT,
    AttentionTrace,
    Gradients,
    Pool,
    Scorer,
    Trace,
    attention_drop,
    attention_gradients,
)
from imrnns_core.explanation.pair import Pair
from imrnns_core.text.words import Word
from imrnns_core.types import Side

TokenSpan = tuple[int, int]
"""One occurrence of a word: its first token, and the token after its last one."""
SHIFT_FACTOR = 0.75
"""Factor on the first-order effect of a shift, which is too large.

Measured: 0.73 over words of one token that occur once (SciFact train).
"""
MASKED_TOKENS = 1024
"""Largest number of words × tokens for which each word is masked in turn.

This equals four passes of 256 tokens, about the cost of the estimate from gradients.
"""
SHIFTS = (1, 2)
"""Numbers of positions by which shifted passes move the tokens. Longer words use the largest."""


def token_spans(word_of_token: Tensor) -> list[list[TokenSpan]]:
    """Return the occurrences of each of W words.

    Args:
        word_of_token: (T,) the word of each token, −1 for none.
    """
    spans: list[list[TokenSpan]] = [[] for _ in range(int(word_of_token.max()) + 1)]
    start, words = 0, word_of_token.tolist()
    for end in range(1, len(words) + 1):
        if end == len(words) or words[end] != words[start]:
            if words[start] >= 0:
                spans[words[start]].append((start, end))
            start = end
    return spans


def pooling_weights(
    length: int, shifted_length: int, spans: Sequence[Sequence[TokenSpan]]
) -> Tensor:
    """Return (W, T + T') pooling weights of the tokens of both passes without each word.

    Tokens before the word count in the first pass, tokens after it in the shifted pass. For a word
    that occurs several times, the weights are the mean over its occurrences: it matters more that a
    token shifts than by how many positions.

    Args:
        length: T, the number of tokens of the first pass.
        shifted_length: T', the number of tokens of the shifted pass.
        spans: The occurrences of each of W words.
    """
    weights = torch.zeros(len(spans), length + shifted_length)
    weights[:, :length] = 1.0
    for row, occurrences in zip(weights, spans, strict=True):
        for _, end in occurrences:
            row[end:length] -= 1 / len(occurrences)
            row[length + end :] += 1 / len(occurrences)
        for start, end in occurrences:
            row[start:end] = row[length + start : length + end] = 0.0
    return weights


def position_drop(
    trace: Trace, shifted: Trace, gradients: Gradients, spans: Sequence[TokenSpan]
) -> Tensor:
    """Return (P, G) drops of G targets because deleting a span shifts all later tokens.

    In every layer and head, a token before the span reads earlier tokens from the first pass and
    later tokens from the shifted pass. A token after the span does the same with its own query
    from the shifted pass. This is exact for the attention of the two passes; the gradients give
    the effect on the targets. The effect of the deletion without the shift is `attention_drop`,
    and is not counted here.

    Args:
        trace: The text of T tokens.
        shifted: The text with its tokens at earlier positions. If the text is cut off, this pass
            reads more tokens.
        gradients: `attention_gradients` of the text.
        spans: P spans.
    """
    masks = _SpanMasks.of(spans, len(trace.spans), len(shifted.spans))
    # additional tokens have no gradient and take that of the last token
    rows = torch.arange(len(shifted.spans)).clamp_max(len(trace.spans) - 1)
    drops = torch.zeros(len(spans), len(gradients))
    for i, (layer, other) in enumerate(zip(trace.attention, shifted.attention, strict=True)):
        # (pass of the reading token, pass of the token that is read)
        passes = ((layer, layer), (layer, other), (other, layer), (other, other))
        weights = [_attention(reader, read) for reader, read in passes]
        left = [total.clamp_min_(MIN_ATTENTION_LEFT) for total in masks.without(weights)]
        for g, layers in enumerate(gradients):
            gradient = {id(layer): layers[i][0], id(other): layers[i][0][:, rows]}  # (H, T, c)
            effects = [
                (read.values @ gradient[id(reader)].transpose(1, 2)).mul_(w)
                for (reader, read), w in zip(passes, weights, strict=True)
            ]
            drops[:, g] -= masks.gain(effects, left)
    return drops


@dataclass(frozen=True)
class _SpanMasks:
    """Tokens before and after each of P spans: (P, T) of one pass, (P, T') of the shifted pass."""

    before: Tensor
    after: Tensor
    shifted_after: Tensor

    @classmethod
    def of(cls, spans: Sequence[TokenSpan], length: int, shifted_length: int) -> _SpanMasks:
        """Mark the tokens of passes of T and T' tokens."""
        start, end = torch.tensor(spans).T[..., None]  # (P, 1) each
        tokens = torch.arange(length)
        shifted_after = (torch.arange(shifted_length) >= end).float()
        return cls((tokens < start).float(), (tokens >= end).float(), shifted_after)

    def without(self, read: Sequence[Tensor]) -> list[Tensor]:
        """Return the sums (H, P, T or T') over tokens outside each span.

        First within one pass, then with later tokens from the shifted pass, for readers of the
        first and of the shifted pass.
        """
        own, cross, shifted_cross, shifted_own = read
        first = self.before @ own
        return [
            first + self.after @ own,
            first + self.shifted_after @ cross,
            self.before @ shifted_cross + self.shifted_after @ shifted_own,
        ]

    def gain(self, effects: Sequence[Tensor], left: Sequence[Tensor]) -> Tensor:
        """Return (P,) the gain of a target by the shift alone."""
        unshifted, mixed, shifted = (
            total.div_(rest) for total, rest in zip(self.without(effects), left, strict=True)
        )
        before = mixed.sub_(unshifted).sum(0).mul_(self.before)
        after = unshifted.sub_(effects[0].sum(1, keepdim=True)).sum(0).mul_(self.after)
        gain = before - after
        shifted_gain = shifted.sub_(effects[3].sum(1, keepdim=True)).sum(0).mul_(self.shifted_after)
        return gain.sum(1) + shifted_gain.sum(1)


def _attention(reader: AttentionTrace, read: AttentionTrace) -> Tensor:
    """Return (H, T', T) attention that T tokens of one pass pay to T' tokens of a pass.

    Shares refer to the total attention of a token in its own pass.
    """
    if reader is read:
        return reader.weights.transpose(1, 2).contiguous()
    return (read.keys @ reader.queries.transpose(1, 2)).sub_(reader.totals.transpose(1, 2)).exp_()


def estimate_drops(
    trace: Trace, shifted: Mapping[int, Trace], scorer: Scorer, pool: Pool, word_of_token: Tensor
) -> Tensor:
    """Return (W, G) estimated drops of G targets without each of the W words that are read.

    Args:
        trace: The text of T tokens.
        shifted: Shifted passes by their number of positions; empty where positions have no effect.
        scorer: (B, n) embeddings → (B, G) targets.
        pool: `TracedEncoder.pool`, at the length of the stored embeddings.
        word_of_token: (T,) the word of each token, −1 for none.
    """
    gradients, spans = attention_gradients(trace, scorer, pool), token_spans(word_of_token)
    drops = attention_drop(trace, gradients, word_of_token)
    with torch.no_grad():
        full = scorer(pool(trace.outputs, torch.ones(1, len(word_of_token))))
        others = (word_of_token != torch.arange(len(spans))[:, None]).float()  # (W, T)
        without_word = scorer(pool(trace.outputs, others))
        drops += full - without_word
        for shift, other in shifted.items():
            words = _words_of_shift(spans, shift, max(shifted))
            occurrences = [(w, span) for w in words for span in spans[w]]
            if not occurrences:
                continue
            lost = position_drop(trace, other, gradients, [span for _, span in occurrences])
            for (w, _), drop in zip(occurrences, lost, strict=True):
                drops[w] += SHIFT_FACTOR * drop / len(spans[w])
            weights = pooling_weights(
                len(word_of_token), len(other.spans), [spans[w] for w in words]
            )
            pooled = pool(torch.cat([trace.outputs, other.outputs]), weights)
            drops[words] += SHIFT_FACTOR * (without_word[words] - scorer(pooled))
    return drops


def _words_of_shift(
    spans: Sequence[Sequence[TokenSpan]], shift: int, largest_shift: int
) -> list[int]:
    """Return the words of `shift` tokens; the largest shift also takes all longer words."""
    lengths = [min((end - start for start, end in word), default=0) for word in spans]
    return [w for w, n in enumerate(lengths) if n == shift or n > shift == largest_shift]


def token_to_word(trace: Trace, words: Sequence[Word]) -> Tensor:
    """Return (T,) the position of the word that each token overlaps, −1 for none."""
    spans = np.array(trace.spans).reshape(-1, 2)
    word_of_token = np.full(len(spans), -1)
    for position, word in enumerate(words):
        for left, right in word.spans:
            word_of_token[(spans[:, 0] < right) & (spans[:, 1] > left)] = position
    return torch.from_numpy(word_of_token)


def score_and_change(pair: Pair, side: Side, vectors: Tensor) -> Tensor:
    """Return (B, 2) modulated score and change with B embeddings (B, n) in place of a text."""
    scores = (
        pair.document_scores(vectors) if side == "document" else pair.query_scores(vectors)
    )  # (B, 2)
    return torch.stack([scores[:, 1], scores[:, 1] - scores[:, 0]], dim=-1)
