"""Queries that are documents of the corpus themselves, and whether these documents are ranked."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.formatting import count
from dashboard.services.data_sets import listing
from dashboard.views.data.report import height
from dashboard.widgets import csv_button, notices, role_note
from imrnns_core.data.dataset import Dataset
from imrnns_core.errors import LensError

TITLE = "Queries that are in the corpus"
SAME = "{} also in the corpus: a document has the same id and the same text. "
LEFT_OUT = (
    "This document is no answer to its query, so it is left out: it is in no ranking of its query, "
    "its judgment for the query does not count, and training does not use it for the query."
)
KEPT = "You chose to keep these documents in the rankings of their queries."
CHANCE = "{} the id of a document, but another text. Such a document stays in the rankings."
BUTTON_HELP = "The choice belongs to the data set: it holds for all pages, commands and links."


def show(dataset: Dataset, data: str) -> None:
    """Draw the section, if a query has the id of a document."""
    own = dataset.own_documents
    if not own.rows and not own.other_text:
        return
    st.subheader(TITLE, anchor=False)
    if own.other_text:
        st.caption(CHANCE.format(count(len(own.other_text), "query has", "queries have")))
    if not own.rows:
        return
    same = SAME.format(count(len(own.rows), "query is", "queries are"))
    st.caption(same + (KEPT if dataset.keep_own else LEFT_OUT))
    _switch(dataset, data)
    frame = pd.DataFrame(
        {"query": list(own.rows), "text": [dataset.queries[q].text for q in own.rows]}
    )
    st.dataframe(frame, hide_index=True, height=height(len(frame)))
    csv_button.show(lambda: frame, f"{data}-queries-in-corpus.csv", "csv_own")


def _switch(dataset: Dataset, data: str) -> None:
    label = "Leave them out" if dataset.keep_own else "Keep them in the rankings"
    locked = role_note.refuses("This choice")
    if not st.button(label, key="keep_own", help=BUTTON_HELP, disabled=locked):
        return
    try:
        listing.set_keep_own(data, not dataset.keep_own)
    except (LensError, OSError) as error:
        notices.show("error", "This choice could not be stored", str(error))
        return
    st.rerun()
