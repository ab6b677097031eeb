"""The baselines: a figure, a table, and the strongest one in the answer to "Does it help?"."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import formatting, state
from dashboard.figures import baselines as figures
from dashboard.widgets import chart, csv_button, tables
from imrnns_core.evaluation.baselines import Baselines
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.verdicts import effect_of
from imrnns_core.reporting import baselines as texts

VERDICT = (
    "A verdict needs three things: p of at most 5 % after Holm’s correction for the number of "
    "systems, two kinds of 95 % bootstrap intervals without zero (one of them is shown), and at "
    "least 20 queries that differ."
)
READING = (
    "Is the adapter better than other systems? Each mark is the adapter’s mean nDCG@10 minus that "
    "of one system, with the 95 % interval. Green: the adapter is better, orange: the "
    f"other system is better, grey: no verdict. {VERDICT}"
)
BASE_READING = (
    "Is another system better than base? Each mark is the mean nDCG@10 of one system minus that of "
    "base, with the 95 % interval. Green: the system is better, orange: base is better, grey: "
    f"no verdict. {VERDICT}"
)
DEFINITIONS = """\
- **BM25**: the lexical ranking of the whole corpus.
- **reciprocal rank fusion**: of the top 100 of base and BM25, with k = 60.
- **base + BM25**: a weighted sum of base and BM25 scores over both top 100s. Each list is scaled \
from 0 (lowest score, or not in the list) to 1.
"""
MAX_SIM_DEFINITION = """\
- **sentence max-sim**: a weighted sum of the cosines of the document and of its best sentence, \
for the base candidates. A sentence memory imitates it.
"""
ENCODER_DEFINITION = """\
- **encoder**: the ranking by the vectors of the data set, if it has any.
"""
ADAPTER_DEFINITION = f"""\
- **adapter + BM25**: as base + BM25, with modulated scores. It needs the adapter.

{texts.WEIGHTS} {texts.ADAPTER_WEIGHT}
"""


def show(measured: Baselines) -> None:
    """Draw the figure, the table and a button that downloads it."""
    frame, selection = _frame(measured), state.current()
    title, button = st.columns([5, 1], vertical_alignment="bottom")
    title.subheader("Baselines", anchor=False)
    with button:
        name = selection.run or selection.adapter
        file = f"{selection.data}-{measured.evaluation.split}-{name}-baselines.csv"
        csv_button.show(lambda: frame, file, "baselines_csv", width="stretch")
    left, right = st.columns([3, 2], gap="large")
    with left:
        chart.show(_figure(measured), "baselines")
    with right:
        st.caption(READING if measured.evaluation.has_adapter else BASE_READING)
        # the box "Does it help?" has no room for these figures
        st.caption(texts.figures(measured.judge()))
        for note in texts.notes(measured, selection.data):
            st.caption(note)
    with st.expander("How are the baselines computed?"):
        st.markdown(_definitions(measured))
    _table(frame, measured.evaluation.has_adapter)


def _definitions(measured: Baselines) -> str:
    if measured.evaluation.has_adapter:
        return DEFINITIONS + MAX_SIM_DEFINITION + ADAPTER_DEFINITION
    last = MAX_SIM_DEFINITION if measured.evaluation.run is None else ENCODER_DEFINITION
    return f"{DEFINITIONS}{last}\n{texts.WEIGHTS}"


def _figure(measured: Baselines) -> go.Figure:
    rows = [
        figures.BaselineRow(
            row.baseline.name,
            row.mean,
            row.test.change,
            row.test.interval,
            effect_of(row.test, row.p),
        )
        for row in measured.tests(measured.fair)
    ]
    difference = "adapter − system" if measured.evaluation.has_adapter else "system − base"
    return figures.baselines(rows, NDCG, difference)


def _table(frame: pd.DataFrame, is_adapted: bool) -> None:
    difference = "Modulated − baseline." if is_adapted else "Baseline − base."
    columns = {
        NDCG: st.column_config.NumberColumn(format="%.4f", help=f"Mean {NDCG}."),
        "n": st.column_config.NumberColumn(help="Number of queries."),
        "weight": st.column_config.TextColumn(help="Weight of the second part."),
        "difference": st.column_config.NumberColumn(help=difference),
        "p": st.column_config.NumberColumn(
            help="The probability of a difference at least this large if the two systems were "
            "equally good, corrected for the number of baselines (Holm)."
        ),
    }
    # the format of a column would write a hyphen for minus
    shown = tables.with_interval(frame).style.format(
        {
            "difference": lambda value: formatting.signed(float(str(value))),
            "p": lambda value: (
                formatting.p_value(float(str(value))).removeprefix("p ").removeprefix("= ")
            ),
        }
    )
    # st.dataframe puts its key on the page only if it reacts to clicks
    with st.container(key="baselines_table"):
        st.dataframe(shown, hide_index=True, height="content", column_config=columns)


def _frame(measured: Baselines) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "queries": group,
                "n": row.test.queries,
                "ranking": row.baseline.name,
                "weight": texts.weight(row.baseline),
                NDCG: row.mean,
                "difference": row.test.change,
                tables.LOW: row.test.interval[0],
                tables.HIGH: row.test.interval[1],
                "p": row.p,
            }
            for group, mask in measured.masks().items()
            for row in measured.tests(mask)
        ]
    )
