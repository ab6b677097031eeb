"""Failures: which queries fail, and why?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import selection as selections
from dashboard import state
from dashboard.formatting import SIGNS, count
from dashboard.services import catalog, evaluations, remedies
from dashboard.views.failures import frames, query_table
from dashboard.widgets import (
    adapter_hint,
    notices,
    outcome_legend,
    progress_panel,
    split_choice,
)
from imrnns_core.evaluation.evaluate import Evaluation
from imrnns_core.evaluation.outcomes import Outcome
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT
from imrnns_core.evaluation.seen import MEANINGS
from imrnns_core.evaluation.verdicts import outcomes_of
from imrnns_core.remedies.causes import Diagnosis, worst_ranks_first
from imrnns_core.reporting.causes import WHEN_SHOWN

READING = (
    "A ranking fails if no relevant document is in its top k. Click a row to open the query in "
    "Compare. On the keyboard: Tab to the table, ↑ and ↓ to a row, Enter to open it."
)
TOP_K_HELP = (
    "No row is hidden: k only decides which outcome a query has. The same k decides the signs in "
    "the box “Query” of the sidebar, and the outcomes on Overview."
)
OUTCOME_HELP = "Show only the queries with this outcome. The legend below the table explains each."
EMPTY = ("No query has this outcome", "Choose another outcome or another split.")
COLUMNS = f"""
- **Base**, **Proj.**, **Doc.**, **Mod.**: rank of the best relevant document at the stages base,
  projected, document-modulated and modulated
- **nDCG change**: nDCG@10 of the modulated ranking minus nDCG@10 of the base ranking
- **BM25**: rank of the best relevant document in the ranking by BM25 (keyword search)
- **Training**: how training used the query’s relevant documents
  ({"; ".join(f"*{group}*: {meaning}" for group, meaning in MEANINGS.items())};
  *unknown*: the card of the adapter does not say)
"""
BASE_COLUMNS = """
- **Base**: rank of the best relevant document in the base ranking
- **BM25**: rank of the best relevant document in the ranking by BM25 (keyword search)
"""
NOT_JUDGED_BASE = (
    "These queries have no relevance judgments",
    "So the page shows how much base and BM25 (keyword search) differ. Overlap: how similar the "
    "two rankings of a query are; 1 means identical. The smallest overlaps come first: there, one "
    "of the two is more likely to be wrong.",
)
ADAPTER_ADDS = (
    "a second ranking, and the outcome of each query: rescued, improved, worsened, broken"
)
NOT_JUDGED = (
    "These queries have no relevance judgments",
    "So the page shows how much the adapter changes each ranking, not whether the ranking is "
    "better. Overlap: how similar the base and the modulated ranking of a query are; 1 means "
    "identical. The smallest overlaps come first. A large change is worth a look, but it is not a "
    "failure.",
)


def show() -> None:
    """Draw the page."""
    split = split_choice.heading("Which queries fail, and why?", READING)
    adapter_hint.show(ADAPTER_ADDS)
    if split == UNJUDGED_SPLIT:
        _show_unjudged()
    elif split is not None:
        _show_judged(split)


def _show_judged(split: str) -> None:
    top_k, outcomes = st.columns([3, 7])
    top_k.segmented_control(
        "Top k",
        selections.options("top_k"),
        required=True,
        **state.bound("top_k"),
        help=TOP_K_HELP,
    )
    # read after the control, which replaces a value that it does not offer
    selection = state.current()
    key = (selection.data, selection.system, split, selection.top_k)
    measured = evaluations.evaluation(*key)
    job = remedies.causes(*key[:3])
    with st.container(key="trying_remedies"):
        tried = progress_panel.await_result(job, "The remedies could not be tried", "causes_job")
    diagnoses = evaluations.diagnoses(*key, tried)
    with outcomes:
        outcome = _outcome_choice(diagnoses, outcomes_of(measured))
    rows = worst_ranks_first(d for d in diagnoses if outcome in ("all", d.outcome))
    if not rows:
        notices.show("info", *EMPTY)
        return
    st.caption(
        f"{count(len(rows), 'query', 'queries')}, the worst ranks first. Ranks are those of the "
        "best relevant document; — means that none was retrieved."
    )
    frame = frames.judged_queries(rows, catalog.dataset(selection.data), measured, split)
    query_table.show(frame, f"{selection.data}-{split}-failures.csv", hidden=("split",))
    _show_legend(measured)


def _show_unjudged() -> None:
    selection = state.current()
    overlap = evaluations.overlap(selection.data, selection.system, selection.top_k)
    # without judgments there are no outcomes and no causes: only the overlap is left
    notices.show("info", *(NOT_JUDGED if state.has_adapter() else NOT_JUDGED_BASE))
    if overlap.left_out:
        left_out = count(overlap.left_out, "query", "queries")
        st.caption(f"The run ranks no document for {left_out} of this split. They are not listed.")
    frame = frames.unjudged_queries(overlap, catalog.dataset(selection.data))
    query_table.show(frame, f"{selection.data}-{UNJUDGED_SPLIT}-overlap.csv")


def _outcome_choice(diagnoses: list[Diagnosis], possible: Sequence[Outcome]) -> str:
    # options with no query would only lead to an empty table
    counts = {name: sum(d.outcome == name for d in diagnoses) for name in possible}
    options = ["all", *(name for name, n in counts.items() if n)]
    labels = {"all": f"all ({len(diagnoses)})"}
    labels |= {str(name): f"{SIGNS[name]} {name} ({n})" for name, n in counts.items()}
    st.pills(
        "Outcome",
        options,
        format_func=lambda name: labels[name],
        required=True,
        wrap=True,
        help=OUTCOME_HELP,
        **state.bound("outcome", options),
    )
    return state.current().outcome if state.current().outcome in options else "all"


def _show_legend(measured: Evaluation) -> None:
    """Explain outcomes, causes and the headings of columns."""
    with st.expander("Legend: outcomes, causes and columns", expanded=True):
        for title, items in (
            ("Outcomes", outcome_legend.markdown(measured.top_k, outcomes_of(measured))),
            ("Causes", WHEN_SHOWN),
            ("Columns", COLUMNS if measured.has_adapter else BASE_COLUMNS),
        ):
            st.markdown(f"**{title}**\n\n{items}")
