"""The runs of the data set: rankings of other search engines, which can be the base."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.services import catalog
from dashboard.services.data_sets import listing
from dashboard.views.data.report import irregular_frame
from dashboard.widgets import notices, role_note, upload_box
from dashboard.widgets.tables import with_thousands
from imrnns_core.config import ENCODER_BASE, RUN_PREFIX
from imrnns_core.data.run import Run
from imrnns_core.errors import LensError

READING = (
    "The ranking of another search engine for the queries of this data set. Choose it as the base "
    "in the sidebar: Overview, Failures, Compare and Judging then show and diagnose it."
)
UPLOAD = "Upload a run: a TREC run or a table"
FILE_HELP = (
    "On the machine that runs the dashboard: a TREC run (query Q0 document rank score tag), or a "
    "CSV or TSV file with the columns query, document and score. Documents are ranked as in "
    "trec_eval: by score, the highest first, and by descending id where scores are equal."
)
NAME_HELP = "Empty: the name of the file. A run with this name is replaced."
REMOVE_HELP = (
    "Takes the run out of this list. Its file stays; if you uploaded it, it is deleted later, as "
    "other uploads that no data set uses."
)


def show() -> None:
    """Draw the section."""
    data = state.current().data
    st.header("Runs", anchor=False)
    st.caption(READING)
    names = catalog.run_names(data)
    runs = [run for name in names if (run := _read(data, name)) is not None]
    if runs:
        _table(data, runs)
    if role_note.refuses("Adding or removing a run"):
        return
    _add(data)
    if names:
        _remove(data, names)


def _read(data: str, name: str) -> Run | None:
    """Return a run; if its file cannot be read, say so and return None."""
    try:
        return catalog.run(data, f"{RUN_PREFIX}{name}")
    except (LensError, OSError) as error:
        notices.show("error", f"The run “{name}” cannot be read", str(error))
        return None


def _table(data: str, runs: list[Run]) -> None:
    with st.container(key="runs"):
        st.dataframe(with_thousands(runs_frame(data, runs)), hide_index=True, height="content")
    reports = tuple(run.report for run in runs)
    irregular = irregular_frame(reports, catalog.dataset(data).path)
    if not irregular.empty:
        st.caption("Irregular records of the runs")
        with st.container(key="irregular_runs"):
            st.dataframe(with_thousands(irregular), hide_index=True, height="content")
    for run in runs:
        if remarks := [f"{remark[0].upper()}{remark[1:]}." for remark in run.report.remarks]:
            notices.show("info", f"About the run “{run.name}”", " ".join(remarks))


def runs_frame(data: str, runs: list[Run]) -> pd.DataFrame:
    """Return one row per run."""
    return pd.DataFrame(
        {
            "run": run.name,
            "queries": len(run.rankings),
            "longest ranking": max(len(r.document_ids) for r in run.rankings.values()),
            "records": run.report.records,
            "read": run.report.read,
            "rejected": run.report.rejected,
            "file": str(listing.run_file(data, run.name)),
        }
        for run in runs
    )


def _add(data: str) -> None:
    upload_box.empty_lost("run_file")
    # the name of a run can have any ending
    upload_box.show(st.container(), UPLOAD, "run_file")
    with st.form("add_run", border=False):
        left, right = st.columns([3, 1])
        box = state.bound_box("run_file")
        path = left.text_input("File of a run", help=FILE_HELP, **box).strip()
        name = right.text_input("Name (optional)", key="run_name", help=NAME_HELP).strip()
        if not st.form_submit_button("Add run", key="add_run_button") or not path:
            return
    try:
        run = listing.add_run(data, path, name)
    except (LensError, OSError) as error:
        notices.show("error", "This run cannot be added", str(error))
        return
    # the sidebar was drawn before, without the new run
    state.update(base=run.name)
    state.write_url()
    st.rerun()


def _remove(data: str, names: list[str]) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    name = left.selectbox("Remove a run", names, key="removed_run")
    right.button(
        "Remove", key="remove_run", on_click=lambda: _take_out(data, name), help=REMOVE_HELP
    )


def _take_out(data: str, name: str) -> None:
    listing.remove_run(data, name)
    if state.current().base == name:
        state.update(base=ENCODER_BASE)
