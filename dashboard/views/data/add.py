"""Add a data set: name its files, see how they are read, change that, and import them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import navigation, state
from dashboard.services import catalog
from dashboard.services.data_sets import imports
from dashboard.services.data_sets.imports import ImportJob, Wanted
from dashboard.views.data import upload
from dashboard.widgets import notices, progress_panel, role_note
from dashboard.widgets.progress_panel import Button, Panel
from imrnns_core.data.readers.columns import ROLES
from imrnns_core.data.readers.load import TablePreview
from imrnns_core.errors import LensError

READING = (
    "Upload files, or name files on the machine that runs the dashboard. Documents: a table (CSV, "
    "TSV, Excel, OpenDocument, JSON, JSONL, Parquet), a folder or zip of Markdown, text or HTML "
    "files, or a folder or zip in BEIR layout. Queries are optional: without them you can type "
    "your own."
)
QUERIES_HELP = (
    "A table of queries, or TREC topics. A column with the id, address or title of the expected "
    "document makes judgments: with them, Failures lists the queries that fail."
)
ENCODER_HELP = (
    "A sentence-transformers model: a folder, or the name of one on a hub that this machine can "
    "reach. Empty: all-MiniLM-L6-v2."
)
PASSAGES = "Split long documents"
PASSAGES_HELP = (
    "Documents that the encoder does not read whole are split into passages, and ranked by their "
    "best passage. Otherwise, the encoder reads their beginning."
)
RUN_HELP = (
    "The ranking of another search engine for these queries: a TREC run, or a table of query, "
    "document and score. It can be the base on all pages that need no vectors."
)
WITHOUT_HELP = "Only the run ranks the documents. You can make vectors later."
MAPPING = "Which column is what? The first rows are shown as they are read."
NONE = "—"
JUDGED = "What was read of it stands below. Failures lists its failing queries."
UNJUDGED = (
    "What was read of it stands below. No query has a judged document yet: type a question on "
    "Compare, or judge documents on Judging."
)
REPLACED = (
    "There is a data set of the same documents, with other queries, columns or settings. To keep "
    "both, give the file another name."
)
PAGES = ("Each file is one document", "Its title is the title in the front matter, or its heading.")
POLL_SECONDS = 0.5


def show() -> None:
    """Draw the section."""
    st.header("Add a data set", anchor=False)
    if role_note.refuses("Adding a data set"):
        return
    st.caption(READING)
    upload.show()
    path = st.text_input(
        "Folder, zip or file of documents",
        placeholder="such as /data/wiki.csv",
        **state.bound_box("new_path"),
    ).strip()
    left, right = st.columns(2)
    queries = left.text_input(
        "File of queries (optional)",
        placeholder="such as /data/questions.csv",
        help=QUERIES_HELP,
        **state.bound_box("new_queries"),
    )
    encoder = right.text_input(
        "Encoder (optional)", key="new_encoder", placeholder="all-MiniLM-L6-v2", help=ENCODER_HELP
    )
    passages = st.checkbox(PASSAGES, key="new_passages", help=PASSAGES_HELP)
    run, encoded = _run()
    if not path:
        return
    wanted = Wanted(path, queries.strip(), encoder.strip(), run, encoded, passages=passages)
    try:
        tables = imports.tables(wanted)
        wanted = _with_columns(wanted, tables)
        _import(wanted)
    except (LensError, OSError) as error:
        notices.show("error", "This data set cannot be read", str(error))


def _run() -> tuple[str, bool]:
    """Draw the box for a run; return its file, and whether the texts are encoded as well."""
    left, right = st.columns(2, vertical_alignment="bottom")
    run = left.text_input(
        "Run file (optional)",
        key="new_run",
        placeholder="such as /data/bm25.run",
        help=RUN_HELP,
    ).strip()
    if not run:
        return "", True
    return run, not right.toggle("Do not encode the texts", key="new_no_vectors", help=WITHOUT_HELP)


def _with_columns(wanted: Wanted, tables: list[TablePreview]) -> Wanted:
    """Draw the tables with their columns; return the data set with the columns that are chosen."""
    if not tables:
        notices.show("info", *PAGES)
    columns: dict[str, str] = {}
    for number, table in enumerate(tables):
        st.subheader(f"{table.kind.capitalize()}: {table.name}", anchor=False)
        st.caption(MAPPING)
        columns |= _choose_columns(table, number)
        rows = pd.DataFrame([{n: str(r.get(n, "")) for n in table.names} for r in table.rows])
        st.dataframe(rows, hide_index=True, height="content")
    return replace(wanted, columns=columns)


def _choose_columns(table: TablePreview, number: int) -> dict[str, str]:
    """Draw one choice per role; return the roles whose column is not the guessed one."""
    changed = {}
    roles = ROLES[table.kind]
    for role, place in zip(roles, st.columns(len(roles)), strict=True):
        guess = table.columns.get(role, NONE)
        options = [NONE, *table.names]
        chosen = place.selectbox(
            role, options, index=options.index(guess), key=f"new_{number}_{table.name}_{role}"
        )
        if chosen != guess:
            changed[role] = "" if chosen == NONE else chosen
    return changed


def _import(wanted: Wanted) -> None:
    """Draw the button that imports the data set, and the progress; open it once it is there."""
    job, waits = imports.job(wanted)
    name = imports.registered(wanted)
    if job is None and name is not None:
        if state.current().data == name:
            judged = bool(catalog.dataset(name).splits)
            notices.show("good", f"“{name}” was added", JUDGED if judged else UNJUDGED)
            if judged and st.button("Open Failures", key="new_failures", type="primary"):
                navigation.go("failures")
            return
        notices.show("good", f"“{name}” is ready", "Open it to see what was read of it.")
        st.button(f"Show “{name}”", key="new_open", type="primary", on_click=_open, args=(name,))
        return
    if job is None and (replaced := imports.replaced(wanted)):
        notices.show("warning", f"This replaces “{replaced}”", REPLACED)
    progress_panel.show(
        _panel(), job, waits, lambda: imports.wait(wanted), lambda: imports.leave(wanted)
    )


def _open(name: str) -> None:
    # another data set has other queries, and may need another adapter
    state.update(data=name, query="", text="", document="")


def _panel() -> Panel[ImportJob]:
    return Panel(
        missing=None,
        start=Button("Import", "new_import"),
        failed="The data set could not be imported",
        again=Button("Try again", "new_again"),
        elsewhere=lambda job: (
            "Another session is importing this data set",
            f"{job.done:,} of {job.total:,} {job.label or 'files'} are done.",
        ),
        join=Button("Wait for it", "new_join"),
        progress=lambda job: (
            f"Encoding {job.label}: {job.done:,} of {job.total:,}. You can use other pages."
            if job.label
            else "Reading the files …"
        ),
        stop=Button("Stop", "new_stop", "What is encoded is kept: import it again to continue."),
        seconds=POLL_SECONDS,
    )
