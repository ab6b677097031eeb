"""The words of both texts: marked by what they carry, and as an account that sums."""

from __future__ import annotations

import streamlit as st

from dashboard import formatting, state
from dashboard.figures import explain as figures
from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.widgets import chart, notices, texts
from imrnns_core.reporting.html import LEGEND
from imrnns_core.types import Side

SUMS = (
    "Each word’s part of modulated − base with every norm held fixed; the parts sum exactly. Exact "
    "is not faithful: the part is not what the score would lose without the word."
)
NO_ACCOUNT = (
    "Not available for this encoder",
    "Its embedding is not the plain mean of its tokens.",
)


def show(key: PairKey) -> None:
    """Draw both texts with their words marked."""
    st.header(f"Words that carry the {state.current().carry}", anchor=False)
    st.caption(LEGEND + " Point at a word for its drop.")
    for side, place in texts.sides():
        with place, st.spinner("Reading the text …"):
            drops = explanations.word_drops(key, side)[0]
            texts.marked(drops, drops.values(state.current().carry), f"marked_{side}")


def show_accounts(key: PairKey) -> None:
    """Draw the accounts, once they are asked for."""
    title = "Accounting by word: the change as a sum"
    with st.expander(title, on_change="rerun", key="word_accounts") as opened:
        if not opened.open:
            return
        st.caption(SUMS)
        for side, place in texts.sides():
            with place:
                _account(key, side)


def _account(key: PairKey, side: Side) -> None:
    drops, accounting = explanations.word_drops(key, side)
    if accounting is None:
        notices.show("info", *NO_ACCOUNT)
        return
    total = float(accounting.words.sum()) + accounting.other + accounting.constant
    st.caption(f"Words of the {side}; sum {formatting.signed(total)}")
    chart.show(
        figures.word_accounting(drops, accounting),
        f"word_accounting_{side}",
        f"The change as a sum over words of the {side}",
    )
