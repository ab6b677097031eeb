"""The queries that a remedy fixes and breaks."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import streamlit as st

from dashboard import formatting, navigation, state
from dashboard.services import catalog
from dashboard.widgets import csv_button, notices
from dashboard.widgets.row_table import component as row_table
from dashboard.widgets.row_table.component import Column
from imrnns_core.remedies.bench import Bench, RemedyTest

READING = "Ranks are those of the best relevant document. Click a row to open the query in Compare."
NONE = (
    "This remedy fixes no failing query and breaks none",
    "It can still move relevant documents within the top {}: see nDCG in the table above.",
)
NOT_RETRIEVED = "—"


class ChangedQuery(NamedTuple):
    """A query that the remedy fixes or breaks; ranks are 0 where no relevant document is ranked."""

    effect: str
    query: str
    id: str
    base: int
    remedy: int
    change: float


COLUMNS = [
    Column("Effect", "Fixed: only the remedy has a relevant document in its top k. Broken: only "
           "the base ranking has."),
    Column("Query", wide=True),
    Column("Id", "Id of the query."),
    Column("Base", "Rank in the base ranking.", numeric=True),
    Column("Remedy", "Rank with the remedy.", numeric=True),
    Column("nDCG change", "nDCG@10, remedy − base ranking.", numeric=True),
]  # fmt: skip


def show(bench: Bench, test: RemedyTest) -> None:
    """Draw the fixed queries, then the broken ones."""
    name, rows = test.measured.remedy.name, changed(bench, test)
    title, button = st.columns([5, 1], vertical_alignment="bottom")
    title.subheader(f"What “{name}” fixes and breaks", anchor=False)
    if not rows:
        notices.show("info", NONE[0], NONE[1].format(bench.top_k))
        return
    with button:
        file = f"{bench.data}-{bench.split}-{name.replace(' ', '-')}.csv"
        csv_button.show(lambda: pd.DataFrame(rows), file, "remedy_csv", width="stretch")
    st.caption(READING)
    cells = [
        (
            row.id,
            [
                *(row.effect, row.query, row.id, _rank(row.base), _rank(row.remedy)),
                formatting.signed(row.change),
            ],
        )
        for row in rows
    ]
    opened = row_table.show(COLUMNS, cells, "Changed queries", "remedy_queries")
    # last, because leaving the page ends the run
    if opened:
        navigation.go_to_query(opened.id, opened.order)


def changed(bench: Bench, test: RemedyTest) -> list[ChangedQuery]:
    """Return the fixed and then the broken queries, the largest change first."""
    dataset, measured = catalog.dataset(state.current().data), test.measured
    change = measured.values - bench.base.values[:, 0]
    rows = [
        ChangedQuery(
            *("fixed" if test.fixed[i] else "broken", dataset.queries[query_id].text, query_id),
            *(int(bench.base.best_ranks[i]), int(measured.metrics.best_ranks[i]), float(change[i])),
        )
        for i, query_id in enumerate(bench.query_ids)
        if test.fixed[i] or test.broken[i]
    ]
    return sorted(rows, key=lambda row: (row.effect != "fixed", -abs(row.change)))


def _rank(rank: int) -> str:
    return str(rank) if rank else NOT_RETRIEVED
