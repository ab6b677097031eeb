"""A table whose rows open with a click anywhere in them, or with the Enter key.

Streamlit's own table opens a row only by its checkbox, or opens every cell that the arrow keys
cross. It also cuts long texts and replaces the name of a sorted column by an arrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st


@dataclass(frozen=True)
class Column:
    """One column of the table.

    Attributes:
        label: Its heading.
        help: What the column shows, as a tooltip of the heading.
        numeric: Whether the cells hold numbers: aligned right and sorted by value.
        wide: Whether the column takes the full width of the row on a phone.
    """

    label: str
    help: str = ""
    numeric: bool = False
    wide: bool = False


@dataclass(frozen=True)
class OpenedRow:
    """The row that was opened, and the ids of all rows in the order shown at that moment."""

    id: str
    order: tuple[str, ...]


_FILES = Path(__file__).parent
_component = st.components.v2.component(
    "imrnns_lens.row_table",
    html='<div class="frame"><table><thead></thead><tbody></tbody></table></div>',
    css=(_FILES / "table.css").read_text("utf-8"),
    js=(_FILES / "table.js").read_text("utf-8"),
)


def show(
    columns: Sequence[Column], rows: Sequence[tuple[str, Sequence[str]]], label: str, key: str
) -> OpenedRow | None:
    """Draw the table and return the row that was opened in this run, if any.

    Args:
        columns: The columns, from left to right.
        rows: Id and cells of each row. The cells are shown as plain text.
        label: Name of the table for screen readers.
        key: Key of the component.
    """
    data = {
        "columns": [vars(column) for column in columns],
        "rows": [{"id": row_id, "cells": list(cells)} for row_id, cells in rows],
        "label": label,
    }
    # the browser sends the order, too, because it sorts the rows without the server
    # a trigger: it has a value only in the run that the click starts
    result: Any = _component(key=key, data=data, on_opened_change=lambda: None)
    opened = result.opened
    return OpenedRow(str(opened["id"]), tuple(map(str, opened["order"]))) if opened else None
