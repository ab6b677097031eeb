"""Overview without an adapter: how good is the base, and does keyword search help?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.formatting import count
from dashboard.services import evaluations
from dashboard.views.overview import baselines, charts, report
from dashboard.widgets import csv_button, notices, outcome_legend
from imrnns_core.evaluation.baselines import Baselines
from imrnns_core.evaluation.evaluate import Evaluation
from imrnns_core.evaluation.verdicts import outcomes_of
from imrnns_core.reporting import answers
from imrnns_core.reporting.evaluation_answers import answers_of
from imrnns_core.statistics.measures import SystemMetrics

READING = (
    "Means over all queries of the split. nDCG uses linear gains, as trec_eval does. The table of "
    "the baselines has the tests."
)
NOT_RANKED = (
    "The run “{}” ranks no document for {} of this split",
    "They count as 0 in every measure, as with the option -c of trec_eval.",
)


def show(split: str) -> None:
    """Draw the page for a judged split."""
    selection = state.current()
    key = (selection.data, selection.system, split)
    measured = evaluations.evaluation(*key, selection.top_k)
    compared = evaluations.baselines(*key)
    shown = answers_of(measured, compared)
    for column, answer in zip(st.columns(len(shown)), shown, strict=True):
        with column:
            notices.answer(answer.kind, answer.question, answer.answer, answer.figures)
    report.show(split)
    if unranked := measured.batch.unranked:
        title, text = NOT_RANKED
        queries = count(unranked, "query", "queries")
        notices.show("info", title.format(selection.run, queries), text)
    if measured.without_relevant:
        notices.show("info", *answers.without_relevant(measured.without_relevant))
    with st.expander("What do the outcomes mean?"):
        st.markdown(outcome_legend.markdown(selection.top_k, outcomes_of(measured)))
    baselines.show(compared)
    _table(measured, compared)
    strongest = compared.judge().strongest.baseline
    charts.scatter_of(measured, compared.column(strongest), ("base", strongest.name), groups=None)


def _table(measured: Evaluation, compared: Baselines) -> None:
    frame = _frame(measured, compared)
    title, button = st.columns([5, 1], vertical_alignment="bottom")
    title.subheader("All measures", anchor=False)
    with button:
        file = f"{measured.dataset}-{measured.split}-base-measures.csv"
        csv_button.show(lambda: frame, file, "measures_csv", width="stretch")
    # st.dataframe puts its key on the page only if it reacts to clicks
    with st.container(key="measures"):
        st.dataframe(
            frame,
            hide_index=True,
            column_config={
                # means are never negative, so they need no minus sign
                name: st.column_config.NumberColumn(format="%.4f")
                for name in measured.measures
            },
        )
    st.caption(READING)


def _frame(measured: Evaluation, compared: Baselines) -> pd.DataFrame:
    systems: dict[str, SystemMetrics] = {"base": measured.systems["base"]}
    systems |= {system.name: system.metrics for system in compared.systems}
    return pd.DataFrame(
        [
            {
                "ranking": name,
                **dict(zip(measured.measures, metrics.values.mean(axis=0).tolist(), strict=True)),
            }
            for name, metrics in systems.items()
        ]
    )
