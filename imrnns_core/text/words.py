"""Whole words of a text and their character positions, whatever the encoder's tokens are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Tokenizer

Span = tuple[int, int]
_CORE = re.compile(r"\w(?:.*\w)?", re.DOTALL)


@dataclass(frozen=True)
class Word:
    """All occurrences of a word in a text.

    Attributes:
        text: Spelling of the first occurrence.
        spans: (start, end) characters of each occurrence in the formatted text.
    """

    text: str
    spans: tuple[Span, ...]


def find_words(text: str, tokenizer: Tokenizer, start: int = 0) -> list[Word]:
    """Return the words of a text from character `start` on, in order of first occurrence.

    Spellings that differ only in case are one word. The encoder's pre-tokenizer splits the text,
    and punctuation around a word is removed. So every word can be deleted without its neighbours.
    """
    encoded = tokenizer.encode(text, add_special_tokens=False)
    span_of_word: dict[int, Span] = {}
    for index, (left, right) in zip(encoded.word_ids, encoded.offsets, strict=True):
        if index is not None:
            span = span_of_word.get(index, (left, right))
            span_of_word[index] = (min(span[0], left), max(span[1], right))
    occurrences: dict[str, list[Span]] = {}
    for left, right in span_of_word.values():
        # only what is inside [start, right) counts, without punctuation around it
        core = _CORE.search(text, max(left, start), right)
        if core:
            occurrences.setdefault(core.group().casefold(), []).append(core.span())
    return [Word(text[spans[0][0] : spans[0][1]], tuple(spans)) for spans in occurrences.values()]


def without(text: str, words: Iterable[Word]) -> str:
    """Return the text without these words; each word is removed with one adjacent space."""
    spans = sorted(span for word in words for span in word.spans)
    remaining, end = [], 0
    for left, right in spans:
        remaining.append(text[end:left])
        end = right
        # at the start of the text or after a space, the following space would be left over
        if text[right : right + 1].isspace() and (left == 0 or text[left - 1].isspace()):
            end += 1
    return "".join([*remaining, text[end:]])
