"""The vocabulary view of the paper, beside what chance does."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.widgets import notices, texts
from imrnns_core.errors import ExplanationError
from imrnns_core.explanation.nearest_tokens import NamedToken
from imrnns_core.reporting.html import verdict
from imrnns_core.types import Side

READING = (
    "Whole words of the encoder’s vocabulary near the back-projected change. They describe a "
    "direction of the space, not a cause, and most are not in the text. Beside each: how often an "
    "untrained adapter, and another query (a document in its place where there are few), name some "
    "word as strongly. What does not beat both is no more than chance."
)
COLUMNS = ["token", "cosine", "p untrained", "p other queries", "verdict"]


def show(key: PairKey) -> None:
    """Draw the view, once it is asked for."""
    title = "Vocabulary view, as in the paper"
    with st.expander(title, on_change="rerun", key="vocabulary") as opened:
        if not opened.open:
            return
        st.caption(READING)
        for side, place in texts.sides():
            with place:
                try:
                    tokens = explanations.named_tokens(key, side)
                except ExplanationError as error:
                    notices.show("info", "Not available for this encoder", str(error))
                    return
                _table(tokens, side)


def _table(tokens: list[NamedToken], side: Side) -> None:
    rows = [(t.token, t.cosine, t.p_untrained, t.p_shuffled, verdict(t)) for t in tokens]
    beat = sum(not t.spurious for t in tokens)
    st.caption(f"{side.capitalize()}: {beat} of {len(tokens)} beat chance")
    st.dataframe(
        pd.DataFrame(rows, columns=COLUMNS),
        hide_index=True,
        column_config={n: st.column_config.NumberColumn(format="%.3f") for n in COLUMNS[1:4]},
        key=f"vocabulary_{side}",
    )
