"""Texts with their explaining words marked, and small tables: letter by letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from imrnns_core.explanation.word_drops import WordDrops
from imrnns_core.reporting.html import MARK_CSS, marked_html, table_html
from imrnns_core.types import FloatArray, Side


def sides() -> Iterator[tuple[Side, DeltaGenerator]]:
    """Yield both texts of a pair, each with its column."""
    left, right = st.columns([3, 2])
    yield "document", left
    yield "query", right


def marked(drops: WordDrops, values: FloatArray, key: str) -> None:
    """Draw the text with its words marked by values (W,); nothing in the text is interpreted."""
    with st.container(border=True, key=key):
        st.html(
            f"<style>{MARK_CSS}</style><div tabindex='0' class='marked-text'>"
            f"{marked_html(drops, values)}</div>"
        )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], key: str) -> None:
    """Draw a small table that can be read without scrolling in it; numbers come formatted."""
    with st.container(key=key):
        st.html(f"<div class='small-table'>{table_html(head, rows)}</div>")
