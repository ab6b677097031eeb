"""Remedies: what should I change?"""

from __future__ import annotations

import streamlit as st

from dashboard import formatting, state
from dashboard.figures import baselines as figures
from dashboard.services import remedies
from dashboard.views.remedies import groups, judge_ten, other_vectors, queries
from dashboard.widgets import adapter_hint, chart, notices, progress_panel, split_choice, texts
from dashboard.widgets.row_table import component as row_table
from dashboard.widgets.row_table.component import Column
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT
from imrnns_core.remedies.bench import Bench, RemedyTest
from imrnns_core.reporting import remedies as reporting
from imrnns_core.reporting.formatting import interval

READING = (
    "A remedy is a change of the search, such as adding BM25. Each one is tried on all judged "
    "queries of the split; only queries whose judgments an adapter has not learned from decide "
    "what to change first."
)
ADAPTER_ADDS = "more remedies: its ranking of 100 or more candidates, and of the whole corpus"
QUESTION = "What should I change first?"
NOTHING = "No remedy is shown to help"
UNJUDGED = (
    "These queries have no relevance judgments",
    "Without judgments, nobody knows which queries fail. Judge documents on the page Judging, or "
    "choose another split.",
)
CHART = (
    "A query fails if no relevant document is in its top {}. Green: failing queries that the "
    "remedy fixes. Orange: queries that it breaks. Counted are the {} queries that are measured."
)
TABLE = (
    "Click a row to see what a remedy fixes and breaks. Settings, such as the weight of BM25, were "
    "chosen in five folds: each query is measured with the setting that was best on other queries."
)
COLUMNS = [
    Column("Remedy", wide=True),
    Column(
        "Setting", "The setting that was chosen in each of the five folds; several if they differ."
    ),
    Column(NDCG, "Mean with the remedy.", numeric=True),
    Column("Change", f"Mean {NDCG}, remedy − base.", numeric=True),
    Column("95 % interval", "95 % interval of the change."),
    Column(
        "p",
        "The probability of a change at least this large if the remedy had no effect, corrected "
        "for the number of remedies (Holm).",
        numeric=True,
    ),
    Column("Fixed", "Failing queries that succeed with the remedy.", numeric=True),
    Column("Broken", "Queries that fail only with the remedy.", numeric=True),
    Column("ms", "Milliseconds per query, besides base search and BM25 search.", numeric=True),
]
GROUPS = (
    "Seen: the training of the adapter has used a judgment of the query, or of one of its relevant "
    "documents. Text used: only the text of such a document. Unseen: neither. A remedy is listed "
    "by what its own adapter has used; if all queries are in one group, there is only “all”."
)
GROUP_HEAD = ("query group", "queries", "remedy", "change", "95 % interval", "p", "fixed", "broken")


def show() -> None:
    """Draw the page."""
    split = split_choice.heading("What should I change?", READING)
    adapter_hint.show(ADAPTER_ADDS)
    if split is None:
        return
    if split == UNJUDGED_SPLIT:
        notices.show("info", *UNJUDGED)
        return
    selection = state.current()
    job = remedies.measured(selection.data, selection.system, split)
    bench = progress_panel.await_result(
        job, "The remedies could not be measured", "remedies_job", can_stop=True
    )
    chosen = None
    if bench is not None:
        chosen = _show(bench)
        groups.show(bench, split)
    judge_ten.show(split, bench, chosen)


def _show(bench: Bench) -> RemedyTest:
    """Draw the answer and the remedies; return the chosen one."""
    first, tests = bench.first(), bench.tests["all"]
    notices.answer(
        "info" if first is None else "good",
        QUESTION,
        NOTHING if first is None else first.measured.remedy.name,
        reporting.nothing(bench) if first is None else reporting.effect(bench, first),
    )
    for note in reporting.notes(bench):
        st.caption(note)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Fixed and broken queries", anchor=False)
        st.caption(CHART.format(bench.top_k, f"{len(bench.query_ids):,}"))
        rows = [figures.RemedyRow(_name(t), int(t.fixed.sum()), int(t.broken.sum())) for t in tests]
        chart.show(figures.fixed_and_broken(rows), "remedies")
    st.subheader("All remedies", anchor=False)
    st.caption(TABLE)
    opened = row_table.show(COLUMNS, _rows(tests), "Remedies", "remedies_table")
    if opened:
        state.update(remedy=opened.id)
        state.write_url()
    chosen = _chosen(tests, first)
    with right:
        _explain(chosen)
    _groups(bench)
    other_vectors.show(bench.data)
    queries.show(bench, chosen)
    return chosen


def _name(test: RemedyTest) -> str:
    return test.measured.remedy.name


def _rows(tests: list[RemedyTest]) -> list[tuple[str, list[str]]]:
    return [
        (
            _name(test),
            [
                *(_name(test), reporting.setting(test.measured)),
                formatting.decimal(float(test.measured.values.mean())),
                *_figures(test),
                f"{test.measured.milliseconds:.1f}",
            ],
        )
        for test in tests
    ]


def _figures(test: RemedyTest) -> tuple[str, ...]:
    return (
        formatting.signed(test.test.change),
        interval(test.test.interval),
        formatting.p_value(test.p).removeprefix("p ").removeprefix("= "),
        str(int(test.fixed.sum())),
        str(int(test.broken.sum())),
    )


def _chosen(tests: list[RemedyTest], first: RemedyTest | None) -> RemedyTest:
    """Return the remedy of the link, else the recommended one, else the one with the best mean."""
    by_name = {_name(test): test for test in tests}
    named = by_name.get(state.current().remedy) or (first and by_name[_name(first)])
    return named or max(tests, key=lambda test: test.test.change)


def _explain(test: RemedyTest) -> None:
    """Draw what the chosen remedy changes, how to apply it, and what it costs."""
    remedy = test.measured.remedy
    st.subheader(remedy.name[0].upper() + remedy.name[1:], anchor=False)
    cost = f"it adds {test.measured.milliseconds:.1f} ms per query on this machine"
    if remedy.bytes_per_document:
        cost += f", about {remedy.bytes_per_document:,} bytes per document"
    if remedy.reencodes:
        cost += ", and all documents are encoded again"
    setting = reporting.setting(test.measured)
    chosen = f"{setting} ({remedy.setting})"
    facts = [
        ("What it changes", remedy.changes),
        ("How to apply it", remedy.how),
        *([("Setting", chosen)] if setting else []),
        ("Cost", cost),
    ]
    texts.facts(facts, "remedy_facts")


def _groups(bench: Bench) -> None:
    """Draw the figures of each query group, if there are several."""
    if len(bench.tests) < 2:
        return
    with st.expander("Queries apart, by what training has used"):
        st.caption(GROUPS)
        rows = [
            (group, str(test.test.queries), _name(test), *_figures(test))
            for group, tests in bench.tests.items()
            for test in tests
        ]
        texts.table(GROUP_HEAD, rows, "remedy_groups")
