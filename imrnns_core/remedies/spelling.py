"""Replace query words that no document has by similar words of the corpus.

A query changes only where encoder and corpus support it: the encoder does not know the word as a
whole but splits it into several tokens, no document has it, and a word that differs by one letter
(two in long words) is in the corpus; or the word is two words of one document, written as one; or
it and the next word, written as one, are a word of the corpus.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from imrnns_core.errors import EncoderError
from imrnns_core.remedies.remedy import Remedy, Search
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.hybrid import DEPTH
from imrnns_core.text.words import terms
from imrnns_core.types import IntArray

SPLIT_TOKENS = 3
"""Tokens from which a word counts as unknown to the encoder."""
SHORTEST, LONG = 5, 10
"""Letters of the shortest word that is corrected, and of words that can differ by two letters."""
SHORTEST_PART = 3
"""Letters of the shortest part of a compound."""
CHOICES = 50
"""Similar words from which the most frequent one is chosen."""
_LETTERS = regex.compile(r"\p{L}+")


def remedies(search: Search) -> Iterator[Remedy]:
    """Yield the remedy, if it changes a query and the encoder can read the new one."""
    if search.vectors is None:
        return
    try:
        changed = dict(_changed(search))
        if changed:
            search.collection.check_encoder()
    except EncoderError:  # the encoder of precomputed embeddings is not at hand
        return
    if not changed:
        return
    yield Remedy(
        "spelling corrected",
        "misspelt words",
        "Query words that no document has are replaced by similar words of the corpus: "
        f"“{next(iter(changed.values()))}”.",
        "Compare the words of a query with those of the corpus, and replace unknown ones; "
        "rapidfuzz finds similar words.",
        lambda search, _: _ranked(search, changed),
    )


def _changed(search: Search) -> Iterator[tuple[int, str]]:
    """Yield the number and the new text of each query that changes."""
    for i, query in enumerate(search.queries):
        split = [
            word.casefold()
            for word, tokens in search.collection.encoder.tokens_per_word(query.text)
            if tokens >= SPLIT_TOKENS or not tokens
        ]
        text = corrected(query.text, frozenset(split), search.lexical)
        if text != query.text:
            yield i, text


def corrected(text: str, unknown: frozenset[str], lexical: BM25Index) -> str:
    """Return a text with some of its unknown words replaced, if the corpus has similar ones.

    Args:
        text: The text.
        unknown: Words that the encoder does not know, in lower case.
        lexical: The BM25 index of the corpus.
    """
    words, start = [*_LETTERS.finditer(text)], 0
    parts = list[str]()
    number = 0
    while number < len(words):
        word = words[number]
        own = [w.group().casefold() for w in words[number : number + 2]]
        new, used = _replacement(own, lexical) if own[0] in unknown else ("", 1)
        if new:
            parts += [text[start : word.start()], new]
            start = words[number + used - 1].end()
        number += used
    return "".join([*parts, text[start:]])


def _replacement(words: list[str], lexical: BM25Index) -> tuple[str, int]:
    """Return what replaces the first word, and how many words it replaces; "" keeps it."""
    known, word = lexical.document_counts, words[0]
    if len(word) < SHORTEST_PART or word in known or terms(word) != [word]:
        return "", 1
    if len(words) > 1 and (joined := "".join(words)) in known:
        return joined, 2
    if len(word) < SHORTEST:
        return "", 1
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    most = 2 if len(word) >= LONG else 1
    similar = process.extract(
        word, known.keys(), scorer=OSA.distance, score_cutoff=most, limit=CHOICES
    )
    # people rarely mistype the first letter, and a code is no other spelling of a word
    fitting = [
        (distance, -known[other], other)
        for other, distance, _ in similar
        if other[0] == word[0] and other.isalpha()
    ]
    if fitting:
        return min(fitting)[2], 1
    for cut in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
        if lexical.has_together(word[:cut], word[cut:]):
            return f"{word[:cut]} {word[cut:]}", 1
    return "", 1


def _ranked(search: Search, changed: dict[int, str]) -> list[IntArray]:
    collection = search.collection
    rankings = [base.rows for base in search.base]
    for i, text in changed.items():
        rows = collection.candidates(collection.encode(text)[None], DEPTH, [search.ids[i]])
        rankings[i] = collection.ranked.documents[rows][0]
    return rankings
