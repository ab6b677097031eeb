"""Two adapters side by side: the measures of each group, and the queries that differ most."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import formatting, navigation, state
from dashboard.formatting import count, p_value, signed
from dashboard.services import catalog
from dashboard.services.adapters import side_by_side
from dashboard.widgets import adapter_hint, csv_button, notices, split_choice
from dashboard.widgets.row_table import component as row_table
from dashboard.widgets.row_table.component import Column
from imrnns_core.evaluation.evaluate import NDCG, mean_of
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT
from imrnns_core.evaluation.seen import MEANINGS
from imrnns_core.evaluation.system_comparison import SystemComparison
from imrnns_core.evaluation.verdicts import MIN_CHANGED, Effect, effect_of
from imrnns_core.reporting.formatting import interval

BASE = "base ranking"
LISTED = 20
"""Number of queries in the list of those that differ most."""
READING = (
    "The first adapter is the one in the sidebar. Choose the second here, or the base ranking."
)
TABLE_READING = (
    "Means of the modulated rankings over the queries of a group. Difference: first − second, "
    "with its 95 % interval from a bootstrap over queries. p comes from a paired randomisation "
    "test. Both treat queries that share a relevant document as one. p is Holm-corrected for the "
    "measures of a group. A group says how training used the relevant documents. If the two "
    "adapters used them differently, “seen” by one of them counts as seen."
)
UNKNOWN_GROUPS = (
    "It is unknown which queries training used",
    "The card of an adapter does not list its training texts, so a difference may come from "
    "memorised documents.",
)
NO_ADAPTER = (
    "There is nothing to compare yet",
    "No adapter with the dimensions of this data set is chosen. Train or import one.",
)
NO_JUDGMENTS = (
    "These queries have no judgments",
    "Without judgments, it is unknown which of two rankings is better. Choose another split.",
)
QUERIES_READING = (
    f"Largest difference in {NDCG} first. Click a row to open its query in Compare, with the first "
    "adapter."
)
NO_DIFFERENCE = f"No query differs in {NDCG}."
ANSWERS: dict[Effect, str] = {
    "helps": "{first} is better than {other}",
    "harms": "{first} is worse than {other}",
    "not shown": "No significant difference",
    "too few queries": "Unknown: too few queries differ",
}


def show() -> None:
    """Draw the section."""
    data = state.current().data
    st.header("Two adapters side by side", anchor=False)
    if adapter_hint.needs_vectors("The comparison of adapters"):
        return
    fitting = catalog.fitting_adapters(data)
    first = state.current().adapter
    if first not in fitting:
        notices.show("info", *NO_ADAPTER)
        return
    st.caption(READING)
    left, right = st.columns(2)
    others = [*(name for name in fitting if name != first), BASE]
    with left:
        st.selectbox("Second adapter", others, **state.bound("other", others))
    with right:
        split = split_choice.choose()
    if split is None:
        return
    if split == UNJUDGED_SPLIT:
        notices.show("info", *NO_JUDGMENTS)
        return
    chosen = state.current().other
    compared = side_by_side.compare(data, first, split, None if chosen == BASE else chosen)
    _answer(compared, first, chosen)
    if compared.groups is None:
        notices.show("info", *UNKNOWN_GROUPS)
    _measures(compared, first, chosen)
    _queries(compared, first, chosen)


def _answer(compared: SystemComparison, first: str, other: str) -> None:
    test, p = compared.tests()[NDCG], compared.corrected_p()[NDCG]
    effect = effect_of(test, p)
    differing = count(test.changed, "query differs", "queries differ")
    figures = (
        f"{NDCG} on {count(test.queries, 'query', 'queries')} differs by {signed(test.change)} "
        f"(95 % interval {interval(test.interval)}), {p_value(p)}, Holm-corrected for "
        f"{len(compared.tests())} measures. {differing}."
    )
    if effect == "too few queries":
        figures += f" A verdict needs at least {MIN_CHANGED}."
    named = f"the {BASE}" if other == BASE else other
    answer = ANSWERS[effect].format(first=first, other=named)
    shown = effect in ("helps", "harms")
    notices.answer("good" if shown else "info", "Which one ranks better?", answer, figures)


def _measures(compared: SystemComparison, first: str, other: str) -> None:
    frame = measure_frame(compared, first, other)
    title, button = st.columns([5, 1], vertical_alignment="bottom")
    title.subheader("Measures by group", anchor=False)
    with button:
        file = f"{state.current().data}-{compared.evaluation.split}-{first}-{other}.csv"
        csv_button.show(lambda: frame, file, "compared_csv", width="stretch")
    number = st.column_config.NumberColumn(format="%.4f")
    columns = {
        first: number,
        other: number,
        "queries": st.column_config.TextColumn(
            help=" ".join(f"{name.capitalize()}: {text}." for name, text in MEANINGS.items())
        ),
        "n": st.column_config.NumberColumn(help="Number of queries."),
    }
    shown = frame.style.format(
        {
            "difference": lambda value: signed(float(str(value))),
            "p": lambda value: p_value(float(str(value))).removeprefix("p ").removeprefix("= "),
        }
    )
    with st.container(key="compared"):
        st.dataframe(shown, hide_index=True, height="content", column_config=columns)
    st.caption(TABLE_READING)


def measure_frame(compared: SystemComparison, first: str, other: str) -> pd.DataFrame:
    """Return one row per group and measure."""
    measured, records = compared.evaluation, []
    masks = compared.group_masks()
    if len(masks) == 2:  # a single group is the whole split, which would be there twice
        masks.pop(None)
    for group, mask in masks.items():
        own = measured.mean("modulated", mask)
        theirs = mean_of(measured.measures, compared.other_metrics.values, mask)
        corrected = compared.corrected_p(group)
        for measure, test in compared.tests(group).items():
            records.append(
                {
                    "queries": group or "all",
                    "n": int(mask.sum()),
                    "measure": measure,
                    first: own[measure],
                    other: theirs[measure],
                    "difference": test.change,
                    "95 % interval": interval(test.interval),
                    "p": corrected[measure],
                }
            )
    return pd.DataFrame(records)


def _queries(compared: SystemComparison, first: str, other: str) -> None:
    st.subheader("Queries that differ most", anchor=False)
    rows = compared.most_different(LISTED)
    if not rows:
        st.caption(NO_DIFFERENCE)
        return
    st.caption(QUERIES_READING)
    opened = row_table.show(
        _columns(first, other),
        [(compared.evaluation.query_ids[row], _cells(compared, row)) for row in rows],
        "Queries that differ most",
        "different_queries",
    )
    if opened:  # last, because leaving the page ends the run
        navigation.go_to_query(opened.id, opened.order)


def _columns(first: str, other: str) -> list[Column]:
    rank = "Rank of the best relevant document; — if it is not among the candidates."
    return [
        Column("Query", wide=True),
        Column("Id", "Id of the query."),
        Column(f"{NDCG}: {first}", numeric=True),
        Column(f"{NDCG}: {other}", numeric=True),
        Column("Difference", f"{first} − {other}.", numeric=True),
        Column(f"Rank: {first}", rank, numeric=True),
        Column(f"Rank: {other}", rank, numeric=True),
    ]


def _cells(compared: SystemComparison, row: int) -> list[str]:
    measured = compared.evaluation
    ndcg, query_id = measured.measures.index(NDCG), measured.query_ids[row]
    ranks = (measured.best_rank("modulated")[row], compared.other_metrics.best_ranks[row])
    return [
        catalog.dataset(state.current().data).queries[query_id].text,
        query_id,
        formatting.decimal(measured.value("modulated")[row, ndcg]),
        formatting.decimal(compared.other_metrics.values[row, ndcg]),
        signed(compared.differences[row, ndcg]),
        *(str(rank) if rank else "—" for rank in ranks),
    ]
