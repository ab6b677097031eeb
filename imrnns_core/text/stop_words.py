"""Words that carry content."""

from __future__ import annotations


def content_words(text: str) -> list[str]:
    """Return the words of a text as BM25 counts them.

    Lower case, English stop words left out, each once, in their order.
    """
    import bm25s

    (words,) = bm25s.tokenize([text], stopwords="en", show_progress=False, return_ids=False)
    return list(dict.fromkeys(words))
