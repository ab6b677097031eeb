"""Marked words: the text stays what it is, whatever the spans are."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from dashboard.widgets.highlighting import card_texts, segments
from dashboard.widgets.ranking_cards.content import Card, CardContent, Column, payload

HOSTILE = "<script>window.hacked=1</script> $x$ :red[y] [link](javascript:window.hacked=2)"
spans = st.lists(
    st.tuples(
        st.integers(-5, 60), st.integers(-5, 60), st.floats(allow_nan=True, allow_infinity=True)
    ),
    max_size=6,
)


@given(st.text(max_size=40), spans, st.integers(0, 20))
def test_segments_are_the_text_letter_by_letter(
    text: str, marked: list[tuple[int, int, float]], offset: int
) -> None:
    found = segments(text, marked, offset)
    assert "".join(s.text for s in found) == text
    assert all(-1 <= s.weight <= 1 for s in found)


@given(st.text(max_size=15), st.text(max_size=80), spans, st.integers(5, 30))
def test_a_card_shows_a_piece_of_its_document(
    title: str, text: str, marked: list[tuple[int, int, float]], length: int
) -> None:
    shown_title, shown_text = card_texts(title, text, marked, length)
    assert "".join(s.text for s in shown_title) == title
    body = "".join(s.text for s in shown_text if s.text != "… " or s.weight)
    assert body in text
    assert len(body) <= length


def test_spans_are_over_title_newline_text() -> None:
    title, text = card_texts(
        "Mexican peso", "Mexico pays in the peso", [(8, 12, 0.2), (13, 19, -0.4)], 100
    )
    assert [(s.text, s.weight) for s in title] == [("Mexican ", 0.0), ("peso", 0.5)]
    assert [(s.text, s.weight) for s in text] == [("Mexico", -1.0), (" pays in the peso", 0.0)]
    assert [(s.text, s.weight) for s in card_texts("", "Mexico pays", [(0, 6, 0.3)], 100)[1]] == [
        ("Mexico", 1.0),
        (" pays", 0.0),
    ]


def test_of_overlapping_spans_the_heavier_stays_and_no_number_marks_nothing() -> None:
    assert [
        (s.text, s.weight)
        for s in segments("abcdef", [(0, 3, 0.1), (2, 5, -0.2), (5, 6, math.nan), (5, 6, 0.0)])
    ] == [
        ("ab", 0.0),
        ("cde", -1.0),
        ("f", 0.0),
    ]


def test_lines_start_near_a_strong_mark_that_stands_far_down() -> None:
    text = "filler " * 100 + "peso at the end"
    _, shown = card_texts("", text, [(700, 704, 0.5), (0, 6, 0.1)], 160)
    assert shown[0].text == "… "
    marked = [s.text for s in shown if s.weight]
    assert marked == ["peso"]
    assert shown[1].text.startswith("filler ")


def test_what_goes_to_the_browser_is_plain_text() -> None:
    steps = {1.0: [Column("Base", "", [Card("d<1>", "1", "0.5", "1 → 1")])]}
    contents = {"d<1>": CardContent(HOSTILE, HOSTILE, "unjudged", "#000000")}
    sent = payload(steps, contents, "", {"d<1>": [(0, 8, 0.5)]})
    title = sent["contents"]["d<1>"]["title"]
    assert title[0] == {"text": "<script>", "weight": 1.0}
    assert "".join(s["text"] for s in title) == HOSTILE
    assert sent["legend"]
    assert payload(steps, contents, "", {})["legend"] is None
