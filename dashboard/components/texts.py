"""A text with its explaining words marked, letter by letter."""

from __future__ import annotations

import streamlit as st

from imrnns_core.explain.report import MARK_CSS, marked_html
from imrnns_core.explain.words import WordDrops
from imrnns_core.records import FloatArray


def marked(drops: WordDrops, values: FloatArray, key: str) -> None:
    """Draw the text with its words marked by values (W,); nothing in the text is interpreted."""
    with st.container(border=True, key=key):
        st.html(f"<style>{MARK_CSS}</style><div tabindex='0' style='max-height:24rem;overflow-y:auto'>{marked_html(drops, values)}</div>")
