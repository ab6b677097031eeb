"""Words too common to carry content: one list for BM25, for names of clusters and for tokens."""

from __future__ import annotations

from functools import cache


@cache
def stop_words() -> frozenset[str]:
    """Return the English stop words of NLTK (179 words in lower case), through bm25s."""
    from bm25s.stopwords import STOPWORDS_EN_PLUS  # bm25s takes half a second to import

    return frozenset(STOPWORDS_EN_PLUS)


def tokenize(texts: list[str]) -> list[list[str]]:
    """Return the words of each text as BM25 counts them: lower case, without stop words."""
    import bm25s

    words: list[list[str]] = bm25s.tokenize(
        texts, stopwords=sorted(stop_words()), show_progress=False, return_ids=False
    )
    return words


def content_words(text: str) -> list[str]:
    """Return the words of a text as BM25 counts them, each once, in their order."""
    return list(dict.fromkeys(tokenize([text])[0]))
