"""The table of all candidates of the query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import formatting
from dashboard.widgets import csv_button, tables
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import UNJUDGED

TITLE_WIDTH, BASE_TITLE_WIDTH = 124, 300
"""Width of the column of titles in pixels; without an adapter, there are fewer other columns."""
ID_WIDTHS = (96, 186)
"""The smallest and the largest width of the column of ids.

With the largest one, the table fits into a window of 1440 pixels.
"""
LETTER = 6.8
"""Width of a letter in pixels."""
CHANGE = "rank change"
BASE_READING = (
    "The documents that base or BM25 (keyword search) returns: their ranks in both rankings and in "
    "the reciprocal rank fusion of the two, then the base score. Click a column header to sort."
)
RUN_READING = (
    "Ranks by the run (base), by BM25 (keyword search), by the reciprocal rank fusion of both and, "
    "if there are vectors, by the encoder, of all documents that one of them returns; then the "
    "score in the run. Click a column header to sort."
)
READING = (
    "Ranks at the four stages, then scores: base; projected (proj.), after the adapter’s "
    "projector; document-modulated (doc.), after the query has changed the documents; modulated "
    "(mod.), after the documents have refined the query, too. Change is base rank − modulated "
    "rank; + means that the adapter promoted the document. Click a column header to sort."
)


def show(comparison: Comparison, dataset: Dataset) -> None:
    """Draw the table and a button that downloads it."""
    frame = _frame(comparison, dataset)
    is_adapted = len(comparison.stages) > 1
    is_wide = comparison.certainty is not None
    st.header("Top documents of both rankings" if is_wide else "All candidates", anchor=False)
    is_run = comparison.stage_vectors is None
    st.caption(READING if is_adapted else RUN_READING if is_run else BASE_READING)
    width = TITLE_WIDTH if is_adapted else BASE_TITLE_WIDTH
    drawn = frame.assign(title=[formatting.cell(title, width) for title in frame["title"]])
    scores = [f"{stage} score" for stage in comparison.stages]
    # the format of a column would write a hyphen for minus
    styles: dict[Any, Callable[[Any], str]] = {
        **(
            {CHANGE: lambda rise: formatting.minus(f"{rise:+d}" if rise else "0")}
            if is_adapted
            else {}
        ),
        # a document that only BM25 returns has no base score
        **dict.fromkeys(scores, lambda score: "" if score != score else formatting.decimal(score)),
    }
    st.dataframe(
        drawn.style.format(styles),  # type: ignore[arg-type]  # its stubs want `object`
        hide_index=True,
        height=tables.table_height(len(frame), 420),
        row_height=tables.TABLE_ROW,
        column_config=_columns(comparison, _id_width(comparison.document_ids)),
        column_order=_order(comparison, is_adapted),
        placeholder="—",  # BM25 does not return every candidate
        key="candidates",
    )
    # not `drawn`: the file has whole titles
    query = comparison.query.id or "typed-question"
    csv_button.show(lambda: frame, f"{dataset.name}-{query}-candidates.csv", "csv")


def _order(comparison: Comparison, is_adapted: bool) -> list[str]:
    return [
        "title",
        *(f"{system} rank" for system in comparison.rankings),
        *([CHANGE] if is_adapted else []),
        "relevance",
        *(f"{stage} score" for stage in comparison.stages),
        "document",
    ]


def _frame(comparison: Comparison, dataset: Dataset) -> pd.DataFrame:
    ids = list(dict.fromkeys(i for r in comparison.rankings.values() for i in r.document_ids))
    hits = {name: [comparison.hit(name, i) for i in ids] for name in comparison.rankings}
    columns: dict[str, Any] = {
        "document": ids,
        "title": [dataset.document[i].title for i in ids],
        "relevance": [formatting.graded(comparison.judgments.get(i, UNJUDGED)) for i in ids],
        **{
            f"{name} rank": pd.array([h.rank if h else None for h in of_system], dtype="Int64")
            for name, of_system in hits.items()
        },
        **{
            f"{stage} score": np.array([h.score if h else np.nan for h in hits[stage]], np.float32)
            for stage in comparison.stages
        },
    }
    frame = pd.DataFrame(columns)
    if len(comparison.stages) > 1:
        frame[CHANGE] = frame["base rank"] - frame["modulated rank"]
    return frame.sort_values(f"{comparison.final} rank")


def _id_width(ids: Sequence[str]) -> int:
    # the table breaks an id that is wider than its column within a word
    width = 16 + LETTER * max(map(len, ids), default=0)
    return int(min(max(width, ID_WIDTHS[0]), ID_WIDTHS[1]))


def _columns(comparison: Comparison, id_width: int) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "title": st.column_config.TextColumn(
            width=TITLE_WIDTH if len(comparison.stages) > 1 else BASE_TITLE_WIDTH
        ),
        "document": st.column_config.TextColumn(width=id_width),
        "relevance": st.column_config.TextColumn(width=96),
        CHANGE: st.column_config.NumberColumn(
            "change", width=72, help="Base rank − modulated rank."
        ),
    }
    for system in comparison.rankings:
        short = formatting.HEADS[system]
        columns[f"{system} rank"] = st.column_config.NumberColumn(
            short, width=max(48, 9 * len(short)), help=f"Rank by “{system}”."
        )
    for stage in comparison.stages:
        short = formatting.HEADS[stage]
        columns[f"{stage} score"] = st.column_config.NumberColumn(
            f"{short} score",
            width=84,
            help="Score in the run."
            if comparison.stage_vectors is None
            else f"Cosine at the stage “{stage}”.",
        )
    return columns
