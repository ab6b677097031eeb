"""Failures: which queries fail, and why?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import resources, state
from dashboard.components import notices
from dashboard.components.sidebar import SIGNS
from dashboard.views.overview import open_query, split_choice
from imrnns_core.dataset import Dataset
from imrnns_core.diagnosis import Diagnosis
from imrnns_core.evaluation import Evaluation
from imrnns_core.records import STAGES

TOP_K = [1, 3, 5, 10, 20]
SHORT = ("base", "proj.", "doc.", "mod.")
"""Heads of the narrow columns of the stages."""


def show() -> None:
    notices.heading("Which queries fail, and why?", "One row a query, the worst losses first. Tick a row to compare its rankings.")
    split = split_choice()
    if split is None:
        return
    st.segmented_control(
        "A ranking fails when no relevant document is among its first", TOP_K, required=True, **state.bound("top_k", TOP_K)
    )
    selection = state.current()
    dataset = resources.collection(selection.data).dataset
    measured = resources.evaluation(selection.data, selection.adapter, split, selection.top_k)
    found = resources.diagnoses(selection.data, selection.adapter, split, selection.top_k)
    buckets = _bucket_choice(found)
    rows = sorted((d for d in found if buckets in ("all", d.bucket)), key=lambda d: (d.delta, -(d.ranks[-1] or 10**6)))
    if not rows:
        notices.show("info", "No query is in this bucket", "Choose another one, or another split.")
        return
    frame = _frame(rows, dataset, measured, split)
    st.caption(
        f"{len(rows)} queries. Ranks are those of the best relevant document; — where none is among the candidates.  ΔnDCG is the change of nDCG@10, modulated − base."
    )
    event = st.dataframe(
        frame, hide_index=True, height=min(640, 60 + 36 * len(frame)), on_select="rerun", selection_mode="single-row", key="failures", placeholder="—",
        column_config={
            "query": st.column_config.TextColumn(width=300), "outcome": st.column_config.TextColumn(width=132), "why": st.column_config.TextColumn(width=260, help="Compare shows each cause with its figures."),
            "ΔnDCG@10": st.column_config.NumberColumn("ΔnDCG", format="%+.3f", width=62, help="Modulated − base nDCG@10."),
            **{s: st.column_config.NumberColumn(short, width=50, help=f"Best relevant rank at the stage: {s}.") for s, short in zip(STAGES, SHORT, strict=True)},
            "BM25": st.column_config.NumberColumn(width=52, help="Best relevant rank by BM25, the lexical baseline."),
        },
    )  # fmt: skip
    st.download_button(
        "Download CSV",
        lambda: frame.to_csv(index=False),
        f"{selection.data}-{split}-failures.csv",
        "text/csv",
        on_click="ignore",
        key="csv",
    )
    if event.selection.rows:
        open_query(rows[event.selection.rows[0]].query_id)


def _bucket_choice(found: list[Diagnosis]) -> str:
    counts = {name: sum(d.bucket == name for d in found) for name in SIGNS}
    options = ["all", *(name for name, n in counts.items() if n)]
    labels = {"all": f"all ({len(found)})", **{n: f"{SIGNS[n]} {n} ({c})" for n, c in counts.items()}}
    st.segmented_control(
        "What the adapter did", options, format_func=lambda name: labels[name], required=True, **state.bound("bucket", options)
    )
    return state.current().bucket if state.current().bucket in options else "all"


def _frame(rows: list[Diagnosis], dataset: Dataset, measured: Evaluation, split: str) -> pd.DataFrame:
    groups = dict(zip(measured.query_ids, measured.groups.tolist(), strict=True)) if measured.groups is not None else {}
    records = []
    for d in rows:
        ranks = {f"{stage}": d.ranks[n] or None for n, stage in enumerate(STAGES)}
        records.append(
            {
                "query": dataset.queries[d.query_id].text, "outcome": f"{SIGNS[d.bucket]} {d.bucket}", "ΔnDCG@10": d.delta, **ranks, "BM25": d.bm25_rank or None,
                "why": ", ".join(f.cause for f in d.findings),
                "group": groups.get(d.query_id, "—"), "split": split, "id": d.query_id,
            }
        )  # fmt: skip
    frame = pd.DataFrame(records)
    return frame.astype({**dict.fromkeys(STAGES, "Int64"), "BM25": "Int64"})
