"""A table of documents with their ranks, and how far they moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from dashboard import formatting, state
from dashboard.services import comparisons
from dashboard.views.map.drawn_documents import SHOWN
from dashboard.widgets import csv_button
from imrnns_core.data.dataset import Dataset
from imrnns_core.projection.movement import true_movement
from imrnns_core.retrieval.comparison import Comparison

MOST_LISTED = 500
ROW_PIXELS, HEAD_PIXELS, MOST_PIXELS = 36, 38, 580
"""One line per row: a title that is too long is cut, and whole in the document's card."""
TITLE_PIXELS, TITLE_LETTERS = 188, 25
COLUMNS = [
    "title",
    "base rank",
    "modulated rank",
    "true movement",
    "relevance",
    "subject",
    "document",
]
SHOWN_COLUMNS = COLUMNS[:4]
BASE_SHOWN_COLUMNS = ["title", "base rank", "BM25 rank"]
"""The others have no room next to the map; the CSV file has all."""


class Listing(NamedTuple):
    """Which documents are listed.

    Attributes:
        which: One word, for the heading.
        rule: How they were selected.
        file: The last part of the name of the saved file.
    """

    which: str
    rule: str
    file: str


LASSO = Listing("selected", "", "lasso")
DRAWN = Listing(
    "drawn",
    f"The top {SHOWN // 2} candidates of the base and of the modulated ranking, and all relevant "
    "candidates. ",
    "map",
)
BASE_DRAWN = Listing(
    "drawn",
    f"The top {SHOWN // 2} candidates of the base ranking, and all relevant candidates. ",
    "map",
)
BM25_HELP = "Rank by BM25. Empty if BM25 does not return the document."
BASE_RANKS = "Base, BM25: ranks in the base ranking and by keyword search."
MOVEMENT = (
    "Base, mod.: ranks in the base and the modulated ranking. Moved: cosine distance between the "
    "projected and the modulated embedding; the projector’s own effect is not in it."
)


def show(comparison: Comparison, dataset: Dataset, ids: Sequence[str], listing: Listing) -> None:
    """List documents, with a button that saves all of them.

    Args:
        comparison: Has the ranks of those documents that are candidates.
        dataset: Their data set.
        ids: The documents.
        listing: Which documents they are.
    """
    selection = state.current()
    title, button = st.columns([3, 2], vertical_alignment="bottom")
    plural = "" if len(ids) == 1 else "s"
    title.header(f"{len(ids)} document{plural} {listing.which}", anchor=False)
    with button:
        query = selection.query or "query"
        csv_button.show(
            lambda: document_frame(comparison, dataset, ids),
            f"{selection.data}-{query}-{selection.adapter}-{listing.file}.csv",
            "listing_csv",
            width="stretch",
        )
    st.caption(f"{listing.rule}{MOVEMENT if state.has_adapter() else BASE_RANKS}")
    # a lasso may hold the whole corpus
    if len(ids) > MOST_LISTED:
        st.caption(f"The first {MOST_LISTED} are listed; the CSV file has all.")
    frame = document_frame(comparison, dataset, ids[:MOST_LISTED])
    signs = [formatting.RELEVANCE_SIGNS[name] for name in frame["relevance"]]
    # the table would cut a long title in the middle of a letter, without a sign that it is cut
    frame["title"] = [_cut(sign + name) for sign, name in zip(signs, frame["title"], strict=True)]
    st.dataframe(
        frame,
        hide_index=True,
        key="listing",
        column_config={**_columns(), "BM25 rank": _bm25_column()},
        column_order=SHOWN_COLUMNS if state.has_adapter() else BASE_SHOWN_COLUMNS,
        height=min(MOST_PIXELS, HEAD_PIXELS + ROW_PIXELS * max(1, len(frame))),
        row_height=ROW_PIXELS,
    )


def _cut(title: str) -> str:
    # not at the end of a word: of some titles only the first word would be left
    return title if len(title) <= TITLE_LETTERS else title[: TITLE_LETTERS - 1] + "…"


def _bm25_column() -> Any:
    return st.column_config.NumberColumn("BM25", width=56, help=BM25_HELP)


def _columns() -> dict[str, Any]:
    return {
        # with the other widths, all that a phone has room for
        "title": st.column_config.TextColumn(width=TITLE_PIXELS),
        "base rank": st.column_config.NumberColumn(
            "base", width=50, help="Base rank. Empty if the document is not a candidate."
        ),
        "modulated rank": st.column_config.NumberColumn(
            "mod.", width=52, help="Modulated rank. Empty if it is not a candidate."
        ),
        "true movement": st.column_config.NumberColumn(
            "moved",
            format="%.4f",
            width=68,
            help="Cosine distance between projected and modulated embedding.",
        ),
    }


def document_frame(comparison: Comparison, dataset: Dataset, ids: Sequence[str]) -> pd.DataFrame:
    """Return documents by their last rank; those that are not candidates have no ranks.

    Without an adapter, the rank by BM25 replaces the modulated rank and the movement.
    """
    movement, second = true_movement(comparison), comparisons.second(comparison)
    ranks = ("base rank", f"{second} rank")
    rows = []
    for i in ids:
        position, document = comparison.position.get(i), dataset.document[i]
        hits = [comparison.hit(system, i) for system in ("base", second)]
        moved = None if position is None else float(movement[position])
        # not `comparison.relevance`: documents beyond the candidates may be judged, too
        relevance = formatting.relevance_name(comparison.judgments.get(i, -1))
        found = (hit.rank if hit else None for hit in hits)
        rows.append((document.title or i, *found, moved, relevance, document.subject, i))
    frame = pd.DataFrame(rows, columns=[COLUMNS[0], *ranks, *COLUMNS[3:]])
    if comparison.final == "base":
        frame = frame.drop(columns=["true movement"])
    # “Int64” keeps whole numbers although some documents have no rank
    return frame.astype(dict.fromkeys(ranks, "Int64")).sort_values(f"{comparison.final} rank")
