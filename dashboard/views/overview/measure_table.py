"""The table of all measures and groups."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from dashboard import formatting, state
from dashboard.views.overview.groups import query_groups
from dashboard.widgets import csv_button, tables
from imrnns_core.evaluation.evaluate import Evaluation, mean_of
from imrnns_core.evaluation.seen import MEANINGS
from imrnns_core.statistics.measures import SystemMetrics, cutoff_of, judged_measures
from imrnns_core.types import STAGES

READING = (
    "Means over the queries of a group; proj., doc. and mod. are the stages projected, "
    "document-modulated and modulated. nDCG uses linear gains, as trec_eval does. Change is "
    "modulated − base, its 95 % interval comes from a bootstrap over queries. p comes from a "
    "paired randomisation test. Both treat queries that share a relevant document as one. p is "
    "Holm-corrected for the measures of a group; the intervals are not corrected. The verdict at "
    "the top is about nDCG@10 alone, so its p is not corrected for measures."
)

JUDGED = ("judged, BM25", "judged, base", "judged, modulated")
"""Columns with the share of judged documents."""
JUDGED_HELP = (
    "Share of the documents up to the measure’s cut-off that are judged (Judged@k): of BM25, base "
    "and modulated. Unjudged documents count as not relevant."
)
SHORT = {"projected": "proj.", "document-modulated": "doc.", "modulated": "mod."}
"""Headings that leave room for all columns; the downloaded file has the full names."""


def show(measured: Evaluation, bm25: SystemMetrics) -> None:
    """Draw the table and a button that downloads it."""
    frame = _frame(measured, bm25)
    title, button = st.columns([5, 1], vertical_alignment="bottom")
    title.subheader("All measures", anchor=False)
    selection = state.current()
    file = f"{selection.data}-{measured.split}-{selection.adapter}-measures.csv"
    with button:
        csv_button.show(lambda: frame, file, "measures_csv", width="stretch")
    # means are never negative, so they need no minus sign
    columns = {
        name: st.column_config.NumberColumn(SHORT.get(name, name), format="%.4f")
        for name in ("BM25", *STAGES)
    }
    columns["queries"] = st.column_config.TextColumn(
        help=" ".join(f"{name.capitalize()}: {text}." for name, text in MEANINGS.items())
    )
    columns["n"] = st.column_config.NumberColumn(help="Number of queries.")
    columns["change"] = st.column_config.NumberColumn(help="Modulated − base.")
    columns["p"] = st.column_config.NumberColumn(
        help="The probability of a change at least this large if the adapter had no effect, "
        "corrected for the number of measures (Holm)."
    )
    columns["judged"] = st.column_config.TextColumn("judged: BM25 / base / mod.", help=JUDGED_HELP)
    # the format of a column would write a hyphen for minus
    shown = _narrow(tables.with_interval(frame)).style.format(
        {
            "change": lambda value: formatting.signed(float(str(value))),
            "p": lambda value: _p_text(float(str(value))),
        }
    )
    # st.dataframe puts its key on the page only if it reacts to clicks
    with st.container(key="measures"):
        st.dataframe(shown, hide_index=True, height="content", column_config=columns)
    st.caption(READING)


def _narrow(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with one column for the shares of judged documents."""
    judged = [" / ".join(map(_share_text, shares)) for shares in frame[[*JUDGED]].to_numpy()]
    return frame.drop(columns=[*JUDGED]).assign(judged=judged)


def _share_text(share: float) -> str:
    return "—" if math.isnan(share) else formatting.percent(share)


def _p_text(p: float) -> str:
    return formatting.p_value(p).removeprefix("p ").removeprefix("= ")


def _frame(measured: Evaluation, bm25: SystemMetrics) -> pd.DataFrame:
    records = []
    for name, (group, mask) in query_groups(measured).items():
        means = {"BM25": mean_of(measured.measures, bm25.values, mask)}
        means.update({stage: measured.mean(stage, mask) for stage in STAGES})
        corrected = measured.corrected_p(group)
        coverage = _judged(measured, bm25, mask)
        for measure in measured.measures:
            test = measured.significance(measure, group)
            records.append(
                {
                    "queries": name,
                    "n": int(mask.sum()),
                    "measure": measure,
                    **{system: values[measure] for system, values in means.items()},
                    "change": test.change,
                    tables.LOW: test.interval[0],
                    tables.HIGH: test.interval[1],
                    "p": corrected[measure],
                    **{
                        f"judged, {system}": values.get(f"Judged@{cutoff_of(measure)}", math.nan)
                        for system, values in coverage.items()
                    },
                }
            )
    return pd.DataFrame(records)


def _judged(
    measured: Evaluation, bm25: SystemMetrics, mask: NDArray[np.bool_]
) -> dict[str, dict[str, float]]:
    """Return the shares of judged documents of the rankings that the table compares."""
    means = measured.judged_means(mask)
    lexical = mean_of(judged_measures(measured.measures), bm25.judged, mask)
    return {"BM25": lexical, "base": means["base"], "modulated": means["modulated"]}
