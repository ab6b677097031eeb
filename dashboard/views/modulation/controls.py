"""The choices of the page: which chart, which values, and how rows and columns are sorted."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard import selection, state

PARTS = {
    "documents moved": "Document modulation",
    "query refined": "Query refinement",
    "score accounting": "Score breakdown",
}
ORDERS = {
    "modulated rank": "Modulated rank",
    "base rank": "Base rank",
    "cluster": "Similar rows",
}
ORDER_HELP = "Similar rows: documents that are modulated in a similar way are neighbours."
SHIFTS = {"query-specific": "Difference from average", "whole": "Full values"}
SHIFT_HELP = (
    "Most of a shift is the same for all queries. “Difference from average” subtracts the "
    "adapter’s average over many queries and shows what is special about this one."
)
WIDTHS = {"top 40": "40 strongest", "all": "All"}
COLUMNS = {"strength": "Strength", "cluster": "Similar columns", "sign": "Mean value"}
COLUMNS_HELP = (
    "Strength: largest mean |value| first. Similar columns: dimensions with similar "
    "values are neighbours. Mean value: largest first, from + to −."
)


def show() -> None:
    """Draw the choices that the selected chart has."""
    with st.container(horizontal=True, gap="medium"):
        _choice("Chart", "part", PARTS, wrap=True)
        _choice("Sort documents by", "order", ORDERS, ORDER_HELP)
        if state.current().part == "score accounting":
            return
        if state.current().part != "query refined":
            _choice("Values", "shift", SHIFTS, SHIFT_HELP)
        _choice("Dimensions", "width", WIDTHS)
        _choice("Sort dimensions by", "columns", COLUMNS, COLUMNS_HELP)


def _choice(
    label: str,
    field: str,
    names: Mapping[str, str],
    help_text: str | None = None,
    wrap: bool | None = None,
) -> None:
    # links keep the values of the Selection; only their labels are for readers
    st.segmented_control(
        label,
        selection.options(field),
        format_func=lambda value: names[value],
        required=True,
        help=help_text,
        wrap=wrap,
        **state.bound(field),
    )
