"""Figures of the page Explain: what they draw is asserted by value."""

from __future__ import annotations

from math import nan

import numpy as np
import pytest

from dashboard import theme
from dashboard.figures import explain
from imrnns_core.explanation.score_accounting import WordAccounting
from imrnns_core.explanation.word_drops import VerifiedWord, WordDrops
from imrnns_core.text.words import Word


def verified(
    text: str,
    drop: float,
    random: float = 0.01,
    estimate: float = 0.3,
    p: tuple[float | None, float | None] = (0.04, 0.04),
) -> VerifiedWord:
    return VerifiedWord(
        Word(text, ((0, 1),)),
        (2 * drop, drop),
        (random, random),
        (0.02, 0.03),
        (estimate, estimate),
        p,
    )


def test_measured_drops_stand_beside_random_ones() -> None:
    bars, random = explain.measured_words(
        [verified("peso", 0.4), verified("<b>", -0.1)], "change"
    ).data
    assert list(bars.x) == [0.4, -0.1]
    assert list(bars.marker.color) == [theme.UP, theme.DOWN]
    assert list(random.x) == [0.01, 0.01]
    assert list(random.error_x.array) == [0.03, 0.03]


def test_labels_carry_the_value_and_are_escaped() -> None:
    figure = explain.measured_words([verified("peso", 0.4), verified("<b>", -0.1)], "score")
    assert list(figure.layout.yaxis.ticktext) == ["peso +0.8000", "&lt;b&gt; −0.2000"]
    low, high = figure.layout.xaxis.range
    assert low < -0.2
    assert high > 0.8


def test_a_bar_shows_its_verdict() -> None:
    words = [
        verified("peso", 0.4),
        verified("the", 0.035, p=(0.04, 0.2)),
        verified("not", -0.1),
        verified("nor", -0.1, estimate=-0.2),
        verified("one", 0.2, p=(None, None)),
    ]
    (bars, _) = explain.measured_words(words, "change").data
    pale = theme.transparent(theme.UP, explain.PALE)
    outline = theme.transparent(theme.UP, 0.0)
    assert list(bars.marker.color) == [theme.UP, pale, theme.DOWN, theme.DOWN, outline]
    assert list(bars.marker.line.color) == [theme.UP, theme.UP, theme.DOWN, theme.DOWN, theme.UP]
    assert list(bars.marker.pattern.shape) == ["", "", "/", "", ""]
    (bars, _) = explain.measured_words(words[1:2], "score").data
    assert list(bars.marker.color) == [theme.UP]  # the score has its own verdict


def test_a_word_without_other_words_is_drawn_alone() -> None:
    figure = explain.measured_words([verified("one", 0.2, random=nan, p=(None, None))], "change")
    assert list(figure.data[0].x) == [0.2]
    assert figure.layout.xaxis.range == pytest.approx((-0.02, 0.22))


@pytest.mark.parametrize("dark", [False, True])
def test_random_words_are_seen_on_bars_and_bars_end_inside_the_axis(dark: bool) -> None:
    figure = explain.measured_words([verified("peso", 0.4), verified("nor", -0.1)], "change", dark)
    random = figure.data[1]
    assert random.marker.color == random.error_x.color == theme.page_colours(dark).text
    low, high = figure.layout.xaxis.range
    assert (low, high) == pytest.approx((-0.15, 0.45))


def test_no_words_is_an_empty_figure() -> None:
    figure = explain.measured_words([], "change")
    assert list(figure.data[0].x) == []
    assert figure.layout.xaxis.range[0] < 0 < figure.layout.xaxis.range[1]


def test_the_account_by_word_draws_parts_that_sum() -> None:
    words = np.linspace(-0.2, 0.3, 30).astype(np.float32)
    drops = WordDrops(
        "document", "", [Word(f"w{i}", ((i, i + 1),)) for i in range(30)], words, words, 30
    )
    accounting = WordAccounting(words, -0.05, 0.02)
    (bars,) = explain.word_accounting(drops, accounting).data
    assert sum(bars.x) == pytest.approx(float(words.sum()) - 0.05 + 0.02, abs=1e-6)
    assert len(bars.x) == explain.LARGEST_PARTS + 3
    assert bars.x[0] == pytest.approx(0.3)
    assert list(bars.x)[-2:] == pytest.approx([-0.05, 0.02])


def test_the_strongest_words_of_either_sign_are_drawn() -> None:
    words = [verified(f"w{i}", value) for i, value in enumerate((0.1, -0.9, 0.2, -0.05, 0.8))]
    drawn = explain.strongest(words, "change", 3)
    assert [w.drop[1] for w in drawn] == [0.8, 0.2, -0.9]
    assert len(explain.strongest(words, "score", 9)) == 5


def test_a_positive_drop_means_that_the_word_helps() -> None:
    score = explain.measured_words([verified("peso", 0.4)], "score")
    assert "drop: modulated score" in score.layout.xaxis.title.text
    assert list(score.data[0].text) == ["+0.8000"]
    change = explain.measured_words([verified("peso", 0.4)], "change")
    assert "drop: score change" in change.layout.xaxis.title.text


def test_values_of_the_account_by_word_are_in_its_labels() -> None:
    words = np.array([0.2, -0.0358], np.float32)
    drops = WordDrops(
        "document", "", [Word("one", ((0, 1),)), Word("zeros", ((1, 2),))], words, words, 2
    )
    figure = explain.word_accounting(drops, WordAccounting(words, -0.0348, 0.0295))
    assert list(figure.layout.yaxis.ticktext) == [
        "one +0.2000",
        "zeros −0.0358",
        # “other words” is zero and has no row
        "other tokens −0.0348",
        "adapter constant +0.0295",
    ]
    assert figure.data[0].textposition == "none"  # nothing is written over the labels
