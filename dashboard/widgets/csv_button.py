"""The button that saves a table as a CSV file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
import streamlit as st

from dashboard.formatting import download_name

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet runs a text that starts with one of these as a formula."""


def show(
    frame: Callable[[], pd.DataFrame],
    file: str,
    key: str,
    width: Literal["content", "stretch"] = "content",
) -> None:
    """Draw the button. `frame` is called when the reader clicks."""
    st.download_button(
        "Download CSV",
        lambda: to_csv(frame()),
        download_name(file),
        "text/csv",
        # a download changes nothing on the page, so the page does not run again
        on_click="ignore",
        key=key,
        width=width,
    )


def to_csv(frame: pd.DataFrame) -> str:
    """Return a table as CSV.

    Texts that a spreadsheet would run get a leading apostrophe. Numbers stay numbers.
    """
    # a negative number also starts with “-”, but is no formula
    texts = frame.select_dtypes(exclude="number").columns
    guarded = frame.assign(**{name: frame[name].map(_quoted) for name in texts})
    # pandas quotes only texts that contain a character of the line end: name both
    return guarded.to_csv(index=False, lineterminator="\r\n")


def _quoted(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
