"""Words that were deleted and measured, next to the effect of random words."""

from __future__ import annotations

import time
from collections import Counter
from math import isnan
from typing import Literal

import streamlit as st

from dashboard import formatting, state, theme
from dashboard.figures import explain as figures
from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.widgets import chart, texts
from imrnns_core.explanation.word_drops import RANDOM_DRAWS, VerifiedWord
from imrnns_core.reporting.html import VERDICT_NAMES, VERDICT_READING
from imrnns_core.types import Side, Target

READING = (
    "A bar is the drop of a word: the {value} of the whole text minus the {value} after the word "
    "was deleted everywhere and the text was encoded again. A bar to the right: the {value} would "
    "be lower without the word. A bar to the left: it would be higher."
)
LEGEND = (
    "<style>.swatch {{ display: inline-block; width: 1.4rem; height: .7rem; margin-right: .3rem; "
    "border: 1px solid {up} }}</style>"
    '<div class="groups" data-legend="measured">'
    '<span><span class="swatch" style="background:{up}"></span>raises the {value}</span>'
    '<span><span class="swatch" style="background:{down};border-color:{down}"></span>lowers it'
    "</span>"
    '<span><span class="swatch" style="background:{pale}"></span>pale: not confirmed</span>'
    '<span><span class="swatch" style="background:repeating-linear-gradient(45deg,{up} 0 2px,'
    'transparent 2px 5px)"></span>hatched: opposite sign to the estimate</span>'
    '<span><span class="swatch"></span>outline: no verdict</span>'
    "<span><b>┼</b> random words: mean ± 1 SD</span>"
    "</div>"
)
TABLE_HEAD = ("word", "drop", "random words", "verdict")
MOST_ROWS, TABLE_PIXELS = 24, 800
"""A table with more rows scrolls."""
MOST_BARS = 30
NOT_TESTED = (
    "No verdict: the text has too few other words for a comparison with "
    f"{RANDOM_DRAWS} different random deletions."
)
SECONDS_PER_WORD = 0.06


# a fragment: measuring all words does not run the rest of the page again
@st.fragment
def show(key: PairKey) -> None:
    """Delete words and encode again: measured drops next to those of random words."""
    st.header("Deleted and measured", anchor=False)
    value = texts.target_name()
    st.caption(READING.format(value=value), help=VERDICT_READING)
    st.html(
        LEGEND.format(
            up=theme.UP,
            down=theme.DOWN,
            pale=theme.transparent(theme.UP, figures.PALE),
            value=value,
        )
    )
    for side, column in reversed(list(texts.sides())):  # the query's words need only a moment
        with column:
            _show(key, side)


def _show(key: PairKey, side: Side) -> None:
    target, drops = state.target(), explanations.word_drops(key, side)[0]
    # all words of a query of usual length are measured anyway
    every = side == "document" and _every(len(drops.words))
    words = _measure(key, side, every)
    st.caption(summary(words, len(drops.words), side, target))
    chart.show(
        figures.measured_words(
            figures.strongest(words, target, MOST_BARS), target, state.dark(), texts.target_name()
        ),
        f"verified_{side}",
        f"Measured drop of each word of the {side}, next to random words",
    )
    with st.expander("As a table"):
        # all words, also those without a bar; the largest effects first, as the others may be cut
        column = 0 if target == "score" else 1
        ordered = sorted(words, key=lambda word: -abs(word.drop[column]))
        height: int | Literal["content"] = TABLE_PIXELS if len(words) > MOST_ROWS else "content"
        with st.container(height=height, border=False):
            texts.table(TABLE_HEAD, _rows(ordered, target), f"verified_table_{side}")


def summary(words: list[VerifiedWord], total: int, side: Side, target: Target) -> str:
    """Return how many words were measured, with which results, and how many the chart draws."""
    text = f"Measured: {len(words)} of {formatting.count(total, 'word', 'words')} of the {side}."
    counts = Counter(word.verdict(target) for word in words)
    if counts["not tested"] < len(words):
        verdicts = (f"{counts[v]} {name}" for v, name in VERDICT_NAMES.items() if counts[v])
        text += f" Verdicts: {', '.join(verdicts)}."
    if counts["not tested"]:
        text += f" {NOT_TESTED}"
    if len(words) > MOST_BARS:
        text += f" The chart shows the {MOST_BARS} strongest."
    return text


def _rows(words: list[VerifiedWord], target: Target) -> list[tuple[str, ...]]:
    column = 0 if target == "score" else 1
    return [
        (
            word.word.text,
            formatting.signed(word.drop[column]),
            # the chart has their deviation
            "none" if isnan(word.random[column]) else formatting.signed(word.random[column]),
            VERDICT_NAMES[word.verdict(target)],
        )
        for word in words
    ]


def _measure(key: PairKey, side: Side, every: bool) -> list[VerifiedWord]:
    """Delete words and measure.

    Each batch updates the progress, which also lets the reader's next key or click interrupt it.
    """
    bar, started = st.empty(), time.monotonic()

    def progress(done: int, total: int) -> None:
        seconds = time.monotonic() - started
        left = f", about {seconds / done * (total - done):.0f} s left" if done else ""
        if total:
            text = f"Deleting words of the {side}: {done} of {total} texts encoded{left}"
            bar.progress(done / total, text=text)

    words = explanations.verified_words(key, side, every, progress)
    bar.empty()
    return words


def _every(count: int) -> bool:
    return st.toggle(
        f"Measure all {count} words (about {max(1, round(count * SECONDS_PER_WORD))} s)",
        key="every_word",
        help="Needs one encoder pass per word.",
    )
