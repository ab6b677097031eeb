"""What was read from the files of the data set, and which of its documents are not read whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.formatting import count
from dashboard.services import catalog
from dashboard.services.computation import Computation
from dashboard.services.data_sets import counts
from dashboard.widgets import csv_button, notices, progress_panel
from dashboard.widgets.tables import with_thousands
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.import_report import FileReport
from imrnns_core.encoding.lengths import Lengths
from imrnns_core.reporting import import_lines
from imrnns_core.reporting.formatting import SIMILARITIES
from imrnns_core.retrieval.passages import Passages
from imrnns_core.types import IntArray

MOST_ROWS = 1000
"""Rows of a table that the page shows; its file has all."""
MOST = 340
"""Largest height of a table in pixels; longer ones scroll."""
IRREGULAR = "Irregular records"
IRREGULAR_HELP = (
    "Kept: read as it is. Changed: read after the change that is named. Rejected: not read. First "
    "line: where the first such record is. JSON arrays and Parquet files have no lines; there it "
    "is the number of the record."
)
ALL_REGULAR = ("All records are regular", "Nothing was changed or rejected.")
CUT = "Documents that are not read whole"
SPLIT = "Documents that are split"
CUT_READING = "The encoder reads the first {} tokens of a document (title and text). {}. "
NOT_READ = (
    "{} of all tokens are not read. They have no influence on the embedding, so a query about them "
    "can fail. To rank these documents by their best passage, add the data set again with “Split "
    "long documents”, or run prepare with --passages."
)
SPLIT_READING = (
    "Longer documents are split into {}, and ranked by their best passage: the one with the "
    "highest base score."
)
UNKNOWN_CUT = "The endpoint of the encoder does not say how much of a text it reads."
NO_VECTORS = "It has no vectors: only runs rank its documents."
UNREAD_CUT = "No encoder reads the documents: this data set has no vectors."
COPIES = "Near copies"
COPIES_READING = (
    "{} in {} of near copies: they share most of their wording, such as versions of a page or "
    "filled-in forms. If a query is about what they share, the right one may not be ranked first."
)
NO_COPIES = "No document is a near copy of another one."
NOT_COUNTED = "The tokens could not be counted"
NOT_COMPARED = "The documents could not be compared"


def show() -> None:
    """Draw the section."""
    data = state.current().data
    dataset = catalog.dataset(data)
    st.header(f"What was read: {data}", anchor=False)
    splits = ", ".join(f"{name} ({len(qrels):,})" for name, qrels in dataset.splits.items())
    collection = catalog.collection(data)
    similarity = f"Documents are ranked by {SIMILARITIES[collection.similarity]}."
    st.caption(
        f"{count(len(dataset.documents), 'document', 'documents')}, "
        f"{count(len(dataset.queries), 'query', 'queries')}, judged queries per split: "
        f"{splits or 'none'}. {similarity if collection.has_vectors else NO_VECTORS}"
    )
    _files(dataset, data)
    _irregular(dataset, data)
    # both are counted in the background, so they start before the page waits for one of them
    lengths = counts.lengths(data) if collection.has_vectors else None
    groups = counts.near_copies(data)
    _cut(dataset, lengths, collection.passages, data)
    _copies(dataset, groups, data)


def shown_path(path: str, root: Path) -> str:
    """Return the path of a file inside its data set, or the name of one beside it."""
    file = Path(path)
    return str(file.relative_to(root)) if file != root and file.is_relative_to(root) else file.name


def _files(dataset: Dataset, data: str) -> None:
    report = dataset.report
    frame = pd.DataFrame(
        [
            {
                "file": shown_path(file.path, dataset.path),
                "contains": file.kind,
                "records": file.records,
                "read": file.read,
                "rejected": file.rejected,
                "columns": import_lines.columns(file),
                "remarks": "; ".join(file.remarks),
            }
            for file in report.files
        ]
    )
    if not frame["remarks"].any():
        frame = frame.drop(columns="remarks")
    st.dataframe(with_thousands(frame), hide_index=True, height="content")
    csv_button.show(lambda: frame, f"{data}-files.csv", "csv_files")
    if report.ignored:
        with st.expander(
            f"Files not read as documents, queries or judgments ({len(report.ignored):,})"
        ):
            ignored = pd.DataFrame(report.ignored.items(), columns=["file", "why not"])
            st.dataframe(ignored, hide_index=True, height=height(len(ignored)))


def _irregular(dataset: Dataset, data: str) -> None:
    st.subheader(IRREGULAR, anchor=False, help=IRREGULAR_HELP)
    frame = irregular_frame(dataset.report.files, dataset.path)
    if frame.empty:
        notices.show("good", *ALL_REGULAR)
        return
    with st.container(key="irregular"):
        st.dataframe(with_thousands(frame), hide_index=True, height="content")
    csv_button.show(lambda: frame, f"{data}-irregular.csv", "csv_irregular")


def irregular_frame(files: tuple[FileReport, ...], root: Path) -> pd.DataFrame:
    """Return one row per file and kind of irregularity."""
    return pd.DataFrame(
        [
            {
                "records": kind.count,
                "what became of them": kind.action,
                "problem": kind.problem,
                "file": shown_path(file.path, root),
                "first line": kind.line,
                "example": kind.example,
            }
            for file in files
            for kind in file.irregularities
        ]
    )


def _cut(
    dataset: Dataset, counted: Computation[Lengths] | None, passages: Passages | None, data: str
) -> None:
    st.subheader(CUT if passages is None else SPLIT, anchor=False)
    if counted is None:
        st.caption(UNREAD_CUT)
        return
    lengths = progress_panel.await_result(counted, NOT_COUNTED, "count_again")
    if lengths is None:
        return
    if not lengths.is_known:
        st.caption(UNKNOWN_CUT)
        return
    cut = lengths.cut
    share = _percent(len(cut) / max(1, len(lengths.tokens)))
    longer = f"{count(len(cut), 'document is', 'documents are')} longer ({share})"
    reading = CUT_READING.format(f"{lengths.limit:,}", longer)
    if passages is not None:
        split = count(len(passages.rows), "passage", "passages")
        st.caption(reading + SPLIT_READING.format(split))
    else:
        not_read = NOT_READ.format(_percent(lengths.share_not_read)) if len(cut) else ""
        st.caption(reading + not_read)
    order = cut[np.argsort(-lengths.tokens[cut], kind="stable")]

    def frame(rows: IntArray) -> pd.DataFrame:
        documents = [dataset.documents[row] for row in rows]
        return pd.DataFrame(
            {
                "document": [document.id for document in documents],
                "title": [document.title for document in documents],
                "tokens": lengths.tokens[rows],
                **_fate(lengths, passages, rows),
            }
        )

    if len(cut):
        _first_rows(frame(order[:MOST_ROWS]), len(cut), "The longest come first.")
        csv_button.show(lambda: frame(order), f"{data}-cut.csv", "csv_cut")


def _fate(lengths: Lengths, passages: Passages | None, rows: IntArray) -> dict[str, IntArray]:
    """Return, for long documents (R,), how many tokens are not read, or the number of passages."""
    if passages is None:
        return {"not read": lengths.tokens[rows] - lengths.limit}
    return {"passages": np.bincount(passages.rows, minlength=len(lengths.tokens))[rows]}


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def _copies(dataset: Dataset, compared: Computation[IntArray], data: str) -> None:
    st.subheader(COPIES, anchor=False)
    groups = progress_panel.await_result(compared, NOT_COMPARED, "compare_again")
    if groups is None:
        return
    frame = copies_frame(dataset, groups)
    if frame.empty:
        st.caption(NO_COPIES)
        return
    number = int(frame["group"].nunique())
    st.caption(
        COPIES_READING.format(
            count(len(frame), "document", "documents"), count(number, "group", "groups")
        )
    )
    _first_rows(frame[:MOST_ROWS], len(frame), "The largest groups come first.")
    csv_button.show(lambda: frame, f"{data}-copies.csv", "csv_copies")


def copies_frame(dataset: Dataset, copies: IntArray) -> pd.DataFrame:
    """Return the documents that have near copies, by groups (N,), the largest groups first."""
    sizes = np.bincount(copies)
    order = np.argsort(-sizes, kind="stable")  # groups, the largest first
    number = np.empty_like(order)
    number[order] = np.arange(1, len(order) + 1)
    rows = np.flatnonzero(sizes[copies] > 1)
    rows = rows[np.argsort(number[copies[rows]], kind="stable")]
    documents = [dataset.documents[row] for row in rows]
    return pd.DataFrame(
        {
            "group": number[copies[rows]],
            "document": [document.id for document in documents],
            "title": [document.title for document in documents],
        }
    )


def _first_rows(frame: pd.DataFrame, total: int, order: str) -> None:
    """Draw the first rows of a table; if there are more, say so, and their order."""
    if total > len(frame):
        st.caption(f"{order} {len(frame):,} of {total:,} are shown; the CSV file has all.")
    st.dataframe(with_thousands(frame), hide_index=True, height=height(len(frame)))


def height(rows: int) -> int:
    """Return the height of a table in pixels."""
    return min(MOST, 38 + 35 * rows)
