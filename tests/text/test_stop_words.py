"""Stop words and stems."""

from __future__ import annotations

import re

import pytest

from imrnns_core.text.stemming import stem
from imrnns_core.text.stop_words import content_words, stop_words, tokenize


def test_the_list_contains_every_part_of_its_own_words():
    parts = {part for word in stop_words() for part in re.findall(r"\b\w\w+\b", word)}
    assert parts <= stop_words()  # otherwise “don't” would leave “don”


def test_content_words_are_the_words_that_bm25_uses():
    assert tokenize(["Don't ask why the Moon is round", "of the"]) == [
        ["don", "ask", "why", "moon", "round"],
        [],
    ]
    assert content_words("The moon, the Moon and the tides") == ["moon", "tides"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("T-cell or T cell", ["cell", "cell"]),
        ("State-of-the-art, 5,000 in the U.S.", ["state", "art", "5,000", "u.s"]),
        ("Cafe\u0301 CAFÉ ﬁsh ５", ["café", "café", "fish"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("北京大学在北京", ["北京", "大学", "在", "北京"]),
        ("東京の大学", ["東京", "の", "大学"]),
        ("ภาษาไทย", ["ภาษา", "ไทย"]),
        ("France's x", ["france"]),
    ],
)
def test_bm25_compares_the_words_of_all_scripts(text: str, words: list[str]):
    assert tokenize([text]) == [words]


def test_forms_of_a_word_share_a_stem_and_other_words_do_not():
    assert stem("cells") == stem("cell")
    assert stem("flies") == stem("fly") == stem("flying") != stem("flight")
    assert len({stem(w) for w in ("universe", "unit", "planet", "plant", "plane")}) == 5
