"""Words of a text, and texts without some of their words."""

from __future__ import annotations

import pytest

from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.text.words import Word, find_words, without

TOKENIZER = SentenceTransformerEncoder().tokenizer


def named(text: str, start: int = 0) -> dict[str, tuple[tuple[int, int], ...]]:
    return {word.text: word.spans for word in find_words(text, TOKENIZER, start)}


def test_a_word_has_the_spans_of_all_its_occurrences():
    assert named("Peso buys pesos. A PESO!") == {
        "Peso": ((0, 4), (19, 23)),
        "buys": ((5, 9),),
        "pesos": ((10, 15),),
        "A": ((17, 18),),
    }


def test_tokens_of_a_word_are_merged():
    assert named("microstates") == {"microstates": ((0, 11),)}
    assert len(TOKENIZER.encode("microstates", add_special_tokens=False).ids) > 1


def test_punctuation_is_not_a_word_and_hyphens_separate_words():
    assert list(named("p53-dependent — (yes) … 4.5%")) == ["p53", "dependent", "yes", "4", "5"]


def test_words_of_the_prefix_are_left_out():
    assert named("query: what query", 7) == {"what": ((7, 11),), "query": ((12, 17),)}


def test_an_empty_text_has_no_words():
    assert named("") == {} == named("  …!")


@pytest.mark.parametrize(
    ("text", "deleted", "left"),
    [
        ("one two three", ["two"], "one three"),
        ("one two three", ["one"], "two three"),
        ("one two three", ["three"], "one two "),
        ("one, two, one", ["one"], ", two, "),
        ("one two", ["one", "two"], ""),
        ("Title\none", ["title"], "one"),
    ],
)
def test_a_word_is_deleted_with_one_space(text: str, deleted: list[str], left: str):
    words = [w for w in find_words(text, TOKENIZER) if w.text.casefold() in deleted]
    assert without(text, words) == left


def test_deleting_nothing_changes_nothing():
    assert without("<b>$x$</b>", []) == "<b>$x$</b>"
    assert without("abc", [Word("b", ((1, 2),))]) == "ac"
