"""The judgments of people as a table, and as files: export and import."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

import pandas as pd
import streamlit as st

from dashboard import access, state
from dashboard.formatting import count, cut, download_name
from dashboard.services import catalog, judging
from dashboard.widgets import notices, role_note, upload_box
from imrnns_core.data.dataset import Dataset
from imrnns_core.errors import LensError
from imrnns_core.evaluation.trec import qrels_text
from imrnns_core.reporting.import_lines import irregularities
from imrnns_core.storage.judged import Placed

READING = (
    "All pages, evaluation and training use these judgments together with those of the files. For "
    "the same query and document, a judgment from here replaces that of the files."
)
NONE = ("Nobody judged documents of this data set yet", "Judge above, or import a file below.")
UPLOAD = "Upload judgments: a BEIR or TREC file, or a table"
FILE_HELP = (
    "BEIR or TREC judgments, or a table, on the machine that runs the dashboard. They are stored "
    "under your name; grades above 3 are stored as 3. If a query has fractions, all its grades "
    "are first multiplied by the smallest number that makes them whole: 0.5 and 1 become 1 and 2."
)
FORMATS: tuple[tuple[Literal["beir", "trec"], str, str], ...] = (
    ("beir", "Download BEIR file", "tsv"),
    ("trec", "Download TREC file", "qrels"),
)
_DONE = "judgments_imported"
MOST_ROWS = 1000
HEIGHT = 340


def show() -> None:
    """Draw the section."""
    data = state.current().data
    dataset = catalog.dataset(data)
    st.header("Judgments made here", anchor=False)
    st.caption(READING)
    placed = judging.listed(data)
    if placed:
        _table(placed, dataset)
        _downloads(dataset)
    else:
        notices.show("info", *(NONE if access.may_edit() else NONE[:1]))
    _import(data)


def _table(placed: list[Placed], dataset: Dataset) -> None:
    people = len({item.judgment.who for item in placed})
    shown = f" The latest {MOST_ROWS:,} are shown." if len(placed) > MOST_ROWS else ""
    st.caption(
        f"{count(len(placed), 'judgment', 'judgments')} by {count(people, 'person', 'people')}, "
        f"the latest first.{shown}"
    )
    frame = judgments_frame(placed[:MOST_ROWS], dataset)
    st.dataframe(frame, hide_index=True, height=min(HEIGHT, 38 + 35 * len(frame)), key="judgments")


def judgments_frame(placed: list[Placed], dataset: Dataset) -> pd.DataFrame:
    """Return one row per judgment."""

    def note(item: Placed) -> str:
        if item.query_id is None or item.document_id is None:
            return "not in the data set now; does not count"
        return "text changed since" if item.changed else ""

    def title(document_id: str | None) -> str:
        document = dataset.document.get(document_id or "")
        return "" if document is None else document.title or cut(document.text, 80)

    def question(query_id: str | None) -> str:
        query = dataset.queries.get(query_id or "")
        return "" if query is None else query.text

    return pd.DataFrame(
        {
            "query": question(item.query_id),
            "document": title(item.document_id),
            "grade": item.judgment.grade,
            "who": item.judgment.who,
            "when (UTC)": f"{item.judgment.at:%Y-%m-%d %H:%M}",
            "note": note(item),
            "query id": item.query_id or item.judgment.query_id,
            "document id": item.document_id or item.judgment.document_id,
        }
        for item in placed
    )


def _downloads(dataset: Dataset) -> None:
    with st.container(horizontal=True):
        for name, label, suffix in FORMATS:
            st.download_button(
                label,
                partial(qrels_text, dataset.people, name),
                download_name(f"{dataset.name}-judgments.{suffix}"),
                "text/plain",
                on_click="ignore",
                key=f"export_{name}",
            )


def _import(data: str) -> None:
    st.subheader("Import judgments", anchor=False)
    if role_note.refuses("An import"):
        return
    upload_box.empty_lost("judgments_file")
    upload_box.show(st.container(), UPLOAD, "judgments_file")
    with st.form("import_judgments", border=False):
        st.text_input("File of judgments", help=FILE_HELP, **state.bound_box("judgments_file"))
        # before the page runs: everything above shows what was imported
        st.form_submit_button("Import", key="import_file", on_click=_read, args=(data,))
    if done := state.take_message(_DONE):
        notices.show(*done)


def _read(data: str) -> None:
    """Import the file that is named, and keep what the page says of it."""
    path = (state.value(state.bound_box("judgments_file")["key"]) or "").strip()
    if not path:
        return
    try:
        new, report = judging.read_file(data, Path(path).expanduser(), state.who())
    except (LensError, OSError) as error:
        state.leave_message(_DONE, ("error", "This file cannot be imported", str(error)))
        return
    details = "\n".join(line.strip() for line in irregularities(report))
    title = f"{count(new, 'judgment', 'judgments')} imported"
    state.leave_message(_DONE, ("good", title, details))
