"""What stands on the page until the first one can be drawn, and the look of all pages."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import theme
from dashboard.widgets.plotly_chart import component as plotly_chart

PAGE_CSS = Path(__file__).with_name("page.css")
_OPENED = "opened"


def style() -> None:
    """Give the page its style sheet, with the colours as variables."""
    st.html(f"<style>{theme.css_variables(':root')}{PAGE_CSS.read_text('utf-8')}</style>")


def show() -> DeltaGenerator:
    """Say that the engine is loading.

    Meanwhile the browser loads its code for charts and tables: both take seconds, and neither needs
    the other. Returns the place that is to be emptied once the engine is there.
    """
    place = st.empty()
    if _OPENED not in st.session_state:
        st.session_state[_OPENED] = True
        with place.container(key="opening"):
            st.caption("Loading the engine …")
            plotly_chart.show('{"data": [{}], "layout": {}}', 100, "opening_chart", {})
            st.dataframe({"": []}, key="opening_table")
    return place
