"""The table of queries; a row opens in Compare."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dashboard import formatting, navigation
from dashboard.views.failures.frames import CHANGE
from dashboard.widgets import csv_button
from dashboard.widgets.row_table import component as row_table
from dashboard.widgets.row_table.component import Column
from imrnns_core.evaluation.seen import MEANINGS
from imrnns_core.reporting.causes import WHEN_SHOWN
from imrnns_core.types import STAGES

COLUMNS: dict[str, Column] = {
    "outcome": Column(
        "Outcome",
        "How the ranking of the query ends, or how the adapter changes it. The legend below "
        "explains each outcome.",
    ),
    "id": Column("Id", "Id of the query."),
    "query": Column("Query", wide=True),
    **{
        stage: Column(
            heading.capitalize(),
            f"Rank of the best relevant document at the stage “{stage}”.",
            numeric=True,
        )
        for stage, heading in zip(STAGES, formatting.STAGE_HEADS, strict=True)
    },
    CHANGE: Column("nDCG change", "nDCG@10, modulated − base ranking.", numeric=True),
    "cause": Column("Cause", WHEN_SHOWN, wide=True),
    "remedy": Column(
        "Remedy",
        "The remedy that shows a cause and gives the best rank: its name, and the rank of the best "
        "relevant document in the base ranking and with it. Compare has all remedies.",
        wide=True,
    ),
    "BM25": Column("BM25", "Rank of the best relevant document with BM25.", numeric=True),
    "group": Column(
        "Training",
        "How training used the query’s relevant documents. "
        + " ".join(f"{group.capitalize()}: {meaning}." for group, meaning in MEANINGS.items()),
    ),
    "overlap": Column(
        "Overlap",
        "Rank-biased overlap (p = 0.9) of the two rankings. "
        "1: both are the same. Overview names the lowest possible value.",
        numeric=True,
    ),
}
"""Columns whose heading differs from the name in the download, or that need an explanation."""
FIRST = ("outcome", "query", "id", "overlap", *STAGES, CHANGE, "cause", "remedy")
"""The columns on the left; the others follow in the order of the frame."""


def show(frame: pd.DataFrame, file: str, hidden: tuple[str, ...] = ()) -> None:
    """Draw the rows, and a download that has all columns."""
    # what a reader needs first must be visible without sideways scrolling
    names = sorted((c for c in frame.columns if c not in hidden), key=_position)
    cells = zip(*(_texts(frame[name], name) for name in names), strict=True)
    opened = row_table.show(
        [_column(name, frame[name]) for name in names],
        list(zip(frame["id"].map(str), cells, strict=True)),
        "Queries",
        "failures",
    )
    csv_button.show(lambda: frame, file, "csv")
    # last, because leaving the page ends the run
    if opened:
        navigation.go_to_query(opened.id, opened.order)


def _position(column: str) -> int:
    return FIRST.index(column) if column in FIRST else len(FIRST)


def _column(name: str, values: pd.Series[Any]) -> Column:
    is_number = pd.api.types.is_numeric_dtype(values)
    return COLUMNS.get(name) or Column(name[0].upper() + name[1:], numeric=is_number)


def _texts(values: pd.Series[Any], name: str) -> list[str]:
    # the table sorts “—” last in both directions
    return ["—" if pd.isna(value) else _text(value, name) for value in values]


def _text(value: Any, name: str) -> str:
    if isinstance(value, float):
        return formatting.signed(value) if name == CHANGE else formatting.decimal(value)
    return str(value)
