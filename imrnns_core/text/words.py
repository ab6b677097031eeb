"""The words of a text as a reader sees them.

Whole, with their places, whatever pieces the encoder cuts them into.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Tokenizer

Span = tuple[int, int]
_CORE = re.compile(r"\w(?:.*\w)?", re.DOTALL)


@dataclass(frozen=True)
class Word:
    """A word of a text, all its occurrences together.

    Attributes:
        text: As it is written first.
        spans: (start, end) of each occurrence in the formatted text.
    """

    text: str
    spans: tuple[Span, ...]


def find_words(text: str, tokenizer: Tokenizer, start: int = 0) -> list[Word]:
    """Return the words of a text from character `start` on, in order of their first place.

    Case is ignored.

    Words are those of the encoder's own pre-tokenizer, less the punctuation around them: what it
    splits can also be deleted apart.
    """
    encoded = tokenizer.encode(text, add_special_tokens=False)
    places: dict[int, Span] = {}
    for index, (left, right) in zip(encoded.word_ids, encoded.offsets, strict=True):
        if index is not None:
            before = places.get(index, (left, right))
            places[index] = (min(before[0], left), max(before[1], right))
    found: dict[str, list[Span]] = {}
    for left, right in places.values():
        core = _CORE.search(text, max(left, start), right)
        if core:
            found.setdefault(core.group().casefold(), []).append(core.span())
    return [Word(text[spans[0][0] : spans[0][1]], tuple(spans)) for spans in found.values()]


def without(text: str, words: Iterable[Word]) -> str:
    """Return the text without these words, each with one of the spaces around it."""
    spans = sorted(span for word in words for span in word.spans)
    kept, end = [], 0
    for left, right in spans:
        kept.append(text[end:left])
        end = right
        if text[right : right + 1].isspace() and (left == 0 or text[left - 1].isspace()):
            end += 1
    return "".join([*kept, text[end:]])
