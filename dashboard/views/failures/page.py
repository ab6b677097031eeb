"""Failures: which queries fail, and why?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formatting, navigation, state
from dashboard import selection as selections
from dashboard.formatting import SIGNS
from dashboard.services import catalog, evaluations
from dashboard.widgets import csv_button, notices, split_choice, tables
from imrnns_core.data.dataset import Dataset
from imrnns_core.evaluation.diagnosis import Diagnosis
from imrnns_core.evaluation.evaluate import Evaluation
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT, RankOverlap
from imrnns_core.types import STAGES

QUERY_WIDTH = 284
FIRST = ("outcome", "base", "modulated", "overlap", "query")
"""Columns that are seen on a phone; of the last one its beginning."""


def show() -> None:
    split = split_choice.heading(
        "Which queries fail, and why?",
        "One row a query, the worst losses first. Tick a row to compare its rankings.",
    )
    if split is None:
        return
    if split == UNJUDGED_SPLIT:
        _unjudged()
        return
    depth, outcome = st.columns([3, 7])
    with depth:
        st.segmented_control(
            "Fails outside the first",
            selections.options("top_k"),
            required=True,
            **state.bound("top_k"),
            help="A ranking fails when no relevant document is among so many of its first.",
        )
    selection = state.current()
    dataset = catalog.collection(selection.data).dataset
    measured = evaluations.evaluation(selection.data, selection.adapter, split, selection.top_k)
    found = evaluations.diagnoses(selection.data, selection.adapter, split, selection.top_k)
    with outcome:
        chosen = _bucket_choice(found)
    rows = sorted(
        (d for d in found if chosen in ("all", d.bucket)),
        key=lambda d: (d.delta, -(d.ranks[-1] or 10**6)),
    )
    if not rows:
        notices.show("info", "No query is in this bucket", "Choose another one, or another split.")
        return
    st.caption(
        f"{len(rows)} queries. Ranks are those of the best relevant document; — where none is "
        "among the first 100."
    )
    _table(
        _frame(rows, dataset, measured, split),
        [d.query_id for d in rows],
        f"{selection.data}-{split}-failures.csv",
        hidden=("split", "id"),
    )


def _unjudged() -> None:
    """Draw what moves, where nobody can say what fails."""
    selection = state.current()
    moved = evaluations.overlap(selection.data, selection.adapter, selection.top_k)
    order = moved.rbo.argsort(kind="stable").tolist()
    notices.show(
        "info",
        "Nobody has judged these queries: the most moved stand first",
        (
            "Overlap is the rank-biased overlap of the base and the modulated ranking; 1 where "
            "they are the same. A large move is worth a look, not a failure."
        ),
    )
    frame = _moved_frame(moved, order, catalog.collection(selection.data).dataset)
    _table(
        frame,
        [moved.query_ids[i] for i in order],
        f"{selection.data}-{UNJUDGED_SPLIT}-moves.csv",
        hidden=("id",),
    )


def _bucket_choice(found: list[Diagnosis]) -> str:
    counts = {name: sum(d.bucket == name for d in found) for name in SIGNS}
    options = ["all", *(name for name, n in counts.items() if n)]
    labels = {"all": f"all ({len(found)})"} | {
        str(n): f"{SIGNS[n]} {n} ({c})" for n, c in counts.items()
    }
    st.pills(
        "What the adapter did",
        options,
        format_func=lambda name: labels[name],
        required=True,
        wrap=True,
        **state.bound("bucket", options),
    )
    return state.current().bucket if state.current().bucket in options else "all"


def _table(
    frame: pd.DataFrame, query_ids: Sequence[str], file: str, hidden: tuple[str, ...]
) -> None:
    """Draw the rows with their download, which has all columns; a ticked row opens its query."""
    drawn = (
        frame.assign(outcome=frame["outcome"].str.replace(r" in .*", "", regex=True))
        if "outcome" in frame
        else frame
    )
    columns: dict[str, Any] = {
        s: st.column_config.NumberColumn(
            short, width=46, help=f"Best relevant rank at the stage: {s}."
        )
        for s, short in zip(STAGES, formatting.STAGE_HEADS, strict=True)
    }
    event = st.dataframe(
        drawn.assign(query=[formatting.cell(query, QUERY_WIDTH) for query in drawn["query"]]),
        hide_index=True,
        height=tables.table_height(len(frame), 680),
        row_height=tables.TABLE_ROW,
        on_select="rerun",
        selection_mode="single-row",
        key="failures",
        placeholder="—",
        column_order=[c for c in sorted(frame.columns, key=_place) if c not in hidden],
        column_config={
            "query": st.column_config.TextColumn(width=QUERY_WIDTH),
            "outcome": st.column_config.TextColumn(
                width=96, help="✕ failing in the ranking, ∅ in the pool."
            ),
            "why": st.column_config.TextColumn(
                width=194,
                help="Known causes whose signs are here; Compare shows each with its figures.",
            ),
            "ΔnDCG@10": st.column_config.NumberColumn(
                "ΔnDCG", format="%+.3f", width=62, help="Modulated − base nDCG@10."
            ),
            **columns,
            "BM25": st.column_config.NumberColumn(
                width=54, help="Best relevant rank by BM25, the lexical baseline."
            ),
            "group": st.column_config.TextColumn(
                width=62, help="Seen: one of its relevant documents was a training positive."
            ),
            "overlap": st.column_config.NumberColumn(
                format="%.4f", width=76, help="Rank-biased overlap, p = 0.9."
            ),
        },
    )
    csv_button.show(lambda: frame, file, "csv")
    if event.selection.rows:
        navigation.go_to_query(query_ids[event.selection.rows[0]])


def _place(column: str) -> int:
    return FIRST.index(column) if column in FIRST else len(FIRST)


def _why(found: Diagnosis) -> str:
    """Name the causes; an empty cell would look as if nothing were wrong."""
    return ", ".join(f.cause for f in found.findings) or (
        "" if found.ranks[-1] == 1 else "no known cause"
    )


def _frame(
    rows: list[Diagnosis], dataset: Dataset, measured: Evaluation, split: str
) -> pd.DataFrame:
    groups = (
        dict(zip(measured.query_ids, measured.groups.tolist(), strict=True))
        if measured.groups is not None
        else {}
    )
    records = []
    for d in rows:
        ranks = {f"{stage}": d.ranks[n] or None for n, stage in enumerate(STAGES)}
        records.append(
            {
                "query": dataset.queries[d.query_id].text,
                "outcome": f"{SIGNS[d.bucket]} {d.bucket}",
                "ΔnDCG@10": d.delta,
                **ranks,
                "BM25": d.bm25_rank or None,
                "group": groups.get(d.query_id),
                "why": _why(d),
                "split": split,
                "id": d.query_id,
            }
        )
    frame = pd.DataFrame(records)
    return frame.astype({**dict.fromkeys(STAGES, "Int64"), "BM25": "Int64"})


def _moved_frame(moved: RankOverlap, order: Sequence[int], dataset: Dataset) -> pd.DataFrame:
    def title(row: int) -> str:
        document = dataset.documents[row]
        return document.title or document.text[:80]

    return pd.DataFrame(
        {
            "query": dataset.queries[moved.query_ids[i]].text,
            "overlap": moved.rbo[i],
            f"first {moved.top_k} kept": moved.kept[i],
            "first in base": title(int(moved.first[0, i])),
            "first in modulated": title(int(moved.first[1, i])),
            "id": moved.query_ids[i],
        }
        for i in order
    )
