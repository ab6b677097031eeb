"""All candidates of the query as a table."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formatting
from dashboard.widgets import csv_button, tables
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import STAGES

TITLE_WIDTH = 144
READING = (
    "Ranks at the four stages, then scores. Rise is base rank − modulated rank: positive where the "
    "document rose. Click a column’s head to sort."
)
ORDER = [
    "title",
    *(f"{stage} rank" for stage in STAGES),
    "rise",
    "relevance",
    *(f"{stage} score" for stage in STAGES),
    "document",
]


def show(comparison: Comparison, dataset: Dataset) -> None:
    """Draw the table, with a button that saves it."""
    frame = _frame(comparison, dataset)
    st.header("All candidates", anchor=False)
    st.caption(READING)
    st.dataframe(
        frame.assign(title=[formatting.cell(title, TITLE_WIDTH) for title in frame["title"]]),
        hide_index=True,
        height=tables.table_height(len(frame), 420),
        row_height=tables.TABLE_ROW,
        column_config=_columns(),
        column_order=ORDER,
        key="candidates",
    )
    csv_button.show(lambda: frame, f"{comparison.query.id or 'query'}.csv", "csv")


def _frame(comparison: Comparison, dataset: Dataset) -> pd.DataFrame:
    ids = comparison.document_ids
    columns: dict[str, Any] = {
        "document": ids,
        "title": [dataset.document[i].title for i in ids],
        "relevance": [formatting.graded(int(g)) for g in comparison.relevance],
        **{f"{stage} rank": comparison.rank(stage) for stage in STAGES},
        "rise": comparison.rank("base") - comparison.rank("modulated"),
        **{f"{stage} score": comparison.score(stage) for stage in STAGES},
    }
    return pd.DataFrame(columns).sort_values("modulated rank")


def _columns() -> dict[str, Any]:
    columns: dict[str, Any] = {
        "title": st.column_config.TextColumn(width=TITLE_WIDTH),
        "document": st.column_config.TextColumn(width=96),
        "rise": st.column_config.NumberColumn(format="%+d", width=54),
    }
    for stage, short in zip(STAGES, formatting.STAGE_HEADS, strict=True):
        columns[f"{stage} rank"] = st.column_config.NumberColumn(
            short, width=50, help=f"Rank at the stage: {stage}."
        )
        columns[f"{stage} score"] = st.column_config.NumberColumn(
            f"{short} score", width=84, format="%.4f", help=f"Cosine at the stage: {stage}."
        )
    return columns
