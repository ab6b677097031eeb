"""The table of queries, of which a ticked one opens in Compare."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formatting, navigation
from dashboard.widgets import csv_button, tables
from imrnns_core.types import STAGES

QUERY_WIDTH = 284
FIRST = ("outcome", "base", "modulated", "overlap", "query")
"""Columns that are seen on a phone; of the last one its beginning."""


def show(frame: pd.DataFrame, file: str, hidden: tuple[str, ...]) -> None:
    """Draw the rows with their download, which has all columns."""
    drawn = frame.assign(query=[formatting.cell(query, QUERY_WIDTH) for query in frame["query"]])
    if "outcome" in drawn:
        drawn["outcome"] = drawn["outcome"].str.replace(r" in .*", "", regex=True)
    event = st.dataframe(
        drawn,
        hide_index=True,
        height=tables.table_height(len(frame), 680),
        row_height=tables.TABLE_ROW,
        on_select="rerun",
        selection_mode="single-row",
        key="failures",
        placeholder="—",
        column_order=[c for c in sorted(frame.columns, key=_place) if c not in hidden],
        column_config=_columns(),
    )
    csv_button.show(lambda: frame, file, "csv")
    if event.selection.rows:
        navigation.go_to_query(str(frame["id"].iloc[event.selection.rows[0]]))


def _place(column: str) -> int:
    return FIRST.index(column) if column in FIRST else len(FIRST)


def _columns() -> dict[str, Any]:
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    stages: dict[str, Any] = {
        stage: number(short, width=46, help=f"Best relevant rank at the stage: {stage}.")
        for stage, short in zip(STAGES, formatting.STAGE_HEADS, strict=True)
    }
    return {
        "query": text(width=QUERY_WIDTH),
        "outcome": text(width=96, help="✕ failing in the ranking, ∅ in the pool."),
        "why": text(
            width=194,
            help="Known causes whose signs are here; Compare shows each with its figures.",
        ),
        "ΔnDCG@10": number("ΔnDCG", format="%+.3f", width=62, help="Modulated − base nDCG@10."),
        **stages,
        "BM25": number(width=54, help="Best relevant rank by BM25, the lexical baseline."),
        "group": text(
            width=62, help="Seen: one of its relevant documents was a training positive."
        ),
        "overlap": number(format="%.4f", width=76, help="Rank-biased overlap, p = 0.9."),
    }
