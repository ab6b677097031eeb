"""What a deleted word does to a score by letting all later words move up. docs/explanations.md, "What is estimated".

Encoders that add a vector for each place read a text whose end has moved up as another text. A second pass with
every token a few places earlier shows the end as it will be; the text without the word is put together from the
tokens before the word in the first pass and those after it in the second.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from imrnns_core.explain.tracing import MIN_ATTENTION_LEFT, AttentionTrace, Gradients, Trace

Place = tuple[int, int]
"""Where a word stands: its first token, and the one after its last."""
MOVE_SHARE = 0.75
"""First order makes too much of a move: over words of one piece at one place (SciFact train) the true effect was .73 of it."""


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

    Tokens before the word count in the first pass, those after it in the second. For a word at several places it is
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

    In every layer and head a token before the place reads the tokens before it as they are and those after it as
    the second pass has them; a token after it likewise, with its own query of the second pass. That is exact for
    what the two passes hold; the targets follow by their gradients. What the word's removal does without the move
    (`attention_drop`) is not counted again.

    Args:
        trace: The text of T tokens.
        moved: The same, its tokens some places earlier, with as many more where the text was cut off.
        slopes: `gradients` of the text.
        places: P places.
    """
    start, end = torch.tensor(places).T[..., None]  # (P, 1) each
    before, after = (torch.arange(len(trace.spans)) < start).float(), (torch.arange(len(trace.spans)) >= end).float()  # (P, T)
    moved_after = (torch.arange(len(moved.spans)) >= end).float()  # (P, T')
    like = torch.arange(len(moved.spans)).clamp_max(
        len(trace.spans) - 1
    )  # tokens that were cut off have no gradient: the last one's stands in

    def without(read: Sequence[Tensor]) -> list[Tensor]:  # (H, P, T or T') read of the first pass without the word, then of both passes
        own, cross, moved_cross, moved_own = read
        first = before @ own
        return [first + after @ own, first + moved_after @ cross, before @ moved_cross + moved_after @ moved_own]

    drops = torch.zeros(len(places), len(slopes))
    for i, (layer, other) in enumerate(zip(trace.attention, moved.attention, strict=True)):
        passes = ((layer, layer), (layer, other), (other, layer), (other, other))  # who reads, who is read
        weights = [_attention(reader, read) for reader, read in passes]
        left = [total.clamp_min_(MIN_ATTENTION_LEFT) for total in without(weights)]
        for g, gradient in enumerate(slopes):
            slope = {id(layer): gradient[i][0], id(other): gradient[i][0][:, like]}  # (H, T, c)
            effects = [(read.values @ slope[id(reader)].transpose(1, 2)).mul_(w) for (reader, read), w in zip(passes, weights, strict=True)]
            alone, together, moved_together = (total.div_(rest) for total, rest in zip(without(effects), left, strict=True))
            gained = together.sub_(alone).sum(0).mul_(before) - alone.sub_(effects[0].sum(1, keepdim=True)).sum(0).mul_(after)
            moved_gained = moved_together.sub_(effects[3].sum(1, keepdim=True)).sum(0).mul_(moved_after)
            drops[:, g] -= gained.sum(1) + moved_gained.sum(1)
    return drops


def _attention(reader: AttentionTrace, read: AttentionTrace) -> Tensor:
    """Return (H, T', T) what each of T tokens of one pass pays to T' of the same or the other, as shares of what it pays in its own."""
    if reader is read:
        return reader.weights.transpose(1, 2).contiguous()
    return (read.keys @ reader.queries.transpose(1, 2)).sub_(reader.totals.transpose(1, 2)).exp_()
