"""What a page lacks: an adapter, or the vectors that a run does not have."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import catalog
from dashboard.widgets import notices
from imrnns_core.config import EncoderSpec

TRAIN = "Train one on the page Adapters, or with `imrnns-lens train DATA --out NAME.safetensors`."
CHOOSE = "Choose “Encoder” as the base in the sidebar."
ENCODE = "This data set has none; make them with: imrnns-lens prepare {} --encoder {}"


def show(adds: str) -> None:
    """Draw one sentence about what an adapter would add, and how to train one.

    Nothing is drawn if an adapter is chosen, or if the base is a run: adapters need vectors.
    """
    if not state.has_adapter() and not state.current().run:
        with st.container(key="adapter_hint"):
            st.caption(f"An adapter would add {adds}. {TRAIN}")


def needs_vectors(what: str) -> bool:
    """Say that the page needs vectors, and how to get them, if the base is a run.

    Args:
        what: What needs vectors, as the subject of a sentence in the singular.
    """
    selection = state.current()
    if not selection.run:
        return False
    has_vectors = catalog.collection(selection.data).has_vectors
    notices.show(
        "info",
        f"{what} needs vectors, and the run “{selection.run}” has none",
        CHOOSE if has_vectors else ENCODE.format(selection.data, EncoderSpec().name),
    )
    return True
