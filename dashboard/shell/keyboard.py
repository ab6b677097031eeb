"""Keys on every page: `/` for the query box, `j` and `k` for the next and the previous query."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "imrnns_lens.keyboard", js=Path(__file__).with_name("keyboard.js").read_text("utf-8")
)


def show(step: Callable[[int], None], key: str = "keyboard") -> None:
    """Listen to the keys and call `step` with +1 for the next query, −1 for the previous one."""

    def pressed() -> None:
        value = st.session_state[key].step
        if value:
            step(int(value))

    _component(key=key, on_step_change=pressed)
