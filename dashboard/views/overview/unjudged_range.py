"""How far unjudged documents could change the result."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from dashboard.formatting import decimal, percent, signed
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.unjudged import UnjudgedRange

READING = (
    f"How much could missing judgments change {NDCG}? “None relevant” takes every unjudged "
    "document as not relevant, as the whole page does. “All relevant” gives the highest grade of "
    "the query to every unjudged document in the base or the modulated top 10."
)


def show(ends: UnjudgedRange, judged: Mapping[str, Mapping[str, float]]) -> None:
    """Draw the table.

    Args:
        ends: nDCG@10 under both assumptions about unjudged documents.
        judged: Ranking → measure → share of judged documents.
    """
    st.subheader("Unjudged documents", anchor=False)
    st.caption(READING)
    rows = [
        (name, percent(judged[name]["Judged@10"]), *map(decimal, values))
        for name, values in (("base", ends.base), ("modulated", ends.modulated))
    ]
    rows.append(("change", "", *map(signed, ends.change)))
    columns = ["ranking", "judged", "none relevant", "all relevant"]
    # with these widths, all columns fit on a phone and next to the figures
    widths = dict(zip(columns, (82, 62, 98, 92), strict=True))
    config = {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}
    config["judged"] = st.column_config.TextColumn(
        width=widths["judged"], help="Share of the top 10 that is judged (Judged@10)."
    )
    # st.dataframe puts its key on the page only if it reacts to clicks
    with st.container(key="unjudged"):
        frame = pd.DataFrame(rows, columns=columns)
        st.dataframe(frame, hide_index=True, column_config=config)
