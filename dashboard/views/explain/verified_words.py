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
from imrnns_core.explanation.word_attribution import Verdict, VerifiedWord
from imrnns_core.types import Side

VERDICTS: dict[Verdict, str] = {
    "holds": "as estimated",
    "chance": "no more than random words",
    "other sign": "with the other sign than estimated",
}


@st.fragment
def show(key: PairKey) -> None:
    """Delete words and encode again: evidence beside chance."""
    st.header("Deleted and measured", anchor=False)
    st.caption(
        "Each word was deleted wherever it stands, the text encoded again and scored among "
        f"the same candidates. Bars: what the {state.current().carry} loses. "
        "Orange: what as many randomly chosen words do, ten draws, mean and one deviation. "
        "Pale bars lie within it: they say nothing. Hatched bars have the other sign than was "
        "estimated."
    )
    for side, place in reversed(list(texts.sides())):  # the query's words take a moment only
        with place:
            drops = explanations.word_drops(key, side)[0]
            every = side == "document" and _every(len(drops.words))
            found = _measure(key, side, every)
            carried = state.current().carry
            column = 0 if carried == "score" else 1
            falls = column == 1 and explanations.pair(key).fell
            order = sorted(found, key=lambda word: word.drop[column] * (1 if falls else -1))
            measured = (
                f"{len(found)} of {len(drops.words)}"
                if len(found) < len(drops.words)
                else f"all {len(found)}"
            )
            counts = Counter(word.verdict(carried) for word in found)
            st.caption(
                f"Words of the {side}: {measured} measured; "
                f"{', '.join(f'{counts[v]} {said}' for v, said in VERDICTS.items() if counts[v])}."
            )
            chart.show(
                figures.verified(order[:30], carried),
                f"verified_{side}",
                f"Measured drop of each word of the {side}, beside random words",
            )
            frame = pd.DataFrame(
                [
                    (
                        w.word.text,
                        VERDICTS[w.verdict(carried)],
                        w.drop[1],
                        w.random[1],
                        w.drop[0],
                        w.random[0],
                    )
                    for w in order
                ],
                columns=[
                    "word",
                    f"estimate of {carried}",
                    "drop of change",
                    "random change",
                    "drop of score",
                    "random score",
                ],
            )
            with st.expander("As a table"):
                st.dataframe(frame, hide_index=True, key=f"verified_table_{side}")


def _measure(key: PairKey, side: Side, every: bool) -> list[VerifiedWord]:
    """Delete words and measure.

    Each batch tells how far it is, and lets the next key or click of the reader through.
    """
    bar, start = st.empty(), time.monotonic()

    def progress(done: int, total: int) -> None:
        left = (
            f", about {(time.monotonic() - start) / done * (total - done):.0f} s left"
            if done
            else ""
        )
        if total:
            bar.progress(
                done / total,
                text=f"Deleting words of the {side}: {done} of {total} texts encoded{left}",
            )

    found = explanations.verified_words(key, side, state.current().carry, every, progress)
    bar.empty()
    return found


def _every(count: int) -> bool:
    return st.toggle(
        f"Measure all {count} words (some {max(1, round(count * 0.06))} s)",
        key="every_word",
        help="One encode for each word.",
    )
