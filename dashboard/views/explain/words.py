"""The words of both texts: marked by their estimated drops, and as exact accounting."""

from __future__ import annotations

import streamlit as st

from dashboard import formatting, state
from dashboard.figures import explain as figures
from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.widgets import chart, notices, texts
from imrnns_core.types import Side

READING = (
    "Hover over a word for its drop: the {0} with the word minus the {0} without it. The drops are "
    "estimates; the next section measures them."
)
ACCOUNTING = (
    "The score change can be divided among the words of the document, or among the words of the "
    "query. The two charts are alternatives: each adds up to the change of the text "
    "as it is encoded now. Vector lengths and "
    "LayerNorm statistics are treated as constants. A part is not a drop: it does not show what "
    "happens if the word is deleted. Other tokens: special tokens such as [CLS] and [SEP], "
    "punctuation and a prefix. Adapter constant: the part that depends on no word."
)
NO_ACCOUNTING = (
    "Not available for this encoder",
    "Its embeddings are not the mean of their tokens.",
)


def show(key: PairKey) -> None:
    """Draw both texts with their words marked."""
    value = texts.target_name()
    st.header(f"Words behind the {value}", anchor=False)
    texts.mark_legend()
    st.caption(READING.format(value))
    for side, column in texts.sides():
        with column, st.spinner("Reading the text …"):
            drops = explanations.word_drops(key, side)[0]
            texts.marked(drops, drops.values(state.target()), f"marked_{side}")


def show_accounts(key: PairKey) -> None:
    """Draw the accounting of both texts, once it is opened."""
    title = "Score change as a sum over words"
    with st.expander(title, on_change="rerun", key="word_accounts") as expander:
        # two more charts are drawn only for a reader who asks for them
        if not expander.open:
            return
        st.caption(ACCOUNTING)
        for side, column in texts.sides():
            with column:
                _account(key, side)


def _account(key: PairKey, side: Side) -> None:
    drops, accounting = explanations.word_drops(key, side)
    if accounting is None:
        notices.show("info", *NO_ACCOUNTING)
        return
    # the sum is shown so that a reader can check it against the change above
    total = float(accounting.words.sum()) + accounting.other + accounting.constant
    st.caption(f"Words of the {side}; sum {formatting.signed(total)} (rounded)")
    chart.show(
        figures.word_accounting(drops, accounting),
        f"word_accounting_{side}",
        f"Score change as a sum over words of the {side}",
    )
