"""Overview: does this adapter help?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from dashboard import resources, state
from dashboard.components import chart, notices
from dashboard.figures import overview
from imrnns_core.evaluation import NDCG, Evaluation, Group
from imrnns_core.measures import Significance
from imrnns_core.records import STAGES


def show() -> None:
    notices.heading(
        "Does this adapter help?",
        "Base and modulated rankings of all judged queries of a split; queries the adapter has seen apart from those it has not.",
    )
    split = split_choice()
    if split is None:
        return
    selection = state.current()
    measured = resources.evaluation(selection.data, selection.adapter, split, selection.top_k)
    _verdict(measured)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Mean of each group", anchor=False)
        chart.show(overview.groups(_rows(measured), NDCG), "groups")
        st.subheader("Where the change comes from", anchor=False)
        st.caption("Only the last part depends on the query: it is what a reader of query-specific explanations is told about.")
        parts = resources.shares(selection.data, selection.adapter, split)
        names = ("projector", "constant modulation", "query-specific modulation")
        values = (parts.projector, parts.constant, parts.query_specific)
        chart.show(overview.shares(dict(zip(names, values, strict=True))), "shares")
    with right:
        st.subheader("Query by query", anchor=False)
        st.caption("Above the line the adapter helped. Click a query to compare its rankings.")
        texts = [resources.collection(selection.data).dataset.queries[q].text for q in measured.query_ids]
        groups = None if measured.groups is None else measured.groups.tolist()
        figure = overview.scatter(measured.column("base"), measured.column("modulated"), measured.query_ids, texts, groups, NDCG)
        for (query_id,) in chart.clicks(figure, "scatter").new[:1]:
            open_query(str(query_id))
    st.subheader("All measures", anchor=False)
    st.caption("nDCG with linear gains, as trec_eval has it; intervals by bootstrap, p by a paired randomisation test, over queries.")
    _measures(measured)


def split_choice() -> str | None:
    """Draw the choice of a split; say so, and return None, where nothing is judged."""
    selection = state.current()
    splits = [s for s in ("test", "dev") if s in resources.collection(selection.data).dataset.splits]
    splits += [s for s in resources.collection(selection.data).dataset.splits if s not in splits]
    if not splits:
        notices.show(
            "info",
            "This data set has no judgments",
            "Measures need them: put qrels/test.tsv beside corpus.jsonl. Compare, Modulation and Map work without.",
        )
        return None
    st.segmented_control("Split", splits, required=True, **state.bound("split", splits))
    return state.current().split if state.current().split in splits else splits[0]


def open_query(query_id: str) -> None:
    """Go to Compare with a query."""
    state.update(query=query_id, text="")
    st.switch_page(st.Page(_compare, url_path="compare", default=True), query_params=state.parameters(state.current()))


def _compare() -> None:
    from dashboard.views import compare

    compare.show()


def _rows(measured: Evaluation) -> list[tuple[str, int, float, float, tuple[float, float]]]:
    masks: dict[Group | None, NDArray[np.bool_]] = {None: np.ones(len(measured.query_ids), dtype=bool), **measured.group_masks()}
    return [
        (
            name or "all",
            int(mask.sum()),
            measured.mean("base", mask)[NDCG],
            measured.mean("modulated", mask)[NDCG],
            measured.significance(NDCG, name).ci95,
        )
        for name, mask in masks.items()
        if mask.any()
    ]


def _verdict(measured: Evaluation) -> None:
    """Say in a sentence what holds."""
    whole = measured.significance(NDCG)
    change = f"nDCG@10 changes by {_signed(whole)}, p = {whole.p:.4f}, on {len(measured.query_ids)} queries."
    masks = measured.group_masks()
    if not masks:
        notices.show(
            "warning" if whole.ci95[0] > 0 else "info",
            f"{_word(whole.ci95)}; which queries it has seen is unknown",
            f"{change} The adapter’s card names no training positives: seen and unseen queries cannot be told apart, and a gain may be memory.",
        )
        return
    tests = {name: measured.significance(NDCG, name) for name, mask in masks.items() if mask.any()}
    each = " ".join(f"{name.capitalize()} queries: {_signed(test)}." for name, test in tests.items())
    seen, unseen = tests.get("seen"), tests.get("unseen")
    if unseen and unseen.ci95[1] < 0:
        notices.show("warning", "The adapter harms unseen queries", f"{change} {each}")
    elif seen and unseen and seen.ci95[0] > 0 >= unseen.ci95[0]:
        notices.show("warning", "The gain lives only on seen queries", f"{change} {each} That is memory, not retrieval.")
    else:
        notices.show("good" if whole.ci95[0] > 0 else "warning" if whole.ci95[1] < 0 else "info", _word(whole.ci95), f"{change} {each}")


def _signed(test: Significance) -> str:
    low, high = test.ci95
    return f"{test.delta:+.4f} (95 % interval {low:+.4f} to {high:+.4f})".replace("-", "−")


def _word(interval: tuple[float, float]) -> str:
    return "The adapter helps" if interval[0] > 0 else "The adapter harms" if interval[1] < 0 else "No change that these queries can show"


def _measures(measured: Evaluation) -> None:
    frame = pd.DataFrame({stage: measured.mean(stage) for stage in STAGES})
    tests = {m: measured.significance(m) for m in measured.measures}
    frame["modulated − base"] = [tests[m].delta for m in frame.index]
    frame["95 % interval"] = [f"{tests[m].ci95[0]:+.4f} … {tests[m].ci95[1]:+.4f}" for m in frame.index]
    frame["p"] = [tests[m].p for m in frame.index]
    numbers = {c: st.column_config.NumberColumn(format="%.5f") for c in STAGES}
    st.dataframe(
        frame,
        key="measures",
        column_config={
            **numbers,
            "modulated − base": st.column_config.NumberColumn(format="%+.5f"),
            "p": st.column_config.NumberColumn(format="%.4f"),
        },
    )
