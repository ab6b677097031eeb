"""Documents are recognised in other forms."""

from __future__ import annotations

import numpy as np
import pytest

from imrnns_core.data.recognition import (
    Fingerprints,
    KnownTexts,
    sentence_hashes,
    shingle_sketch,
    text_hash,
)
from imrnns_core.data.records import Document, Query

FORM = "Ask the office of {} for a badge. It is made within a day, and it is valid for two years."
POEM = "Slow rivers carry sand to warm seas. Nobody counts the grains that lie on their ground."


def document(text: str, title: str = "") -> Document:
    return Document("d", title, text)


def test_a_footer_does_not_make_a_page_a_used_one() -> None:
    footer = "This page is maintained by the people of the front office."
    known = KnownTexts(Fingerprints.of([document(f"{POEM} {footer}")]))
    page = (
        "Parking is on level two, next to the lift. Bring your card, and do not block the exit. "
        "Guests ring at the gate. Bicycles have a shed of their own behind the kitchen garden."
    )
    assert document(f"{page} {footer}") not in known
    assert document(footer) in known  # all of its words are known


@pytest.mark.parametrize("title", ["", "Another title"])
def test_both_halves_of_a_text_are_recognised(title: str) -> None:
    known = KnownTexts(Fingerprints.of([document(POEM)]))
    first, second = POEM.split("seas. ")
    assert document(f"{first}seas.", title) in known
    assert document(second, title) in known
    assert document("Rivers and seas are slow.", title) not in known


def test_changed_versions_of_a_page_are_recognised_however_many_there_are() -> None:
    pages = [" ".join(f"w{i}x{n}" for n in range(60)) for i in range(8)]
    versions = [f"{page} Version {n} of {n + 7}." for page in pages for n in range(6)]
    known = KnownTexts(Fingerprints.of([document(text) for text in versions]))
    changed = [text.replace("x30 ", "x30 updated ").replace("x5 ", "x5 new ") for text in versions]
    assert all(document(text) in known for text in changed)
    other = " ".join(f"other{n}" for n in range(60))
    assert document(f"{other} Version 1 of 8.") not in known


def test_words_that_differ_in_a_vowel_or_tone_sign_are_different() -> None:
    assert Query("q", "ข้าวคืออะไร").text_hash != Query("q", "ข่าวคืออะไร").text_hash
    assert Query("q", "दिन में क्या करें").text_hash != Query("q", "दीन में क्या करें").text_hash
    assert Query("q", "Cafe\u0301?").text_hash == Query("q", "café").text_hash


def test_a_long_footer_of_many_documents_is_no_sign() -> None:
    footer = " ".join(f"The notice number {i} of the front office is on every page." for i in "ab")
    texts = [" ".join(f"w{i}x{n}" for n in range(40)) + "." for i in range(20)]
    known = KnownTexts(Fingerprints.of([document(f"{text} {footer * 2}") for text in texts]))
    page = "Guests ring at the gate. Bicycles have a shed behind the garden of the old kitchen."
    assert document(f"{page} {footer * 2}") not in known


def test_a_page_that_quotes_a_known_one_is_not_covered_by_it() -> None:
    """A sentence memory must get the sentences that it lacks."""
    known = KnownTexts(Fingerprints.of([document(f"{POEM} {FORM.format('Rome')}")]))
    page = " ".join(f"The {word} of the new house is made of {word} wood." for word in "abcdefgh")
    quoting = document(f"{page} {POEM} {FORM.format('Rome')}")
    assert quoting in known
    assert not known.covers(quoting)
    assert known.covers(document(f"{POEM} {FORM.format('Rome')} Amen."))


@pytest.mark.parametrize("words", [1, 2])
def test_a_short_text_is_recognised_after_a_word_or_two_changed(words: int) -> None:
    known = KnownTexts(Fingerprints.of([document(POEM)]))
    changed = POEM.split()
    changed[3 : 3 + words] = ["brass"] * words
    assert document(" ".join(changed)) in known


def test_shingles_of_several_documents_do_not_add_up() -> None:
    parts = ["slow rivers carry sand", "nobody counts the grains", "ask the office now"]
    filler = [f"and here stand the words of page {i} alone" for i in range(3)]
    known = KnownTexts(
        Fingerprints.of([document(f"{p} {f}") for p, f in zip(parts, filler, strict=True)])
    )
    assert document(" then ".join(parts)) not in known


def test_cards_of_older_versions_have_their_shingles_in_one_list() -> None:
    sketch = sorted(shingle_sketch(POEM))
    assert document(POEM.replace("warm", "cold")) in KnownTexts(Fingerprints([], sketch))


def test_fingerprints_without_sentences_do_not_recognise_a_part_of_another_text() -> None:
    """Cards of older versions have no sentences."""
    others = " ".join(f"The {word} of the house is made of {word} wood." for word in "abcdefgh")
    merged, whole = document(f"{others} {POEM} {POEM}"), Fingerprints.of([document(POEM)])
    older = KnownTexts(Fingerprints(whole.whole, whole.shingles))
    assert document(POEM) in older
    assert merged not in older


def test_sentences_are_compared_by_their_words() -> None:
    hashes = sentence_hashes("Slow rivers carry sand to warm seas! Short one.")
    assert len(hashes) == 1
    assert hashes == sentence_hashes("SLOW rivers, carry sand: to warm seas.")


def test_short_sentences_are_hashed_with_the_next_ones() -> None:
    hashes = sentence_hashes("It is. They are. We know. Slow rivers carry sand to warm seas!")
    assert hashes == {
        h
        for part in (
            "It is, they are; we know",
            "They are we know slow rivers carry sand to warm seas",
            "We know slow rivers carry sand to warm seas",
            "slow rivers carry sand to warm seas",
        )
        for h in sentence_hashes(part)
    }


@pytest.mark.parametrize(
    "mark", ["-", "–", "*", "•", "·", "◦", "‣", "▪", "+", "1.", "12)", "a)", "(b)"]
)
@pytest.mark.parametrize("separator", ["\n", " "])
def test_each_item_of_a_list_is_a_sentence(mark: str, separator: str) -> None:
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(400)]
    items = [" ".join(rng.choice(words, rng.integers(2, 6))) for _ in range(40)]
    listed = [f"{mark} {item}" for item in items]
    known = KnownTexts(Fingerprints.of([document(separator.join(listed))]))
    for first in range(0, 25, 3):
        passage = separator.join(listed[first : first + int(rng.integers(6, 16))])
        assert document(passage) in known
    others = [" ".join(rng.choice(words, 4)) for _ in range(15)]
    assert document(separator.join(f"{mark} {item}" for item in others)) not in known


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What melts?", "what  melts"),
        ("What's the e-mail limit in the U.S.?", "what s the email limit in the US"),
        ("don\u2019t", "DON'T"),
        ("İstanbul", "istanbul"),
        ("Altın fiyatı kaç lira?", "ALTIN FİYATI KAÇ LİRA?"),
        ("Altın fiyatı kaç lira?", "ALTIN FIYATI KAÇ LIRA?"),
        ("ᾷ", "ᾷ".title()),
        ("COVID-19", "covid 19"),
        ("ジョン・レノンの生年は", "ジョンレノンの生年は"),
        ("ジョン･レノンの生年は", "ジョン レノンの生年は"),
    ],
)
def test_punctuation_case_and_blanks_do_not_make_another_query(one: str, other: str) -> None:
    assert Query("", one).letters_hash == Query("", other).letters_hash
    assert Query("", one).letters_hash != Query("", f"{one} not").letters_hash


def test_queries_of_symbols_alone_are_not_all_the_same() -> None:
    assert len({Query("", text).letters_hash for text in ("🎉", "→", "👍👍", "€ $", "?")}) == 5


def test_cards_of_older_versions_name_a_query_by_its_words_or_its_text() -> None:
    query = Query("", "What melts?")
    assert {query.text_hash, text_hash("what melts?")} <= query.known_hashes
    assert query.text_hash == Query("", "what  melts").text_hash
    assert query.text_hash != text_hash("what melts?")
