from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from dashboard.views.explain.verified_words import NOT_TESTED, _rows, summary
from imrnns_core.explanation.word_drops import VerifiedWord
from imrnns_core.text.words import Word
from imrnns_core.types import Target


def measured(count: int) -> list[VerifiedWord]:
    return [
        VerifiedWord(
            Word(f"w{i}", ((i, i + 1),)),
            (0.5, 0.5),
            (0.0, 0.0),
            (0.1, 0.1),
            (0.2, 0.2),
            (0.04, 0.04),
        )
        for i in range(count)
    ]


def test_the_text_says_how_many_words_are_measured_and_drawn() -> None:
    assert summary(measured(12), 48, "document", "change") == (
        "Measured: 12 of 48 words of the document. Verdicts: 12 confirmed."
    )
    assert summary(measured(62), 62, "document", "score") == (
        "Measured: 62 of 62 words of the document. Verdicts: 62 confirmed. The chart shows the 30 "
        "strongest."
    )


def test_the_summary_names_each_verdict_in_one_sentence() -> None:
    (first,) = measured(1)
    words = [
        first,
        replace(first, p=(0.06, 0.01)),
        replace(first, drop=(-0.5, 0.5)),
        replace(first, p=(None, 0.01)),
    ]
    assert summary(words, 4, "query", "score") == (
        "Measured: 4 of 4 words of the query. Verdicts: 1 confirmed, 1 not confirmed, 1 opposite "
        f"sign, 1 no verdict. {NOT_TESTED}"
    )
    assert summary([replace(first, p=(None, None))], 1, "query", "score") == (
        f"Measured: 1 of 1 word of the query. {NOT_TESTED}"
    )
    assert summary([], 0, "query", "score") == "Measured: 0 of 0 words of the query."


@pytest.mark.parametrize(
    ("target", "drop", "random"),
    [("score", "+0.3000", "+0.0100"), ("change", "−0.2000", "+0.0200")],
)
def test_the_table_has_the_drops_of_the_chosen_value(
    target: Target, drop: str, random: str
) -> None:
    word = VerifiedWord(
        Word("w", ((0, 1),)), (0.3, -0.2), (0.01, 0.02), (0.1, 0.1), (0.2, -0.1), (0.04, 0.04)
    )
    assert _rows([word], target) == [("w", drop, random, "confirmed")]
    alone = replace(word, random=(nan, nan), p=(None, None))
    assert _rows([alone], target) == [("w", drop, "none", "no verdict")]
