"""Split a text into sentences, through sentencex."""

from __future__ import annotations

from collections.abc import Iterator

LANGUAGE = "en"
"""Decides which abbreviations end no sentence; full stops of other scripts count, too."""


def split_sentences(text: str, words: int) -> Iterator[str]:
    """Yield the sentences of a text; one of fewer than `words` words is joined to the next."""
    import sentencex  # only training needs it

    sentence = ""
    for part in sentencex.segment(LANGUAGE, text):
        sentence = f"{sentence} {part.strip()}".strip()
        if len(sentence.split()) >= words or len(sentence) > 10 * words:
            yield sentence
            sentence = ""
    if sentence:
        yield sentence
