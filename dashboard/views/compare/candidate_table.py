"""The table of all candidates of the query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formatting
from dashboard.widgets import csv_button, tables
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import STAGES

TITLE_WIDTH = 124
ID_WIDTHS = (96, 186)
"""The smallest and the largest width of the column of ids.

With the largest one, the table fits into a window of 1440 pixels.
"""
LETTER = 6.8
"""Width of a letter in pixels."""
CHANGE = "rank change"
READING = (
    "Ranks at the four stages, then scores: base, projected (proj.), document-modulated (doc.) and "
    "modulated (mod.). Change is base rank − modulated rank; + means that the adapter promoted the "
    "document. Click a column header to sort."
)
ORDER = [
    "title",
    *(f"{stage} rank" for stage in STAGES),
    CHANGE,
    "relevance",
    *(f"{stage} score" for stage in STAGES),
    "document",
]


def show(comparison: Comparison, dataset: Dataset) -> None:
    """Draw the table and a button that downloads it."""
    frame = _frame(comparison, dataset)
    st.header("All candidates", anchor=False)
    st.caption(READING)
    drawn = frame.assign(title=[formatting.cell(title, TITLE_WIDTH) for title in frame["title"]])
    scores = [f"{stage} score" for stage in STAGES]
    # the format of a column would write a hyphen for minus
    styles: dict[Any, Callable[[Any], str]] = {
        CHANGE: lambda rise: formatting.minus(f"{rise:+d}" if rise else "0"),
        **dict.fromkeys(scores, formatting.decimal),
    }
    st.dataframe(
        drawn.style.format(styles),  # type: ignore[arg-type]  # its stubs want `object`
        hide_index=True,
        height=tables.table_height(len(frame), 420),
        row_height=tables.TABLE_ROW,
        column_config=_columns(_id_width(comparison.document_ids)),
        column_order=ORDER,
        key="candidates",
    )
    # not `drawn`: the file has whole titles
    csv_button.show(lambda: frame, f"{comparison.query.id or 'query'}.csv", "csv")


def _frame(comparison: Comparison, dataset: Dataset) -> pd.DataFrame:
    ids = comparison.document_ids
    columns: dict[str, Any] = {
        "document": ids,
        "title": [dataset.document[i].title for i in ids],
        "relevance": [formatting.graded(int(g)) for g in comparison.relevance],
        **{f"{stage} rank": comparison.rank(stage) for stage in STAGES},
        CHANGE: comparison.rank("base") - comparison.rank("modulated"),
        **{f"{stage} score": comparison.score(stage) for stage in STAGES},
    }
    return pd.DataFrame(columns).sort_values("modulated rank")


def _id_width(ids: Sequence[str]) -> int:
    # the table breaks an id that is wider than its column within a word
    width = 16 + LETTER * max(map(len, ids), default=0)
    return int(min(max(width, ID_WIDTHS[0]), ID_WIDTHS[1]))


def _columns(id_width: int) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "title": st.column_config.TextColumn(width=TITLE_WIDTH),
        "document": st.column_config.TextColumn(width=id_width),
        "relevance": st.column_config.TextColumn(width=96),
        CHANGE: st.column_config.NumberColumn(
            "change", width=72, help="Base rank − modulated rank."
        ),
    }
    for stage, short in zip(STAGES, formatting.STAGE_HEADS, strict=True):
        columns[f"{stage} rank"] = st.column_config.NumberColumn(
            short, width=48, help=f"Rank at the stage “{stage}”."
        )
        columns[f"{stage} score"] = st.column_config.NumberColumn(
            f"{short} score", width=84, help=f"Cosine at the stage “{stage}”."
        )
    return columns
