"""Estimate what a score loses without each word of a text, without encoding the text again."""

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
    Target,
    Trace,
    attention_drop,
    gradients,
)
from imrnns_core.explanation.pair import Pair
from imrnns_core.text.words import Word
from imrnns_core.types import Side

Place = tuple[int, int]
"""Where a word stands: its first token, and the one after its last."""
MOVE_SHARE = 0.75
"""First order makes too much of a move.

Over words of one piece at one place (SciFact train) the true effect was .73 of it.
"""


def places_of(words: Tensor) -> list[list[Place]]:
    """Return the places of each word, words (T,) the word that a token belongs to, -1 for none."""
    found: list[list[Place]] = [[] for _ in range(int(words.max()) + 1)]
    start, owners = 0, words.tolist()
    for end in range(1, len(owners) + 1):
        if end == len(owners) or owners[end] != owners[start]:
            if owners[start] >= 0:
                found[owners[start]].append((start, end))
            start = end
    return found


def moved_weights(length: int, moved_length: int, places: Sequence[Sequence[Place]]) -> Tensor:
    """Return (W, T + T') how much each token of both passes counts in the mean without each word.

    Tokens before the word count in the first pass, those after it in the second. For a word at
    several places it is
    the mean over them: by how many places a token moves matters less than that it moves.
    """
    weights = torch.zeros(len(places), length + moved_length)
    weights[:, :length] = 1.0
    for row, spots in zip(weights, places, strict=True):
        for _, end in spots:
            row[end:length] -= 1 / len(spots)
            row[length + end :] += 1 / len(spots)
        for start, end in spots:
            row[start:end] = row[length + start : length + end] = 0.0
    return weights


def position_drop(trace: Trace, moved: Trace, slopes: Gradients, places: Sequence[Place]) -> Tensor:
    """Return (P, G) what G targets lose by what tokens read anew when those after a place move up.

    In every layer and head a token before the place reads the tokens before it as they are and
    those after it as the second pass has them; a token after it likewise, with its own query of the
    second pass. That is exact for what the two passes hold; the targets follow by their gradients.
    What the word's removal does without the move (`attention_drop`) is not counted again.

    Args:
        trace: The text of T tokens.
        moved: The same, its tokens some places earlier, with as many more where the text was cut
            off.
        slopes: `gradients` of the text.
        places: P places.
    """
    split = _Split.of(places, len(trace.spans), len(moved.spans))
    # tokens that were cut off have no gradient: the last one's stands in
    like = torch.arange(len(moved.spans)).clamp_max(len(trace.spans) - 1)
    drops = torch.zeros(len(places), len(slopes))
    for i, (layer, other) in enumerate(zip(trace.attention, moved.attention, strict=True)):
        # who reads, who is read
        passes = ((layer, layer), (layer, other), (other, layer), (other, other))
        weights = [_attention(reader, read) for reader, read in passes]
        left = [total.clamp_min_(MIN_ATTENTION_LEFT) for total in split.without(weights)]
        for g, gradient in enumerate(slopes):
            slope = {id(layer): gradient[i][0], id(other): gradient[i][0][:, like]}  # (H, T, c)
            effects = [
                (read.values @ slope[id(reader)].transpose(1, 2)).mul_(w)
                for (reader, read), w in zip(passes, weights, strict=True)
            ]
            drops[:, g] -= split.gained(effects, left)
    return drops


@dataclass(frozen=True)
class _Split:
    """Tokens before and after each of P places: (P, T) of the first pass, (P, T') of the second."""

    before: Tensor
    after: Tensor
    moved_after: Tensor

    @classmethod
    def of(cls, places: Sequence[Place], length: int, moved_length: int) -> _Split:
        """Split passes of T and T' tokens at the places."""
        start, end = torch.tensor(places).T[..., None]  # (P, 1) each
        tokens = torch.arange(length)
        moved_after = (torch.arange(moved_length) >= end).float()
        return cls((tokens < start).float(), (tokens >= end).float(), moved_after)

    def without(self, read: Sequence[Tensor]) -> list[Tensor]:
        """Return what is read (H, P, T or T') without the word: in the first pass, then in both."""
        own, cross, moved_cross, moved_own = read
        first = self.before @ own
        return [
            first + self.after @ own,
            first + self.moved_after @ cross,
            self.before @ moved_cross + self.moved_after @ moved_own,
        ]

    def gained(self, effects: Sequence[Tensor], left: Sequence[Tensor]) -> Tensor:
        """Return (P,) what a target gains by the move."""
        alone, together, moved_together = (
            total.div_(rest) for total, rest in zip(self.without(effects), left, strict=True)
        )
        before = together.sub_(alone).sum(0).mul_(self.before)
        after = alone.sub_(effects[0].sum(1, keepdim=True)).sum(0).mul_(self.after)
        gained = before - after
        moved = moved_together.sub_(effects[3].sum(1, keepdim=True)).sum(0).mul_(self.moved_after)
        return gained.sum(1) + moved.sum(1)


def _attention(reader: AttentionTrace, read: AttentionTrace) -> Tensor:
    """Return (H, T', T) the attention that T tokens of one pass pay to T' tokens of a pass.

    It is a share of what a token pays in its own pass.
    """
    if reader is read:
        return reader.weights.transpose(1, 2).contiguous()
    return (read.keys @ reader.queries.transpose(1, 2)).sub_(reader.totals.transpose(1, 2)).exp_()


HIDDEN_TOKENS = 1024
"""Each word is hidden in turn where that takes no more tokens.

Four passes of 256, as dear as the estimate from gradients.
"""
MOVES = (1, 2)
"""Places that later words move up by, in word pieces: longer words are taken for the longest."""
BATCH_LETTERS = 4000
"""Texts are encoded so many letters at a time.

A fifth of a second, after which the reader can be told or can go on.
"""


def estimate_drops(
    trace: Trace, moved: Mapping[int, Trace], target: Target, pool: Pool, owner: Tensor
) -> Tensor:
    """Return (W, G) what G targets are estimated to lose without each word that is read.

    Args:
        trace: The text of T tokens.
        moved: The same with its tokens some places earlier, by how many; empty where that changes
            nothing.
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
            group = [
                w for w, size in enumerate(pieces) if size == count or size > count == max(moved)
            ]
            spots = [(w, place) for w in group for place in places[w]]
            if not spots:
                continue
            lost = position_drop(trace, other, slopes, [place for _, place in spots])
            for (w, _), drop in zip(spots, lost, strict=True):
                drops[w] += MOVE_SHARE * drop / len(places[w])
            weights = moved_weights(len(owner), len(other.spans), [places[w] for w in group])
            drops[group] += MOVE_SHARE * (
                left[group] - target(pool(torch.cat([trace.outputs, other.outputs]), weights))
            )
    return drops


def token_to_word(trace: Trace, words: Sequence[Word]) -> Tensor:
    """Return (T,) the position of the word that each token overlaps, -1 for none."""
    spans = np.array(trace.spans).reshape(-1, 2)
    owner = np.full(len(spans), -1)
    for position, word in enumerate(words):
        for left, right in word.spans:
            owner[(spans[:, 0] < right) & (spans[:, 1] > left)] = position
    return torch.from_numpy(owner)


def score_and_change(pair: Pair, side: Side, vectors: Tensor) -> Tensor:
    """Return (B, 2) modulated score and Δ with each of B embeddings (B, n) in place of a text."""
    scores = (
        pair.document_scores(vectors) if side == "document" else pair.query_scores(vectors)
    )  # (B, 2)
    return torch.stack([scores[:, 1], scores[:, 1] - scores[:, 0]], dim=-1)
