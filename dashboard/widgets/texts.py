"""Texts with their explaining words marked, and small tables: letter by letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from imrnns_core.explanation.word_attribution import WordDrops
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
            f"<style>{MARK_CSS}</style><div tabindex='0' "
            f"style='max-height:24rem;overflow-y:auto'>{marked_html(drops, values)}</div>"
        )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], key: str) -> None:
    """Draw a small table that can be read without scrolling in it; numbers come formatted."""
    with st.container(key=key):
        st.html(
            f"<style>{_TABLE_CSS}</style><div class='small-table'>{table_html(head, rows)}</div>"
        )


_TABLE_CSS = """
.small-table { overflow-x: auto; } .small-table table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.small-table td, .small-table th { text-align: right; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); font-weight: 400; }
.small-table th { opacity: .8; font-size: .87em; } .small-table td:first-child, .small-table th:first-child { text-align: left; }
@media (max-width: 700px) { .small-table { font-size: .85em; } .small-table td, .small-table th { padding-right: .5rem; } }
"""
