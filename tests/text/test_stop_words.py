"""Stop words and stems."""

from __future__ import annotations

import re

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


def test_forms_of_a_word_share_a_stem_and_other_words_do_not():
    assert stem("cells") == stem("cell")
    assert stem("flies") == stem("fly") == stem("flying") != stem("flight")
    assert len({stem(w) for w in ("universe", "unit", "planet", "plant", "plane")}) == 5
