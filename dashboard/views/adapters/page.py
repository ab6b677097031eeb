"""Adapters: train one, compare two, and see what is known about each."""

from __future__ import annotations

from dashboard import state
from dashboard.services import catalog
from dashboard.views.adapters import cards, files, side_by_side, stack, train
from dashboard.widgets import notices
from dashboard.widgets.adapter_hint import ENCODE
from imrnns_core.config import EncoderSpec

QUESTION = "Which adapter is best for this data set?"
READING = (
    "Train an adapter on the chosen data set, or import one. Then compare it with another adapter, "
    "or with the base ranking, and open the queries that differ."
)
NO_VECTORS = "Adapters need vectors"


def show() -> None:
    """Draw the page."""
    notices.heading(QUESTION, READING)
    data = state.current().data
    if not catalog.collection(data).has_vectors:
        notices.show("info", NO_VECTORS, ENCODE.format(data, EncoderSpec().name))
        return
    train.show()
    side_by_side.show()
    cards.show()
    stack.show()
    files.show_import()
