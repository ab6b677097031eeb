"""Splitting of texts into sentences."""

from __future__ import annotations

import pytest

from imrnns_core.text.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            "It is found in mice, e.g. in the liver. Fig. 3 shows it. See Smith et al. (2004).",
            [
                "It is found in mice, e.g. in the liver.",
                "Fig. 3 shows it.",
                "See Smith et al. (2004).",
            ],
        ),
        ("Dr. Smith paid $5.00. The U.S. won!", ["Dr. Smith paid $5.00.", "The U.S. won!"]),
        ("我们看到了。这是第二句！好吗？", ["我们看到了。", "这是第二句！", "好吗？"]),
        ("One paragraph\n\nAnother", ["One paragraph", "Another"]),
        ("  ", []),
        ("", []),
    ],
)
def test_abbreviations_do_not_end_a_sentence(text: str, sentences: list[str]):
    assert list(split_sentences(text, 1)) == sentences


def test_a_short_sentence_is_joined_to_the_next():
    text = "No. It is not so. The tower is three hundred metres high."
    assert list(split_sentences(text, 6)) == [
        "No. It is not so. The tower is three hundred metres high."
    ]
    assert list(split_sentences(text, 4)) == [
        "No. It is not so.",
        "The tower is three hundred metres high.",
    ]
