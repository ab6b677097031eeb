"""Words of a text, and texts without some of their words."""

from __future__ import annotations

import re
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.text.words import (
    Word,
    _of_whole_tokens,
    end_of_character,
    find_words,
    terms,
    without,
    word_spans,
)

TOKENIZER = SentenceTransformerEncoder().tokenizer


@given(st.text(st.characters(max_codepoint=127)) | st.text("abcD12 .,:;'_-"))
def test_words_of_ascii_are_those_of_all_texts(text: str):
    """ASCII is read by a pattern instead of ICU."""
    joined = [text.lower()[start:end] for start, end in word_spans(text.lower())]
    parts = [part.rstrip(".") for word in joined for part in re.split("['-]", word)]
    assert terms(text) == [part for part in parts if len(part) > 1]


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # punctuation is no word; a dash with spaces joins nothing
        ("p53-dependent — (yes) … 4.5%", ["p53-dependent", "yes", "4.5"]),
        ("low - high, 1990–2000", ["low", "high", "1990", "2000"]),
        # combining marks belong to their letter
        ("Cafe\u0301 nai\u0308ve", ["Cafe\u0301", "nai\u0308ve"]),
        ("हिन्दी में किताबें", ["हिन्दी", "में", "किताबें"]),
        # abbreviations, numbers, hyphens, apostrophes
        (
            "The U.S. has 5,000 banks, e.g. 3.",
            ["The", "U.S.", "has", "5,000", "banks", "e.g.", "3"],
        ),
        ("state-of-the-art U.S.-led well‐known", ["state-of-the-art", "U.S.-led", "well‐known"]),
        ("don’t, can't", ["don’t", "can't"]),
        # scripts without spaces
        ("我爱北京天安门。", ["我", "爱", "北京", "天安门"]),
        ("東京大学でカタカナを学ぶ", ["東京", "大学", "で", "カタカナ", "を", "学ぶ"]),
        ("한국어 단어는", ["한국어", "단어는"]),
        ("iPhone的价格是5,000元", ["iPhone", "的", "价格", "是", "5,000", "元"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
    ],
)
def test_words_of_all_scripts(text: str, words: list[str]):
    assert list(named(text)) == words


def test_the_dictionaries_also_find_thai_words():
    text = "ภาษาไทยไม่มีช่องว่าง"
    assert [text[a:b] for a, b in word_spans(text)] == ["ภาษา", "ไทย", "ไม่มี", "ช่อง", "ว่าง"]
    # the sample's encoder reads the whole text as one unknown token
    assert list(named(text)) == [text]


def test_encodings_of_a_character_are_one_word():
    assert named("Café cafe\u0301") == {"Café": ((0, 4), (5, 10))}


def test_every_token_belongs_to_one_word_only():
    text = "Ｕ.S. 5,000 state-of-the-art हिन्दी 我爱北京 ภาษาไทย カタカナです cafe\u0301s한국어"
    spans = [span for word in find_words(text, TOKENIZER) for span in word.spans]
    for left, right in TOKENIZER.encode(text, add_special_tokens=False).offsets:
        assert sum(a < right and b > left for a, b in spans) <= 1


def test_words_that_share_a_token_are_one():
    assert _of_whole_tokens([(0, 2), (2, 4), (4, 6), (7, 9)], [(0, 1), (1, 3), (3, 4), (7, 9)]) == [
        (0, 4),
        (4, 6),
        (7, 9),
    ]
    assert _of_whole_tokens([(0, 2), (2, 4), (4, 6)], [(1, 5)]) == [(0, 6)]
    assert _of_whole_tokens([], [(0, 3)]) == []


def test_positions_count_characters_outside_the_basic_plane_once():
    assert named("😀 one 👩‍👩‍👧 two") == {"one": ((2, 5),), "two": ((12, 15),)}


def test_half_a_surrogate_pair_is_no_word():
    assert word_spans("a \ud83d b") == [(0, 1), (4, 5)]


def test_marks_after_a_position_are_read_with_their_letter():
    assert end_of_character("cafe\u0301 x", 4) == 5
    assert end_of_character("cafe x", 4) == 4
    assert end_of_character("e\u0301\u0302", 1) == 3


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
        ("in the U.S. today", ["u.s."], "in the today"),
        ("un cafe\u0301 noir", ["café"], "un noir"),
        ("我爱北京天安门", ["北京"], "我爱天安门"),
    ],
)
def test_a_word_is_deleted_with_one_space(text: str, deleted: list[str], left: str):
    words = [
        w for w in find_words(text, TOKENIZER) if normalize("NFC", w.text.casefold()) in deleted
    ]
    assert without(text, words) == left


def test_deleting_nothing_changes_nothing():
    assert without("<b>$x$</b>", []) == "<b>$x$</b>"
    assert without("abc", [Word("b", ((1, 2),))]) == "ac"
