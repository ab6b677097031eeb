"""What a deleted word does to a score by letting all later words move up. docs/explanations.md, "What is estimated".

Encoders that add a vector for each place read a text whose end has moved up as another text. A second pass with
every token a few places earlier shows the end as it will be; the text without the word is put together from the
tokens before the word in the first pass and those after it in the second.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.explain.tracing import MIN_ATTENTION_LEFT, AttentionTrace, Gradients, Trace

Place = tuple[int, int]
"""Where a word stands: its first token, and the one after its last."""


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
        for start, end in spots:
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
    start, end = torch.tensor(places).T
    length, moved_length = len(trace.spans), len(moved.spans)
    before = (torch.arange(length)[:, None] < start).float()  # (T, P) tokens that read from before the place
    after, moved_after = 1 - (torch.arange(length)[:, None] < end).float(), 1 - (torch.arange(moved_length)[:, None] < end).float()
    like = torch.arange(moved_length).clamp_max(length - 1)  # tokens that were cut off have no gradient: the last one's stands in
    drops = torch.zeros(len(places), len(slopes))
    for i, (layer, other) in enumerate(zip(trace.attention, moved.attention, strict=True)):
        to_moved = _read(layer, other)
        from_moved = _read(other, layer)
        staying = _around(layer.weights, layer.weights, start, end)
        kept, mixed, moved_mixed = (
            total.clamp_min(MIN_ATTENTION_LEFT)
            for total in (staying, _around(layer.weights, to_moved, start, end), _around(from_moved, other.weights, start, end))
        )  # (H, T, P) what is left to read
        for g, gradient in enumerate(slopes):
            slope = gradient[i][0]  # (H, T, c)
            moved_slope = slope[:, like]
            own = layer.weights * (slope @ layer.values.transpose(1, 2))
            cross = to_moved * (slope @ other.values.transpose(1, 2))
            moved_cross = from_moved * (moved_slope @ layer.values.transpose(1, 2))
            moved_own = other.weights * (moved_slope @ other.values.transpose(1, 2))
            alone = _around(own, own, start, end) / kept
            together = _around(own, cross, start, end) / mixed
            moved_together = _around(moved_cross, moved_own, start, end) / moved_mixed
            gained = ((together - alone) * before).sum((0, 1)) - ((alone - own.sum(-1, keepdim=True)) * after).sum((0, 1))
            drops[:, g] -= gained + ((moved_together - moved_own.sum(-1, keepdim=True)) * moved_after).sum((0, 1))
    return drops


def _read(reader: AttentionTrace, read: AttentionTrace) -> Tensor:
    """Return (H, T, T') the attention that tokens of one pass would pay to those of the other, as shares of what they pay in all."""
    return (reader.queries @ read.keys.transpose(1, 2) - reader.totals).exp()


def _around(first: Tensor, second: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Return (H, T, P) Σ of `first` over the tokens before each place and of `second` over those after it."""
    before, after = (F.pad(values.cumsum(-1), (1, 0)) for values in (first, second))
    return before[..., start] + after[..., -1:] - after[..., end]
