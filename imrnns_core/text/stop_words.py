"""Stop words, and the words of a text without them.

BM25 ignores the 33 words of Lucene's list, as published baselines do. Names of clusters, dimensions
and directions also exclude the 179 words of NLTK's list. Both lists are from bm25s.
"""

from __future__ import annotations

from functools import cache

from imrnns_core.text.words import terms


@cache
def stop_words() -> frozenset[str]:
    """Return the lower-case English stop words of NLTK, which are not used in names."""
    from bm25s.stopwords import STOPWORDS_EN_PLUS  # bm25s takes half a second to import

    return frozenset(STOPWORDS_EN_PLUS)


def tokenize(texts: list[str]) -> list[list[str]]:
    """Return the words of each text for BM25: in lower case, without Lucene's stop words."""
    from bm25s.stopwords import STOPWORDS_EN

    ignored = frozenset(STOPWORDS_EN)
    return [[term for term in terms(text) if term not in ignored] for text in texts]


def content_words(text: str) -> list[str]:
    """Return the distinct words of a text that BM25 uses, in the order of the text."""
    return list(dict.fromkeys(tokenize([text])[0]))
