"""What the signs and colours of a map mean."""

from __future__ import annotations

import html
from collections import Counter

import streamlit as st

from dashboard import state, theme

SIGNS = "★ relevant · ✕ judged not relevant · ● unjudged · ◆ the query"
BASE_PLACE = " · ○ base place"
COLOURS = {
    "movement": "Dark blue moved least, yellow most (true movement)",
    "cluster": (
        "Clusters of the projected embeddings (k-means), named by the words that set them "
        "apart (class-based TF-IDF)"
    ),
    "subject": (
        f"One colour a subject of the data set; colours repeat after {len(theme.CLUSTERS)}"
    ),
}


def show(colours: list[str], names: list[str]) -> None:
    """Say what signs and colours mean; `names` are what the colours stand for."""
    signs = SIGNS + (BASE_PLACE if state.current().view == "target" else "")
    meaning = COLOURS.get(state.current().colour)
    st.caption(f"{meaning} · {signs}" if meaning else signs)
    drawn = Counter(zip(names, colours, strict=False)).most_common()
    key = [
        f'<span><span style="color:{c}">■</span> {html.escape(n)} ({count})</span>'
        for (n, c), count in drawn
    ]
    if key:
        st.html(f'<div class="groups">{" ".join(key)}</div>')
