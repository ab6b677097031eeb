"""Sentence splitting with sentencex."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LANGUAGE = "en"
"""Language of the abbreviations that do not end a sentence; full stops of all scripts count."""


def split_sentences(text: str, min_words: int) -> Iterator[str]:
    """Yield the sentences of a text; one with fewer than `min_words` words is joined to the next.

    The limit on characters ends a sentence in scripts that have no spaces between words.
    """
    import sentencex  # only training needs it

    sentence = ""
    for part in sentencex.segment(LANGUAGE, text):
        # segments keep their surrounding white space
        sentence = f"{sentence} {part.strip()}".strip()
        if len(sentence.split()) >= min_words or len(sentence) > 10 * min_words:
            yield sentence
            sentence = ""
    if sentence:
        yield sentence


def sentences_of(bodies: Iterable[tuple[int, str]], min_words: int) -> tuple[list[int], list[str]]:
    """Return the sentences of documents, given as (row, text), and the row of each sentence."""
    sentences = [(row, part) for row, text in bodies for part in split_sentences(text, min_words)]
    return [row for row, _ in sentences], [text for _, text in sentences]
