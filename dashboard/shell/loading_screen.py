"""What stands on the page until the first one can be drawn."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.widgets.plotly_chart import component as plotly_chart

_OPENED = "opened"


def show() -> DeltaGenerator:
    """Say that the engine is loading, and let the browser load its code for charts and tables meanwhile.

    Both take seconds, and neither needs the other. Returns the place that is to be emptied once the engine is there.
    """
    place = st.empty()
    if _OPENED not in st.session_state:
        st.session_state[_OPENED] = True
        with place.container(key="opening"):
            st.caption("Loading the engine …")
            st.html(
                "<style>.st-key-opening > :not(:first-child) { position: absolute; visibility: "
                "hidden; }</style>"
            )
            plotly_chart.show('{"data": [{}], "layout": {}}', 100, "opening_chart", {})
            st.dataframe({"": []}, key="opening_table")
    return place
