"""A list of facts: a name and a text in each row. All texts are shown as plain text."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st


def show(facts: Sequence[tuple[str, str]], key: str) -> None:
    """Draw the facts; their style is in `shell/page.css`."""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(text)}</td></tr>'
        for name, text in facts
    )
    with st.container(key=key):
        st.html(f'<table class="facts">{rows}</table>')
