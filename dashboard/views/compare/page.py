"""Compare: what moved?"""

from __future__ import annotations

import streamlit as st

from dashboard import selection as selections
from dashboard import state
from dashboard.figures import compare
from dashboard.formatting import count
from dashboard.services import catalog, comparisons
from dashboard.views.compare import (
    advice,
    candidate_table,
    causes,
    comparison_cards,
    document_lookup,
    expected_document,
    kept_question,
    rankings,
    what_if,
)
from dashboard.widgets import adapter_hint, chart, document_panel, dropped_choice, notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.reporting.change_lines import certainty_line
from imrnns_core.retrieval.comparison import Comparison

READING = (
    "The base ranking and the modulated ranking of the same candidates. Hover over a card to "
    "highlight the same document in the other list. Click a card to read the document."
)
CORPUS_READING = (
    "The base ranking and the modulated ranking of the whole corpus. Hover over a card to "
    "highlight the same document in the other list. Click a card to read the document."
)
BASE_READING = (
    "The base ranking, beside a mix of base and BM25 (keyword search). Hover over a card to "
    "highlight the same document in the other list. Click a card to read the document."
)
RUN_READING = (
    "The ranking of the run, and beside it another one: a mix of the run and BM25 (keyword "
    "search), or the ranking by the vectors. Hover over a card to highlight the same document in "
    "the other list. Click a card to read the document."
)
NOT_RANKED = (
    "The run “{}” ranks no document for this query",
    "Its file has no line for it. Other rankings of the query are shown.",
)
ADAPTER_ADDS = "a ranking that it has learned from your judgments or texts, with the same encoder"
SHOWN_HELP = (
    "Number of top documents in each list. Below them, each list also has up to "
    f"{comparison_cards.LOWER_RELEVANT} relevant documents that are ranked lower, and the document "
    "that you selected."
)
DROPPED_HELP = (
    "The adapter refines the query without these documents. They stay in the ranking. At least one "
    "document must remain."
)
STAGES_READING = (
    "One line per document: those in the top {k} at any stage, every relevant candidate and the "
    "selected document. Where two lines cross, the documents swap ranks. Hover over a mark for the "
    "exact rank; click it to read the document."
)

SYSTEMS_READING = (
    "Drawn are the base candidates in the top {k} of any ranking, every relevant candidate and the "
    "selected document. Hover over a mark for the exact rank; click it to read the document."
)


def show() -> None:
    """Draw the page."""
    selection = state.current()
    dataset = catalog.dataset(selection.data)
    comparison = comparisons.selected(selection)
    _show_heading(comparison, selection)
    adapter_hint.show(ADAPTER_ADDS)
    document_panel.query(comparison)
    if comparison.certainty is not None:
        st.caption(certainty_line(comparison.certainty))
    if not comparison.document_ids:
        notices.show("info", NOT_RANKED[0].format(selection.run), NOT_RANKED[1])
    kept_question.show(dataset)
    expected_document.show(dataset)
    _show_choices(comparison, dataset)
    # page.css keeps the second column in view, and puts its causes first on a phone
    with st.container(key="compare_body"):
        main, side = st.columns([2, 1])
    with main:
        rankings.show(comparison, dataset, selection)
    with side:
        document_panel.show(comparison, dataset, key="compare_document")
        advice_place = causes.show(comparison, dataset)
        what_if_place = what_if.offer(comparison)
        rankings.show_ideal(comparison, dataset, selection)
        document_lookup.show(comparison, dataset)
    if comparison.document_ids:  # without candidates, there is nothing to draw
        _show_stages(comparison, dataset, selection)
    candidate_table.show(comparison, dataset)
    # filled last: they encode texts, and the rest of the page can be read meanwhile
    for place, show_section in ((advice_place, advice.show), (what_if_place, what_if.show)):
        if place is not None:
            with place:
                show_section(comparison, dataset)


def _show_choices(comparison: Comparison, dataset: Dataset) -> None:
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    left.selectbox(
        "Documents per list",
        selections.options("shown"),
        help=SHOWN_HELP,
        **state.bound("shown"),
    )
    with right:
        if state.has_adapter():
            dropped_choice.show(comparison, dataset, DROPPED_HELP)


def _show_heading(comparison: Comparison, selection: selections.Selection) -> None:
    if state.has_adapter():
        is_wide = comparison.certainty is not None
        notices.heading("What moved?", CORPUS_READING if is_wide else READING)
    else:
        notices.heading("What is found?", RUN_READING if selection.run else BASE_READING)


def _stages_reading(comparison: Comparison, selection: selections.Selection) -> str:
    """Return how to read the chart, and which ranks and documents it cannot show exactly."""
    floor, deepest = compare.lower_edge(comparison, selection.shown, selection.document)
    reading = STAGES_READING if len(comparison.stages) > 1 else SYSTEMS_READING
    sentences = [reading.format(k=selection.shown)]
    if deepest > floor:
        unranked = any(not comparison.rank(name).all() for name in comparison.rankings)
        also = ", and so are documents that a ranking does not have (—)" if unranked else ""
        sentences.append(f"Ranks of {floor} and more are drawn at the lower edge{also}.")
    if missing := len(comparison.relevant_not_retrieved):
        documents = count(missing, "relevant document", "relevant documents")
        sentences.append(f"Not in the chart: {documents} that the base ranking does not have.")
    return " ".join(sentences)


def _show_stages(comparison: Comparison, dataset: Dataset, selection: selections.Selection) -> None:
    title = "Rank at every stage" if state.has_adapter() else "Rank in base, BM25 and their fusion"
    st.header(title, anchor=False)
    st.caption(_stages_reading(comparison, selection))
    titles = {i: dataset.document[i].title for i in comparison.document_ids}
    figure = compare.bump(comparison, selection.shown, titles, selection.document)
    alt = f"{title}: the top and the relevant documents"
    for document_id, *_ in chart.clicks(figure, "bump", alt).new[:1]:
        state.update(document=document_id)
        # the panel of the document was drawn before the click was known
        st.rerun()
