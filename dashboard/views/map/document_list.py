"""A list of documents with their ranks and how far they moved."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import formatting, state
from dashboard.widgets import csv_button, tables
from imrnns_core.data.dataset import Dataset
from imrnns_core.projection.movement import true_movement
from imrnns_core.retrieval.comparison import Comparison

LISTED = 500
TITLE_WIDTH = 190


def show(
    comparison: Comparison, dataset: Dataset, ids: Sequence[str], which: str, file: str, key: str
) -> None:
    """List documents, with a button that saves all of them.

    Args:
        comparison: Has the ranks of those that are candidates.
        dataset: Their data set.
        ids: The documents.
        which: What they have in common, for the heading.
        file: The last part of the name of the saved file.
        key: Key of the table.
    """
    selection = state.current()
    title, button = st.columns([3, 2], vertical_alignment="bottom")
    title.header(f"{len(ids)} document{'' if len(ids) == 1 else 's'} {which}", anchor=False)
    with button:
        name = f"{selection.data}-{selection.query or 'query'}-{selection.adapter}-{file}.csv"
        csv_button.show(
            lambda: _listed(comparison, dataset, ids), name, f"{key}_csv", width="stretch"
        )
    if len(ids) > LISTED:
        st.caption(f"The first {LISTED} of them are listed; the CSV holds all.")
    frame = _listed(comparison, dataset, ids[:LISTED])
    frame["title"] = [formatting.cell(title, TITLE_WIDTH) for title in frame["title"]]
    columns = {
        "title": st.column_config.TextColumn(width=TITLE_WIDTH),
        "base rank": st.column_config.NumberColumn(
            "base", width=58, help="Base rank; empty for documents that are no candidates."
        ),
        "modulated rank": st.column_config.NumberColumn("mod.", width=58, help="Modulated rank."),
        "true movement": st.column_config.NumberColumn(
            "moved", format="%.4f", width=76, help="True movement: cosine distance."
        ),
    }
    st.dataframe(
        frame,
        hide_index=True,
        key=key,
        column_config=columns,
        height=tables.table_height(len(frame), 580),
        row_height=tables.TABLE_ROW,
    )


def _listed(comparison: Comparison, dataset: Dataset, ids: Sequence[str]) -> pd.DataFrame:
    """Return documents by modulated rank.

    Those of the cloud that are no candidates have no ranks.
    """
    moved, rows = true_movement(comparison), []
    for i in ids:
        p = comparison.position.get(i)
        document = dataset.document[i]
        rank = (
            {}
            if p is None
            else {"base rank": comparison.ranks[0, p], "modulated rank": comparison.ranks[3, p]}
        )
        about = {
            "relevance": formatting.relevance_name(comparison.judgments.get(i, -1)),
            "subject": document.subject,
        }
        rows.append(
            {
                "title": document.title or i,
                **rank,
                "true movement": None if p is None else float(moved[p]),
                **about,
                "document": i,
            }
        )
    frame = pd.DataFrame(
        rows,
        columns=[
            "title",
            "base rank",
            "modulated rank",
            "true movement",
            "relevance",
            "subject",
            "document",
        ],
    )
    return frame.astype({"base rank": "Int64", "modulated rank": "Int64"}).sort_values(
        "modulated rank"
    )
