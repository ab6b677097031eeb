"""Who is logged in, in the sidebar, and the button that logs out."""

from __future__ import annotations

import html

import streamlit as st

from dashboard import access


def show() -> None:
    """Draw the name and the role of the user; nothing if nobody has to log in."""
    user = access.user()
    if not user:
        return
    role = access.policy().role(user)
    st.html(f'<div class="judged-by">{html.escape(f"Logged in as {user} ({role})")}</div>')
    # a proxy logs its users out itself
    if st.user.get("is_logged_in"):
        st.button("Log out", key="log_out", on_click=st.logout)
