"""What the page draws, and in which order."""

from __future__ import annotations

import streamlit as st

from dashboard import selection, state

ORDER_HELP = "Cluster: documents that moved alike stand together."
SHIFT_HELP = (
    "Query-specific: less the adapter’s mean over many queries, without which every query looks "
    "alike."
)
COLUMNS_HELP = (
    "Strength: the largest mean |value| first. Cluster: dimensions that behave alike stand "
    "together. Sign: those that rise most, to those that fall most."
)


def show() -> None:
    """Draw the choices that the chosen part has."""
    with st.container(horizontal=True, gap="medium"):
        _choice("Show", "part", wrap=True)
        _choice("Rows by", "order", ORDER_HELP)
        if state.current().part == "score accounting":
            return
        if state.current().part != "query refined":
            _choice("Shift", "shift", SHIFT_HELP)
        _choice("Dimensions", "width")
        _choice("Columns by", "columns", COLUMNS_HELP)


def _choice(label: str, field: str, help_text: str | None = None, wrap: bool | None = None) -> None:
    st.segmented_control(
        label,
        selection.options(field),
        required=True,
        help=help_text,
        wrap=wrap,
        **state.bound(field),
    )
