"""A list of documents with their ranks and how far they moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from dashboard import formatting, state
from dashboard.widgets import csv_button, tables
from imrnns_core.data.dataset import Dataset
from imrnns_core.projection.movement import true_movement
from imrnns_core.retrieval.comparison import Comparison

LISTED = 500
TITLE_WIDTH = 190
COLUMNS = [
    "title",
    "base rank",
    "modulated rank",
    "true movement",
    "relevance",
    "subject",
    "document",
]


class Listing(NamedTuple):
    """What the documents have in common, and the last part of the name of the saved file."""

    which: str
    file: str


LASSO = Listing("in the lasso", "lasso")
DRAWN = Listing("drawn", "map")


def show(comparison: Comparison, dataset: Dataset, ids: Sequence[str], listing: Listing) -> None:
    """List documents, with a button that saves all of them.

    Args:
        comparison: Has the ranks of those that are candidates.
        dataset: Their data set.
        ids: The documents.
        listing: What they are.
    """
    selection = state.current()
    title, button = st.columns([3, 2], vertical_alignment="bottom")
    plural = "" if len(ids) == 1 else "s"
    title.header(f"{len(ids)} document{plural} {listing.which}", anchor=False)
    with button:
        asked = selection.query or "query"
        csv_button.show(
            lambda: listed(comparison, dataset, ids),
            f"{selection.data}-{asked}-{selection.adapter}-{listing.file}.csv",
            "listing_csv",
            width="stretch",
        )
    if len(ids) > LISTED:
        st.caption(f"The first {LISTED} of them are listed; the CSV holds all.")
    frame = listed(comparison, dataset, ids[:LISTED])
    frame["title"] = [formatting.cell(title, TITLE_WIDTH) for title in frame["title"]]
    st.dataframe(
        frame,
        hide_index=True,
        key="listing",
        column_config=_columns(),
        height=tables.table_height(len(frame), 580),
        row_height=tables.TABLE_ROW,
    )


def _columns() -> dict[str, Any]:
    return {
        "title": st.column_config.TextColumn(width=TITLE_WIDTH),
        "base rank": st.column_config.NumberColumn(
            "base", width=58, help="Base rank; empty for documents that are no candidates."
        ),
        "modulated rank": st.column_config.NumberColumn("mod.", width=58, help="Modulated rank."),
        "true movement": st.column_config.NumberColumn(
            "moved", format="%.4f", width=76, help="True movement: cosine distance."
        ),
    }


def listed(comparison: Comparison, dataset: Dataset, ids: Sequence[str]) -> pd.DataFrame:
    """Return documents by modulated rank.

    Those of the cloud that are no candidates have no ranks.
    """
    moved = true_movement(comparison)
    base, modulated = comparison.rank("base"), comparison.rank("modulated")
    rows = []
    for i in ids:
        at, document = comparison.position.get(i), dataset.document[i]
        placed = (None, None, None) if at is None else (base[at], modulated[at], float(moved[at]))
        relevance = formatting.relevance_name(comparison.judgments.get(i, -1))
        rows.append((document.title or i, *placed, relevance, document.subject, i))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"base rank": "Int64", "modulated rank": "Int64"}).sort_values(
        "modulated rank"
    )
