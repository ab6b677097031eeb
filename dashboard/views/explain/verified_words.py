"""Words that were deleted and measured, beside what random words do."""

from __future__ import annotations

import time
from collections import Counter

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.figures import explain as figures
from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.widgets import chart, texts
from imrnns_core.explanation.word_drops import Target, Verdict, VerifiedWord
from imrnns_core.types import Side

VERDICTS: dict[Verdict, str] = {
    "confirmed": "as estimated",
    "chance": "no more than random words",
    "opposite sign": "with the other sign than estimated",
}
READING = (
    "Each word was deleted wherever it stands, the text encoded again and scored among the same "
    "candidates. Bars: what the {} loses. Orange: what as many randomly chosen words do, ten "
    "draws, mean and one deviation. Pale bars lie within it: they say nothing. Hatched bars have "
    "the other sign than was estimated."
)
MOST_BARS = 30
SECONDS_A_WORD = 0.06


@st.fragment
def show(key: PairKey) -> None:
    """Delete words and encode again: evidence beside chance."""
    st.header("Deleted and measured", anchor=False)
    st.caption(READING.format(state.current().carry))
    for side, place in reversed(list(texts.sides())):  # the query's words take a moment only
        with place:
            _show(key, side)


def _show(key: PairKey, side: Side) -> None:
    target, drops = state.current().carry, explanations.word_drops(key, side)[0]
    every = side == "document" and _every(len(drops.words))
    found = _measure(key, side, every)
    column = 0 if target == "score" else 1
    falls = column == 1 and explanations.pair(key).demoted
    order = sorted(found, key=lambda word: word.drop[column] * (1 if falls else -1))
    count, total = len(found), len(drops.words)
    measured = f"{count} of {total}" if count < total else f"all {count}"
    counts = Counter(word.verdict(target) for word in found)
    said = ", ".join(f"{counts[v]} {words}" for v, words in VERDICTS.items() if counts[v])
    st.caption(f"Words of the {side}: {measured} measured; {said}.")
    chart.show(
        figures.verified(order[:MOST_BARS], target),
        f"verified_{side}",
        f"Measured drop of each word of the {side}, beside random words",
    )
    with st.expander("As a table"):
        st.dataframe(_frame(order, target), hide_index=True, key=f"verified_table_{side}")


def _frame(words: list[VerifiedWord], target: Target) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "word": w.word.text,
            f"estimate of {target}": VERDICTS[w.verdict(target)],
            "drop of change": w.drop[1],
            "random change": w.random[1],
            "drop of score": w.drop[0],
            "random score": w.random[0],
        }
        for w in words
    )


def _measure(key: PairKey, side: Side, every: bool) -> list[VerifiedWord]:
    """Delete words and measure.

    Each batch tells how far it is, and lets the next key or click of the reader through.
    """
    bar, start = st.empty(), time.monotonic()

    def progress(done: int, total: int) -> None:
        passed = time.monotonic() - start
        left = f", about {passed / done * (total - done):.0f} s left" if done else ""
        if total:
            text = f"Deleting words of the {side}: {done} of {total} texts encoded{left}"
            bar.progress(done / total, text=text)

    found = explanations.verified_words(key, side, state.current().carry, every, progress)
    bar.empty()
    return found


def _every(count: int) -> bool:
    return st.toggle(
        f"Measure all {count} words (some {max(1, round(count * SECONDS_A_WORD))} s)",
        key="every_word",
        help="One encode for each word.",
    )
