"""Overview: does this adapter help, where, and can I trust it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from dashboard import navigation, state
from dashboard.figures import overview
from dashboard.formatting import minus
from dashboard.services import catalog, evaluations
from dashboard.views.overview import wording
from dashboard.widgets import chart, csv_button, notices, split_choice
from imrnns_core.evaluation.change_decomposition import ChangeDecomposition
from imrnns_core.evaluation.evaluate import NDCG, Evaluation, Group, mean_of
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT
from imrnns_core.evaluation.verdicts import judge_effect, judge_generalization, judge_outcomes
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.types import STAGES


def show() -> None:
    split = split_choice.heading(
        "Does this adapter help?",
        (
            "All queries of a split. Those of which the adapter met a relevant document in "
            "training are called seen."
        ),
    )
    if split is None:
        return
    if split == UNJUDGED_SPLIT:
        _unjudged()
        return
    selection = state.current()
    measured = evaluations.evaluation(selection.data, selection.adapter, split, selection.top_k)
    bm25 = evaluations.bm25(selection.data, split)
    _answer(
        wording.helps(judge_effect(measured, bm25)),
        wording.where(judge_outcomes(measured)),
        wording.trust(judge_generalization(measured)),
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Mean of each group", anchor=False)
        chart.show(overview.groups(_rows(measured, bm25), NDCG), "groups")
        _shares(evaluations.shares(selection.data, selection.adapter, split))
    with right:
        st.subheader("Query by query", anchor=False)
        st.caption("Above the line it helped. Click a query to compare.")
        groups = None if measured.groups is None else measured.groups.tolist()
        figure = overview.scatter(
            measured.column("base"),
            measured.column("modulated"),
            measured.query_ids,
            _texts(measured.query_ids),
            groups,
            NDCG,
        )
        for (query_id,) in chart.clicks(figure, "scatter").new[:1]:
            navigation.go_to_query(str(query_id))
    _measures(measured, bm25)
    _memory(selection.data, selection.adapter)


def _memory(data: str, adapter_name: str) -> None:
    """Say so where the adapter holds sentences of the collection."""
    card = catalog.load_adapter(adapter_name).card
    held = (card.measures.get("start") or {}).get("sentences")
    if held:
        notices.show(
            "info",
            f"This adapter remembers {held:,} sentences of {card.dataset}",
            (
                "Its query adapter moves documents by the sentences that are near the query. It "
                "knows nothing of documents that were added later"
            )
            + ("." if card.dataset == data else f", or of {data}."),
        )


def _unjudged() -> None:
    selection = state.current()
    moved = evaluations.overlap(selection.data, selection.adapter, selection.top_k)
    _answer(*wording.unjudged(moved))
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Query by query", anchor=False)
        st.caption(
            "Each query by the overlap of its two rankings, the most moved first. Click one to "
            "compare its rankings."
        )
        figure = overview.overlaps(moved.rbo, moved.query_ids, _texts(moved.query_ids))
        for (query_id,) in chart.clicks(figure, "overlaps").new[:1]:
            navigation.go_to_query(str(query_id))
    with right:
        _shares(moved.shares)


def _answer(*given: wording.Answer) -> None:
    for column, answer in zip(st.columns(len(given)), given, strict=True):
        with column:
            notices.answer(answer.kind, answer.question, answer.answer, answer.figures)


def _shares(parts: ChangeDecomposition) -> None:
    st.subheader("Where the change of scores comes from", anchor=False)
    if not any((parts.projector, parts.constant, parts.query_specific)):
        st.caption(
            "No score changes beside those of the other candidates: a shift that is common to "
            "all moves no rank, and does not count."
        )
        return
    names = ("projector", "constant modulation", "query-specific modulation")
    values = (parts.projector, parts.constant, parts.query_specific)
    chart.show(overview.shares(dict(zip(names, values, strict=True))), "shares")


def _texts(query_ids: Sequence[str]) -> list[str]:
    queries = catalog.collection(state.current().data).dataset.queries
    return [queries[query_id].text for query_id in query_ids]


def _groups(measured: Evaluation) -> dict[str, tuple[Group | None, NDArray[np.bool_]]]:
    """Return all queries and each group of them by name; where all are of one group, that once."""
    found: dict[str, tuple[Group | None, NDArray[np.bool_]]] = {
        n: (n, mask) for n, mask in measured.group_masks().items() if mask.any()
    }
    if len(found) == 1:
        return {f"all {name}": which for name, which in found.items()}
    return {"all": (None, np.ones(len(measured.query_ids), dtype=bool)), **found}


def _rows(measured: Evaluation, bm25: SystemMetrics) -> list[overview.GroupRow]:
    lexical = bm25.values[:, measured.measures.index(NDCG)]
    return [
        overview.GroupRow(
            name,
            int(mask.sum()),
            float(lexical[mask].mean()),
            measured.mean("base", mask)[NDCG],
            measured.mean("modulated", mask)[NDCG],
            measured.significance(NDCG, group).ci95,
        )
        for name, (group, mask) in _groups(measured).items()
    ]


def _measures(measured: Evaluation, bm25: SystemMetrics) -> None:
    """Draw the table of all measures and groups."""
    records = []
    for name, (group, mask) in _groups(measured).items():
        means = {"BM25": mean_of(measured.measures, bm25.values, mask)}
        means.update({stage: measured.mean(stage, mask) for stage in STAGES})
        for measure in measured.measures:
            test = measured.significance(measure, group)
            figures = {system: values[measure] for system, values in means.items()}
            interval = f"[{test.ci95[0]:+.4f}, {test.ci95[1]:+.4f}]"
            records.append(
                {
                    "queries": name,
                    "n": int(mask.sum()),
                    "measure": measure,
                    **figures,
                    "change": test.delta,
                    "95 % interval": interval,
                    "p": test.p,
                }
            )
    frame = pd.DataFrame(records)
    title, button = st.columns([5, 1], vertical_alignment="bottom")
    title.subheader("All measures", anchor=False)
    selection = state.current()
    with button:
        csv_button.show(
            lambda: frame,
            f"{selection.data}-{measured.split}-{selection.adapter}-measures.csv",
            "measures_csv",
            width="stretch",
        )
    decimals = {
        name: st.column_config.NumberColumn(format="%.4f") for name in ("BM25", *STAGES, "p")
    }
    change = st.column_config.NumberColumn(help="Modulated − base.")
    # A column's own format knows no true minus
    shown = frame.style.format(
        {
            "change": lambda value: minus(f"{value:+.4f}"),
            "95 % interval": lambda value: minus(str(value)),
        }
    )
    height: int | Literal["content"] = (
        "content" if len(frame) == len(measured.measures) else 35 * (len(measured.measures) + 1) + 2
    )
    with st.container(key="measures"):  # a table that answers no clicks does not carry its key
        st.dataframe(
            shown, hide_index=True, height=height, column_config={**decimals, "change": change}
        )
    st.caption(
        "nDCG with linear gains, as trec_eval has it. Intervals by bootstrap, p by a paired "
        "randomisation test, over queries."
    )
