"""Why the base does not rank a relevant document first, and what would bring one up."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import formatting, navigation, state
from dashboard.services import remedies
from dashboard.widgets import notices, progress_panel
from dashboard.widgets.row_table import component as row_table
from dashboard.widgets.row_table.component import Column
from imrnns_core.data.dataset import Dataset
from imrnns_core.remedies.bench import Bench, RemedyTest
from imrnns_core.remedies.causes import RemedyOutcome, TriedRemedies
from imrnns_core.reporting.causes import NONE, WHEN_SHOWN, cause_lines
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.hybrid import DEPTH
from imrnns_core.types import UNJUDGED, relevant_ids

HEADING = "Causes and remedies"
QUESTION = "The best relevant document has rank {} in the base ranking. What would bring it up?"
NOT_FOUND = "No relevant document is in the top {} of the base ranking. What would bring one in?"
NO_CAUSE = "No cause is shown"
MISSING = (
    "The corpus contains none of the relevant documents",
    "Add them on the page Data. No remedy can find what is not there.",
)
BASE_FIRST = "The base ranking has a relevant document at rank 1"
MOVED_DOWN = (
    "The adapter moves it to rank {}. A smaller α, or the base ranking alone, brings it back."
)
UNJUDGED_TOP = (
    "The first document of the {} ranking, “{}”, has no judgment. If it answers the query, nothing "
    "is wrong: judge it."
)
TABLE = (
    "Ranks of the best relevant document with each remedy and its default setting. Click a row to "
    "see the ranking as the second list. What helps one query can break others."
)
COUNT = "Count the queries that each remedy fixes and breaks"
COUNT_HELP = (
    "Measures the remedies on all judged queries of the split “{}”, as the page Remedies does."
)
COUNTED = (
    "Fixed / broken counts the {} judged queries of the split “{}”, with settings that were chosen "
    "on other queries. The page Remedies lists these queries."
)
COLUMNS = [
    Column("Remedy", wide=True),
    Column(
        "Rank",
        "Rank of the best relevant document. ▲ better and ▼ worse than base; — not in the top 100.",
        numeric=True,
    ),
    Column(
        "p",
        "Share of random changes in which a relevant document gains as much. The remedies of a "
        "cause are tested together, so they have one p.",
        numeric=True,
    ),
]
COUNTS = Column(
    "Fixed / broken",
    "Failing queries that succeed with the remedy / queries that fail only with it.",
    numeric=True,
)
NOT_RANKED = "—"
_COUNTING = "count_of_queries"


def show(comparison: Comparison, dataset: Dataset) -> DeltaGenerator | None:
    """Draw the causes that are shown, and what each remedy would do.

    Returns:
        The container for the advice to authors, once the remedies are tried.
    """
    job = remedies.of_selection(state.current(), comparison)
    if job is None:
        return None
    # a key for each query: its section is a new one, not a moved one, for the browser
    with st.container(key=f"causes-{comparison.query.id}"):
        st.header(HEADING, anchor=False, help=WHEN_SHOWN)
        if not any(d in dataset.document for d in relevant_ids(comparison.judgments)):
            notices.show("warning", *MISSING)
            return None
        with st.container(key="trying_remedies"):
            found = progress_panel.await_result(job, "The remedies could not be tried", "try_again")
        if found is None:
            return None
        _causes(comparison, found)
        _unjudged(comparison, dataset)
        table = st.container()
        bench = _counted(dataset.split_of.get(comparison.query.id))
        with table:
            _table(found, bench)
        return st.container(key="advice")


def _causes(comparison: Comparison, found: TriedRemedies) -> None:
    if found.base_rank == 1:
        final = comparison.best_relevant_rank(comparison.final)
        notices.show("info", BASE_FIRST, MOVED_DOWN.format(final) if final != 1 else "")
        return
    rank = found.base_rank
    st.caption(QUESTION.format(rank) if rank else NOT_FOUND.format(DEPTH))
    lines = cause_lines(found)
    for cause, effects in lines:
        notices.show("good", cause.capitalize(), effects)
    if not lines:
        notices.show("info", NO_CAUSE, NONE)


def _unjudged(comparison: Comparison, dataset: Dataset) -> None:
    """Say that the first document may be a correct answer."""
    ranking = comparison.rankings[comparison.final]
    if not len(ranking.document_ids):
        return
    top = ranking.document_ids[int(ranking.order[0])]
    if comparison.judgments.get(top, UNJUDGED) != UNJUDGED:
        return
    # not Markdown: a title may contain it
    st.text(UNJUDGED_TOP.format(comparison.final, dataset.document[top].title or top))
    if comparison.query.id and st.button("Judge the documents of this query", key="judge_query"):
        state.update(judged_queries="this")
        navigation.go("judging")


def _counted(split: str | None) -> Bench | None:
    """Return the remedies on all queries, if the reader has asked for them.

    Until they are measured, draw the button, or the progress.
    """
    if split is None:
        return None
    what = state.current().data, state.current().system, split
    if state.kept(_COUNTING) != what:
        text = COUNT_HELP.format(split)
        st.button(COUNT, key="count", on_click=state.keep, args=(_COUNTING, what), help=text)
        return None
    job = remedies.measured(*what)
    failed = "The queries could not be counted"
    return progress_panel.await_result(job, failed, "count_again", can_stop=True)


def _table(found: TriedRemedies, bench: Bench | None) -> None:
    st.caption(TABLE)
    rows = [(own.remedy.name, _cells(found, own)) for own in found.outcomes]
    rows, columns = [("", ["base", _written(found.base_rank), ""]), *rows], COLUMNS
    if bench is not None:
        columns = [*COLUMNS, COUNTS]
        counts = {test.measured.remedy.name: test for test in bench.tests["all"]}
        rows = [(name, [*cells, _count(counts.get(name))]) for name, cells in rows]
        st.caption(COUNTED.format(f"{len(bench.query_ids):,}", bench.split))
    opened = row_table.show(columns, rows, "Remedies", "query_remedies")
    if opened:
        state.update(remedy=opened.id)
        # the second list was drawn before the click was known
        st.rerun()


def _cells(found: TriedRemedies, own: RemedyOutcome) -> list[str]:
    p = formatting.p_value(own.p).removeprefix("p ").removeprefix("= ")
    return [own.remedy.name, f"{_sign(found, own)}{_written(own.rank)}", p]


def _count(test: RemedyTest | None) -> str:
    # the base has no counts, and neither has a remedy that changes no query of the split
    return "" if test is None else f"{test.fixed.sum():,} / {test.broken.sum():,}"


def _written(rank: int) -> str:
    return str(rank) if rank else NOT_RANKED


def _sign(found: TriedRemedies, own: RemedyOutcome) -> str:
    """Return whether a rank is better or worse than that of the base; 0 is below all others."""
    if found.is_better(own):
        return "▲ "
    return "" if own.rank == found.base_rank else "▼ "
