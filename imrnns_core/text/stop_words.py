"""Words too common to carry content, from the lists of bm25s.

BM25 leaves out the 33 words of Lucene's list, as published baselines do. A word that names
something (a cluster, a dimension, a direction) must not be one of NLTK's 179 either.
"""

from __future__ import annotations

from functools import cache


@cache
def stop_words() -> frozenset[str]:
    """Return the English words, in lower case, that never name anything (NLTK's list)."""
    from bm25s.stopwords import STOPWORDS_EN_PLUS  # bm25s takes half a second to import

    return frozenset(STOPWORDS_EN_PLUS)


def tokenize(texts: list[str]) -> list[list[str]]:
    """Return the words of each text that BM25 counts: lower case, without Lucene's stop words."""
    import bm25s

    words: list[list[str]] = bm25s.tokenize(
        texts, stopwords="en", show_progress=False, return_ids=False
    )
    return words


def content_words(text: str) -> list[str]:
    """Return the words of a text that BM25 counts, each once, in their order."""
    return list(dict.fromkeys(tokenize([text])[0]))
