"""Words that were deleted and measured, next to the effect of random words."""

from __future__ import annotations

import time
from collections import Counter

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.figures import explain as figures
from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.views.explain.words import TARGET_NAMES
from dashboard.widgets import chart, texts
from imrnns_core.explanation.word_drops import Target, Verdict, VerifiedWord
from imrnns_core.types import Side

VERDICTS: dict[Verdict, str] = {
    "confirmed": "confirmed",
    "chance": "no different from chance",
    "opposite sign": "opposite to the estimate",
}
READING = (
    "Each word was deleted everywhere in the text; the text was encoded again and scored among the "
    "same candidates. A bar is the word’s contribution to the {}: what is lost without it. Green "
    "words raise it, orange words lower it. The yellow mark is the effect of deleting the same "
    "number of random words (mean ± 1 SD of ten draws). Pale bars are within that range and not "
    "meaningful. Hatched bars have the opposite sign of their estimate."
)
MOST_BARS = 30
SECONDS_PER_WORD = 0.06


# a fragment: measuring all words does not run the rest of the page again
@st.fragment
def show(key: PairKey) -> None:
    """Delete words and encode again: measured contributions next to those of random words."""
    st.header("Deleted and measured", anchor=False)
    st.caption(READING.format(TARGET_NAMES[state.current().carry]))
    for side, column in reversed(list(texts.sides())):  # the query's words need only a moment
        with column:
            _show(key, side)


def _show(key: PairKey, side: Side) -> None:
    target, drops = state.current().carry, explanations.word_drops(key, side)[0]
    # all words of a query of usual length are measured anyway
    every = side == "document" and _every(len(drops.words))
    words = _measure(key, side, every)
    st.caption(summary(words, len(drops.words), side, target))
    chart.show(
        figures.measured_words(figures.strongest(words, target, MOST_BARS), target),
        f"verified_{side}",
        f"Measured contribution of each word of the {side}, next to random words",
    )
    with st.expander("As a table"):
        # the table has all words, also those without a bar
        ordered = figures.strongest(words, target, len(words))
        st.dataframe(_frame(ordered, target), hide_index=True, key=f"verified_table_{side}")


def summary(words: list[VerifiedWord], total: int, side: Side, target: Target) -> str:
    """Return how many words were measured, with which results, and how many the chart draws."""
    measured = f"{len(words)} of {total}" if len(words) < total else f"All {total}"
    counts = Counter(word.verdict(target) for word in words)
    results = ", ".join(f"{counts[v]} {name}" for v, name in VERDICTS.items() if counts[v])
    drawn = f" The chart shows the {MOST_BARS} strongest." if len(words) > MOST_BARS else ""
    return f"{measured} words of the {side} measured: {results}.{drawn}"


def _frame(words: list[VerifiedWord], target: Target) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "word": w.word.text,
            "estimate": VERDICTS[w.verdict(target)],
            "contribution to change": w.drop[1],
            "random words, change": w.random[1],
            "contribution to score": w.drop[0],
            "random words, score": w.random[0],
        }
        for w in words
    )


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

    words = explanations.verified_words(key, side, state.current().carry, every, progress)
    bar.empty()
    return words


def _every(count: int) -> bool:
    return st.toggle(
        f"Measure all {count} words (about {max(1, round(count * SECONDS_PER_WORD))} s)",
        key="every_word",
        help="Needs one encoder pass per word.",
    )
