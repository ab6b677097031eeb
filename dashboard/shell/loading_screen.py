"""The screen before the first page can be drawn, and the style sheet of all pages."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import theme
from dashboard.widgets.plotly_chart import component as plotly_chart

PAGE_CSS = Path(__file__).with_name("page.css")
_OPENED = "opened"


def style() -> None:
    """Add the style sheet to the page, with the colours as variables."""
    st.html(f"<style>{theme.css_variables(':root')}{PAGE_CSS.read_text('utf-8')}</style>")


def show() -> DeltaGenerator:
    """Show that the engine is loading.

    Meanwhile the browser loads its code for charts and tables: both take seconds, and can happen at
    the same time. Returns the container to empty once the engine is loaded.
    """
    screen = st.empty()
    # once per session: afterwards the browser has its code and the engine is loaded
    if _OPENED not in st.session_state:
        st.session_state[_OPENED] = True
        # page.css hides all but the first element of this container
        with screen.container(key="opening"):
            st.caption("Loading the engine …")
            plotly_chart.show('{"data": [{}], "layout": {}}', 100, "opening_chart", {})
            st.dataframe({"": []}, key="opening_table")
    return screen
