"""Words marked in a text, as segments of plain text: nothing of a text is ever parsed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[int, int, float]
"""Start, end and weight of a marked stretch of characters.

A positive weight raises, a negative one lowers.
"""

LEAD = 60
"""Characters shown before the first mark where a text has to start in its middle."""


@dataclass(frozen=True)
class Segment:
    """A piece of a text; `weight` is 0 where it is not marked, else within [−1, 1]."""

    text: str
    weight: float = 0.0


def segments(
    text: str, spans: Sequence[Span], offset: int = 0, largest: float | None = None
) -> list[Segment]:
    """Cut a text into marked and unmarked segments; together they are the text, letter by letter.

    Args:
        text: What is shown.
        spans: Over a longer text in which `text` starts at `offset`. What lies outside is left out;
            of overlapping spans the heavier one stays; weights that are no numbers are ignored.
        offset: Where `text` starts in the text that the spans are over.
        largest: The |weight| that is drawn strongest; by default the largest of the spans.
    """
    usable = [s for s in spans if math.isfinite(s[2]) and s[2] != 0 and s[0] < s[1]]
    scale = largest or max((abs(w) for *_, w in usable), default=1.0)
    taken: list[Span] = []
    for start, end, weight in sorted(usable, key=lambda s: -abs(s[2])):
        start, end = max(start - offset, 0), min(end - offset, len(text))
        if start < end and not any(start < e and s < end for s, e, _ in taken):
            taken.append((start, end, max(-1.0, min(1.0, weight / scale))))
    found, at = [], 0
    for start, end, weight in sorted(taken):
        found += [Segment(text[at:start]), Segment(text[start:end], weight)]
        at = end
    return [s for s in (*found, Segment(text[at:])) if s.text]


def card_texts(
    title: str, text: str, spans: Sequence[Span], length: int
) -> tuple[list[Segment], list[Segment]]:
    """Return title and first lines of a document as segments.

    The spans are over the encoded text, title + newline + text.

    The lines start further down where the strongest mark of the text would not be among them.
    """
    offset = len(title) + 1 if title else 0
    largest = max((abs(w) for *_, w in spans if math.isfinite(w)), default=1.0) or 1.0
    inside = [
        s
        for s in spans
        if math.isfinite(s[2]) and s[2] != 0 and s[0] >= offset and s[1] <= offset + len(text)
    ]
    begin = 0
    if inside:
        strongest = max(inside, key=lambda s: abs(s[2]))[0] - offset
        if strongest > length - LEAD:
            blank = text.find(" ", max(0, strongest - LEAD), strongest)
            begin = blank + 1 if blank >= 0 else strongest
    lines = segments(text[begin : begin + length], spans, offset + begin, largest)
    return segments(title, spans, 0, largest), ([Segment("… ")] if begin else []) + lines
