"""Texts with marked words, small tables, and lists of facts. All are shown as plain text."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from imrnns_core.explanation.word_drops import WordDrops
from imrnns_core.reporting.html import marked_html, table_html
from imrnns_core.reporting.templates import MARK_CSS
from imrnns_core.types import FloatArray, Side


def sides() -> Iterator[tuple[Side, DeltaGenerator]]:
    """Yield the two sides of a pair, each with its column of the page."""
    left, right = st.columns([3, 2])
    yield "document", left
    yield "query", right


def marked(drops: WordDrops, values: FloatArray, key: str) -> None:
    """Draw the text with its W words marked by values (W,)."""
    with st.container(border=True, key=key):
        # the text scrolls, so the keyboard must be able to reach it
        st.html(
            f"<style>{MARK_CSS}</style><div tabindex='0' class='marked-text'>"
            f"{marked_html(drops, values)}</div>"
        )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], key: str) -> None:
    """Draw a small table that needs no scrolling. All cells are formatted texts."""
    with st.container(key=key):
        st.html(f"<div class='small-table'>{table_html(head, rows)}</div>")


def facts(rows: Sequence[tuple[str, str]], key: str) -> None:
    """Draw a name and a text in each row; their style is in `shell/page.css`."""
    shown = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(text)}</td></tr>'
        for name, text in rows
    )
    with st.container(key=key):
        st.html(f'<table class="facts">{shown}</table>')
