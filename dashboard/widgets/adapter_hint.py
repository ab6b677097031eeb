"""Without an adapter: what an adapter would add to a page, and how to train one."""

from __future__ import annotations

import streamlit as st

from dashboard import state

TRAIN = "Train one on the page Adapters, or with `imrnns-lens train DATA --out NAME.safetensors`."


def show(adds: str) -> None:
    """Draw one sentence about what an adapter would add, and how to train one.

    Nothing is drawn if an adapter is chosen.
    """
    if not state.has_adapter():
        with st.container(key="adapter_hint"):
            st.caption(f"An adapter would add {adds}. {TRAIN}")
