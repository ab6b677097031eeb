"""Boxes for empty states, warnings and errors.

Their texts are shown letter by letter, whatever is in them.
"""

from __future__ import annotations

import html
from typing import Literal

import streamlit as st

_COLOURS = {"error": "#d55e00", "warning": "#b8860b", "info": "#0072b2", "good": "#009e73"}


LONG = 300
"""Titles of more characters may need scrolling, and so have to be reached by keyboard."""


def show(kind: Literal["error", "warning", "info", "good"], title: str, text: str = "") -> None:
    """Draw a box with a bold title and a sentence."""
    role = "alert" if kind == "error" else "note"
    st.html(
        f'<div role="{role}" style="border-left:4px solid '
        f"{_COLOURS[kind]};background:var(--st-secondary-background-color);"
        f'padding:.7rem 1rem;border-radius:.4rem;line-height:1.45;overflow-wrap:anywhere">'
        f"<strong>{html.escape(title)}</strong>{'<br>' if text else ''}{html.escape(text)}</div>"
    )


def answer(
    kind: Literal["warning", "info", "good"], question: str, said: str, figures: str
) -> None:
    """Draw a question with its answer and the figures behind it."""
    st.html(
        '<div role="note" class="answer" style="border-top:4px solid '
        f"{_COLOURS[kind]};background:var(--st-secondary-background-color);"
        f'padding:.55rem .9rem .7rem;border-radius:.4rem;line-height:1.4;height:100%">'
        f'<div style="font-size:.85em;opacity:.8">{html.escape(question)}</div>'
        f'<div style="font-weight:650;font-size:1.08em">{html.escape(said)}</div>'
        "<div "
        f'style="font-size:.9em;margin-top:.2rem;font-variant-numeric:tabular-nums">{html.escape(figures)}</div></div>'
    )


def heading(question: str, reading: str) -> None:
    """Draw a page's question and how to read its figure; both are texts of ours."""
    st.title(question, anchor=False)
    st.caption(reading)


def text_block(title: str, text: str, small: str = "") -> None:
    """Draw a text of the data, letter by letter.

    No HTML, Markdown, LaTeX or directive in it is interpreted.
    """
    focus = 'tabindex="0"' if len(title) > LONG else ""
    st.html(
        f'<div class="document-text" style="line-height:1.55"><div {focus} '
        f'style="font-weight:650;overflow-wrap:anywhere;max-height:6.3em;overflow-y:auto">{html.escape(title)}</div>'
        '<div style="opacity:.78;font-size:.87em;margin:.1rem 0 '
        f'.35rem;overflow-wrap:anywhere">{html.escape(small)}</div>'
        '<div tabindex="0" '
        f'style="white-space:pre-wrap;overflow-wrap:anywhere;max-height:26rem;overflow-y:auto">{html.escape(text)}</div></div>'
    )
