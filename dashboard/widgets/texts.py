"""Texts with marked words, small tables, and lists of facts. All are shown as plain text."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from imrnns_core.explanation.word_drops import WordDrops
from imrnns_core.reporting.html import marked_html, table_html
from imrnns_core.reporting.templates import MARK_CSS
from imrnns_core.types import FloatArray, Side

LEGEND = (
    '<div class="marked groups" data-legend="words">'
    '<span><mark class="up" style="--share:1">solid green</mark> raises the {value}</span>'
    '<span><mark class="down" style="--share:1">dotted orange</mark> lowers the {value}</span>'
    "<span>1–5: the strongest words</span>"
    '<span><span class="unread">struck through</span> not read by the encoder</span>'
    "</div>"
)


def sides() -> Iterator[tuple[Side, DeltaGenerator]]:
    """Yield the two sides of a pair, each with its column of the page."""
    left, right = st.columns([3, 2])
    yield "document", left
    yield "query", right


def target_name() -> str:
    """Return the name of the target: the score change, the modulated score or the base score."""
    if not state.has_adapter():
        return "base score"
    return "score change" if state.target() == "change" else "modulated score"


def mark_legend() -> None:
    """Draw what the marks of `marked` mean."""
    st.html(f"<style>{MARK_CSS}</style>{LEGEND.format(value=target_name())}")


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
