"""The button that saves a table for a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
import streamlit as st

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet runs a text that begins so."""


def show(
    frame: Callable[[], pd.DataFrame],
    file: str,
    key: str,
    width: Literal["content", "stretch"] = "content",
) -> None:
    """Draw the button; the table is made when it is clicked."""
    st.download_button(
        "Download CSV",
        lambda: to_csv(frame()),
        file,
        "text/csv",
        on_click="ignore",
        key=key,
        width=width,
    )


def to_csv(frame: pd.DataFrame) -> str:
    """Return a table as CSV; a text that a spreadsheet would run stands behind an apostrophe.

    Numbers stay numbers.
    """
    texts = frame.select_dtypes(exclude="number").columns
    guarded = frame.assign(**{name: frame[name].map(_quoted) for name in texts})
    return guarded.to_csv(
        index=False, lineterminator="\r\n"
    )  # so that a text with either of the two is quoted


def _quoted(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
