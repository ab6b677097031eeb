"""What a user with the role viewer reads where others can change something."""

from __future__ import annotations

import streamlit as st

from dashboard import access


def refuses(what: str) -> bool:
    """Say in one line that something needs the role editor, unless this session has it.

    Args:
        what: What needs it, as the subject of the sentence; our own text.

    Returns:
        Whether the line was drawn.
    """
    if access.may_edit():
        return False
    st.caption(access.NEEDS_EDITOR.format(what))
    return True
