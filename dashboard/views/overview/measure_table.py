"""The table of all measures and groups."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.formatting import minus
from dashboard.views.overview.groups import query_groups
from dashboard.widgets import csv_button
from imrnns_core.evaluation.evaluate import Evaluation, mean_of
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.types import STAGES

READING = (
    "nDCG with linear gains, as trec_eval has it. Intervals by bootstrap, p by a paired "
    "randomisation test, over queries."
)


def show(measured: Evaluation, bm25: SystemMetrics) -> None:
    """Draw the table, with a button that saves it."""
    frame = _frame(measured, bm25)
    title, button = st.columns([5, 1], vertical_alignment="bottom")
    title.subheader("All measures", anchor=False)
    selection = state.current()
    file = f"{selection.data}-{measured.split}-{selection.adapter}-measures.csv"
    with button:
        csv_button.show(lambda: frame, file, "measures_csv", width="stretch")
    count = len(measured.measures)
    height: int | Literal["content"] = "content" if len(frame) == count else 35 * (count + 1) + 2
    columns = {
        name: st.column_config.NumberColumn(format="%.4f") for name in ("BM25", *STAGES, "p")
    }
    columns["change"] = st.column_config.NumberColumn(help="Modulated − base.")
    # A column's own format knows no true minus
    shown = frame.style.format(
        {
            "change": lambda value: minus(f"{value:+.4f}"),
            "95 % interval": lambda value: minus(str(value)),
        }
    )
    with st.container(key="measures"):  # a table that answers no clicks does not carry its key
        st.dataframe(shown, hide_index=True, height=height, column_config=columns)
    st.caption(READING)


def _frame(measured: Evaluation, bm25: SystemMetrics) -> pd.DataFrame:
    records = []
    for name, (group, mask) in query_groups(measured).items():
        means = {"BM25": mean_of(measured.measures, bm25.values, mask)}
        means.update({stage: measured.mean(stage, mask) for stage in STAGES})
        for measure in measured.measures:
            test = measured.significance(measure, group)
            records.append(
                {
                    "queries": name,
                    "n": int(mask.sum()),
                    "measure": measure,
                    **{system: values[measure] for system, values in means.items()},
                    "change": test.change,
                    "95 % interval": f"[{test.ci95[0]:+.4f}, {test.ci95[1]:+.4f}]",
                    "p": test.p,
                }
            )
    return pd.DataFrame(records)
