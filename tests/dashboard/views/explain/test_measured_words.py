from __future__ import annotations

import pytest

from dashboard.views.explain.verified_words import _rows, summary
from imrnns_core.explanation.word_drops import Target, VerifiedWord
from imrnns_core.text.words import Word


def measured(count: int) -> list[VerifiedWord]:
    return [
        VerifiedWord(Word(f"w{i}", ((i, i + 1),)), (0.5, 0.5), (0.0, 0.0), (0.1, 0.1), (0.2, 0.2))
        for i in range(count)
    ]


def test_the_text_says_how_many_words_are_measured_and_drawn() -> None:
    assert summary(measured(12), 48, "document", "change") == (
        "12 of 48 words of the document measured: 12 have the effect that was estimated."
    )
    assert summary(measured(62), 62, "document", "score") == (
        "All 62 words of the document measured: 62 have the effect that was "
        "estimated. The chart shows the 30 strongest."
    )


def test_the_summary_names_each_verdict_in_one_sentence() -> None:
    word = Word("w", ((0, 1),))
    chance = VerifiedWord(word, (0.05, 0.05), (0.0, 0.0), (0.1, 0.1), (0.2, 0.2))
    opposite = VerifiedWord(word, (-0.5, -0.5), (0.0, 0.0), (0.1, 0.1), (0.2, 0.2))
    assert summary([*measured(1), chance, opposite], 3, "query", "score") == (
        "All 3 words of the query measured: 1 has the effect that was estimated, 1 no more effect "
        "than random words, 1 the opposite effect."
    )


@pytest.mark.parametrize(
    ("target", "drop", "random"),
    [("score", "+0.3000", "+0.0100"), ("change", "−0.2000", "+0.0200")],
)
def test_the_table_has_the_drops_of_the_chosen_value(
    target: Target, drop: str, random: str
) -> None:
    word = VerifiedWord(Word("w", ((0, 1),)), (0.3, -0.2), (0.01, 0.02), (0.1, 0.1), (0.2, -0.1))
    assert _rows([word], target) == [("w", drop, random, "confirmed")]
