"""Words marked in a text, as segments of plain text. The text is never parsed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[int, int, float]
"""Start, end and weight of marked characters. A positive weight raises the score change."""

LEAD = 60
"""Characters shown before the strongest mark if the beginning of a text is cut off."""


@dataclass(frozen=True)
class Segment:
    """A piece of a text. `weight` is within [−1, 1]; 0 means that it is not marked."""

    text: str
    weight: float = 0.0


def segments(
    text: str, spans: Sequence[Span], offset: int = 0, largest: float | None = None
) -> list[Segment]:
    """Cut a text into marked and unmarked segments. Joined, they are the text again.

    Args:
        text: The text to show.
        spans: Spans over a longer text in which `text` starts at `offset`. Parts outside `text` are
            dropped, the heavier of two overlapping spans is kept, and weights that are not finite
            are ignored.
        offset: Position of `text` in the longer text.
        largest: The |weight| that is drawn strongest; by default the largest of the spans.
    """
    usable = [s for s in spans if math.isfinite(s[2]) and s[2] != 0 and s[0] < s[1]]
    scale = largest or max((abs(w) for *_, w in usable), default=1.0)
    marked: list[Span] = []
    for start, end, weight in sorted(usable, key=lambda s: -abs(s[2])):
        start, end = max(start - offset, 0), min(end - offset, len(text))
        if start < end and not any(start < e and s < end for s, e, _ in marked):
            marked.append((start, end, max(-1.0, min(1.0, weight / scale))))
    pieces, position = [], 0
    for start, end, weight in sorted(marked):
        pieces += [Segment(text[position:start]), Segment(text[start:end], weight)]
        position = end
    return [s for s in (*pieces, Segment(text[position:])) if s.text]


def card_texts(
    title: str, text: str, spans: Sequence[Span], length: int
) -> tuple[list[Segment], list[Segment]]:
    """Return the title and `length` characters of a document's text as segments.

    The spans are over the encoded text: title + newline + text. If the strongest mark of the text
    is not within its first characters, the excerpt starts shortly before that mark.
    """
    offset = len(title) + 1 if title else 0
    # title and text share one scale, so that their marks can be compared
    largest = max((abs(w) for *_, w in spans if math.isfinite(w)), default=1.0) or 1.0
    # marks of the title do not count: the title is always shown
    inside = [
        s
        for s in spans
        if math.isfinite(s[2]) and s[2] != 0 and s[0] >= offset and s[1] <= offset + len(text)
    ]
    begin = 0  # of the excerpt
    if inside:
        strongest = max(inside, key=lambda s: abs(s[2]))[0] - offset
        if strongest > length - LEAD:
            # the excerpt starts with a whole word
            blank = text.find(" ", max(0, strongest - LEAD), strongest)
            begin = blank + 1 if blank >= 0 else strongest
    lines = segments(text[begin : begin + length], spans, offset + begin, largest)
    return segments(title, spans, 0, largest), ([Segment("… ")] if begin else []) + lines
