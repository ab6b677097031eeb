"""Adapters: train one, compare two, and see what is known about each."""

from __future__ import annotations

from dashboard.views.adapters import cards, files, side_by_side, train
from dashboard.widgets import notices

QUESTION = "Which adapter is best for this data set?"
READING = (
    "Train an adapter on the open data set, or import one. Then compare it with another adapter, "
    "or with the base ranking, and open the queries that differ."
)


def show() -> None:
    """Draw the page."""
    notices.heading(QUESTION, READING)
    train.show()
    side_by_side.show()
    cards.show()
    files.show_import()
