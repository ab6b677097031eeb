"""What a word is, for explanations and for BM25, and texts without some of their words.

ICU finds the words of all scripts by the rules of Unicode (UAX 29). In scripts without spaces, such
as Chinese, Japanese and Thai, it uses dictionaries.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from icu4py.breakers import WordBreaker
from tokenizers import Tokenizer

Span = tuple[int, int]
SEGMENTATION = f"1 icu4py {version('icu4py')}"
"""Version of the words. An index of other words is out of date."""
_LOCALE = "en"
"""The dictionaries of all scripts are used in every locale."""
_HYPHENS = frozenset("-\u2010\u2011")
_ABBREVIATION = re.compile(r"(?:\w\.)+\w")
_PARTS = re.compile(r"['’\u2010\u2011-]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_ASCII_WORDS = re.compile(
    r"_*[a-z0-9][a-z0-9_]*"
    r"(?:(?:(?<=[a-z])[.':](?=[a-z])|(?<=[0-9])[.,;'](?=[0-9]))[a-z0-9_]+)*"
)
"""What ICU finds in lower-case ASCII, except for hyphens. It takes less than half the time."""


@dataclass(frozen=True)
class Word:
    """All occurrences of a word in a text.

    Attributes:
        text: Spelling of the first occurrence.
        spans: (start, end) characters of each occurrence in the formatted text.
    """

    text: str
    spans: tuple[Span, ...]


def word_spans(text: str) -> list[Span]:
    """Return (start, end) of the words of a text.

    Parts joined by hyphens are one word, and so is an abbreviation with its full stops (U.S.).
    """
    spans, start = list[Span](), 0
    # ICU accepts no half of a surrogate pair
    for segment in WordBreaker(_SURROGATES.sub("\ufffd", text), _LOCALE):
        end = start + len(segment)
        if segment.isalnum() or (
            not segment.isspace() and any(character.isalnum() for character in segment)
        ):
            right = end
            if "." in segment and text.startswith(".", end) and _ABBREVIATION.fullmatch(segment):
                right += 1
            if spans and text[spans[-1][1] : start] in _HYPHENS:
                spans[-1] = (spans[-1][0], right)
            else:
                spans.append((start, right))
        start = end
    return spans


def terms(text: str) -> list[str]:
    """Return the words of a text as BM25 compares them, in lower case.

    Different encodings of a character are equal. BM25 looks for the parts of a word with hyphens
    or apostrophes, so that “T-cell” finds “T cell”. It ignores single Latin letters and digits.
    """
    if text.isascii():
        parts = _ASCII_WORDS.findall(text.lower())
        if "'" in text:
            parts = [part for word in parts for part in word.split("'")]
        return [part for part in parts if len(part) > 1]
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    parts = [
        part.rstrip(".")
        for start, end in word_spans(text)
        for part in _PARTS.split(text[start:end])
    ]
    return [part for part in parts if len(part) > 1 or (part and not part.isascii())]


def find_words(text: str, tokenizer: Tokenizer, start: int = 0) -> list[Word]:
    """Return the words of a text from character `start` on, in order of first occurrence.

    Spellings that differ only in case or in the encoding of characters are one word. Words that
    share a token of the encoder are one word, because the encoder cannot read one without the
    other.
    """
    tokens = tokenizer.encode(text, add_special_tokens=False).offsets
    spans = [(start + left, start + right) for left, right in word_spans(text[start:])]
    occurrences: dict[str, list[Span]] = {}
    for left, right in _of_whole_tokens(spans, tokens):
        spelling = unicodedata.normalize("NFKC", text[left:right]).casefold()
        occurrences.setdefault(spelling, []).append((left, right))
    return [Word(text[spans[0][0] : spans[0][1]], tuple(spans)) for spans in occurrences.values()]


def _of_whole_tokens(spans: Sequence[Span], tokens: Iterable[Span]) -> list[Span]:
    """Return the spans, those that overlap the same token joined."""
    lefts, rights = [left for left, _ in spans], [right for _, right in spans]
    joined = [False] * len(spans)  # with the span before
    for left, right in tokens:
        first, last = bisect_right(rights, left), bisect_left(lefts, right) - 1
        joined[first + 1 : last + 1] = [True] * max(0, last - first)
    whole = list[Span]()
    for (left, right), with_previous in zip(spans, joined, strict=True):
        whole.append((whole.pop()[0] if with_previous else left, right))
    return whole


def end_of_character(text: str, end: int) -> int:
    """Return the position after the combining marks that follow position `end`."""
    while end < len(text) and unicodedata.category(text[end]).startswith("M"):
        end += 1
    return end


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
