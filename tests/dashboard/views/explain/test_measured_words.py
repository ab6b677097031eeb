from __future__ import annotations

from dashboard.views.explain.verified_words import summary
from imrnns_core.explanation.word_drops import VerifiedWord
from imrnns_core.text.words import Word


def measured(count: int) -> list[VerifiedWord]:
    return [
        VerifiedWord(Word(f"w{i}", ((i, i + 1),)), (0.5, 0.5), (0.0, 0.0), (0.1, 0.1), (0.2, 0.2))
        for i in range(count)
    ]


def test_the_text_says_how_many_words_are_measured_and_drawn() -> None:
    assert summary(measured(12), 48, "document", "change") == (
        "12 of 48 words of the document measured: 12 confirmed."
    )
    assert summary(measured(62), 62, "document", "score") == (
        "All 62 words of the document measured: 62 confirmed. The chart shows the 30 strongest."
    )
