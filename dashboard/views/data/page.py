"""Data: add a data set, and see what was read of the one that is open."""

from __future__ import annotations

from dashboard import state
from dashboard.services import catalog
from dashboard.views.data import add, data_sets, own_documents, report, runs
from dashboard.widgets import notices

QUESTION = "What was read, and what is missing?"
READING = (
    "Add a data set of your own. Below: which records of the chosen data set were read, changed or "
    "rejected, and which documents are too long for the encoder."
)


def show() -> None:
    """Draw the page."""
    notices.heading(QUESTION, READING)
    add.show()
    data_sets.show()
    runs.show()
    report.show()
    data = state.current().data
    own_documents.show(catalog.dataset(data), data)
