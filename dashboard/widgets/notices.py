"""Boxes for empty states, warnings and errors. Their style is in `shell/page.css`.

Their texts are shown as plain text, whatever they contain.
"""

from __future__ import annotations

import html
from typing import Literal

import streamlit as st

from dashboard.formatting import without_folders

LONG = 300
"""Longer titles may need scrolling, so the keyboard must be able to reach them."""


def show(kind: Literal["error", "warning", "info", "good"], title: str, text: str = "") -> None:
    """Draw a box with a bold title and a sentence, without the folders of this machine."""
    text = without_folders(text)
    # screen readers announce an alert at once: too much for a hint
    role = "alert" if kind == "error" else "note"
    st.html(
        f'<div role="{role}" class="notice {kind}"><strong>{html.escape(title)}</strong>'
        f"{'<br>' if text else ''}{html.escape(text).replace(chr(10), '<br>')}</div>"
    )


def answer(
    kind: Literal["warning", "info", "good"], question: str, verdict: str, figures: str
) -> None:
    """Draw a question, its short answer in bold, and the figures behind the answer."""
    st.html(
        f'<div role="note" class="answer {kind}">'
        f'<div class="answer-question">{html.escape(question)}</div>'
        f'<div class="answer-verdict">{html.escape(verdict)}</div>'
        f'<div class="answer-figures">{html.escape(figures)}</div></div>'
    )


def heading(question: str, reading: str) -> None:
    """Draw the question of a page, and how to read it. `script.py` draws the title above.

    Both texts are our own and may contain Markdown.
    """
    st.caption(f"**{question}** {reading}")


def text_block(title: str, text: str, small: str = "") -> None:
    """Draw a text of the data as plain text.

    HTML, Markdown, LaTeX and directives in it are not interpreted.
    """
    # a scrollable block without a focus cannot be read with the keyboard
    focus = ' tabindex="0"' if len(title) > LONG else ""
    st.html(
        f'<div class="document-text">'
        f'<div{focus} class="document-text-title">{html.escape(title)}</div>'
        f'<div class="document-text-small">{html.escape(small)}</div>'
        f'<div tabindex="0" class="document-text-body">{html.escape(text)}</div></div>'
    )
