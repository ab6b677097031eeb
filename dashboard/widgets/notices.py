"""Boxes for empty states, warnings and errors. Their look is in `shell/page.css`.

Their texts are shown letter by letter, whatever is in them.
"""

from __future__ import annotations

import html
from typing import Literal

import streamlit as st

LONG = 300
"""Titles of more characters may need scrolling, and so have to be reached by keyboard."""


def show(kind: Literal["error", "warning", "info", "good"], title: str, text: str = "") -> None:
    """Draw a box with a bold title and a sentence."""
    role = "alert" if kind == "error" else "note"
    st.html(
        f'<div role="{role}" class="notice {kind}"><strong>{html.escape(title)}</strong>'
        f"{'<br>' if text else ''}{html.escape(text)}</div>"
    )


def answer(
    kind: Literal["warning", "info", "good"], question: str, said: str, figures: str
) -> None:
    """Draw a question with its answer and the figures behind it."""
    st.html(
        f'<div role="note" class="answer {kind}">'
        f'<div class="answer-question">{html.escape(question)}</div>'
        f'<div class="answer-said">{html.escape(said)}</div>'
        f'<div class="answer-figures">{html.escape(figures)}</div></div>'
    )


def heading(question: str, reading: str) -> None:
    """Draw a page's question and how to read its figure; both are texts of ours."""
    st.title(question, anchor=False)
    st.caption(reading)


def text_block(title: str, text: str, small: str = "") -> None:
    """Draw a text of the data, letter by letter.

    No HTML, Markdown, LaTeX or directive in it is interpreted.
    """
    focus = ' tabindex="0"' if len(title) > LONG else ""
    st.html(
        f'<div class="document-text">'
        f'<div{focus} class="document-text-title">{html.escape(title)}</div>'
        f'<div class="document-text-small">{html.escape(small)}</div>'
        f'<div tabindex="0" class="document-text-body">{html.escape(text)}</div></div>'
    )
