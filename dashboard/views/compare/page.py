"""Compare: what moved?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formatting, state
from dashboard import selection as selections
from dashboard.figures import compare
from dashboard.services import catalog, comparisons, evaluations, explanations
from dashboard.services.explanations import PairKey
from dashboard.views.compare import comparison_cards, document_lookup
from dashboard.widgets import chart, csv_button, document_panel, notices, tables
from dashboard.widgets.highlighting import Span
from dashboard.widgets.ranking_cards import component as ranking_cards
from dashboard.widgets.ranking_cards.component import Column, Slider
from imrnns_core.data.dataset import Dataset
from imrnns_core.errors import ExplanationError
from imrnns_core.evaluation.diagnosis import LEXICAL_TOP, UNKNOWN_WORD_PIECES
from imrnns_core.evaluation.trec import blended_run
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import STAGES

ALPHAS = [n / 20 for n in range(21)]
"""Where the slider of α can stand."""
TITLE_WIDTH = 144


def show() -> None:
    selection = state.current()
    dataset = catalog.collection(selection.data).dataset
    comparison = comparisons.selected(selection)
    notices.heading(
        "What moved?",
        (
            "The base ranking beside the modulated one. Point at a card to see its twin, click it "
            "to read the document."
        ),
    )
    document_panel.query(comparison)
    _controls(comparison, dataset)
    rankings, side = st.columns([2, 1])
    with rankings:
        _rankings(comparison, dataset, selection.document)
    with side:
        if comparison.judgments:
            ideal = [comparison_cards.ideal(comparison, selection.shown)]
            faces = comparison_cards.faces(ideal, comparison, dataset)
            ranking_cards.show({1.0: ideal}, faces, selection.document, _pick, key="ideal_cards")
        document_panel.show(comparison, dataset, key="compare_document")
        _why(comparison)
        document_lookup.show(comparison, dataset)
    st.header("Rank at every stage", anchor=False)
    st.caption(
        "Documents in the top ranks at any stage. ★ relevant, ✕ judged not relevant, ● "
        "unjudged. Lines that cross changed places."
    )
    titles = {i: dataset.document[i].title for i in comparison.document_ids}
    figure = compare.bump(comparison, selection.shown, titles, selection.document)
    for document_id, *_ in chart.clicks(
        figure, "bump", "Rank of each top document at the four stages"
    ).new[:1]:
        _pick(document_id)
        st.rerun()
    _table(comparison, dataset)


def _pick(document_id: str) -> None:
    state.update(document=document_id)


def _controls(comparison: Comparison, dataset: Dataset) -> None:
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    left.selectbox("Documents a ranking", selections.options("shown"), **state.bound("shown"))
    ids = list(comparison.document_ids)
    if len(ids) < 2:  # the only candidate has to refine the query
        return
    right.multiselect(
        "Feedback documents left out of the refinement",
        ids,
        max_selections=len(ids) - 1,
        format_func=lambda i: f"{i} · {dataset.document[i].title}",
        placeholder="None: all candidates refine the query",
        help=(
            "The modulated ranking is computed again without them; they stay ranked. One at least "
            "has to refine the query."
        ),
        **state.bound_dropped(ids),
    )


@st.fragment
def _rankings(comparison: Comparison, dataset: Dataset, drawn: str) -> None:
    """Draw α and both rankings; only they run again when α moves.

    `drawn` is the document that the page shows.
    """
    st.toggle(
        "Mark the words that carry the change",
        help="Estimated, about a second a document; Explain measures them.",
        **state.bound_switch("marks"),
    )
    selection = state.current()
    alpha = selection.alpha
    places = sorted({*ALPHAS, alpha})
    steps = {
        place: comparison_cards.rankings(comparison, place, selection.shown, selection.document)
        for place in places
    }
    slider = Slider(
        "α, from base (0) to modulated (1)",
        "The second ranking is by (1 − α) · base + α · modulated.",
        alpha,
        lambda place: state.update(alpha=place),
    )
    faces = comparison_cards.faces(
        [column for columns in steps.values() for column in columns], comparison, dataset
    )
    ranking_cards.show(
        steps,
        faces,
        selection.document,
        _pick,
        key="cards",
        spans=_spans(steps[alpha]),
        slider=slider,
    )
    name = comparison.query.id or "query"
    tag = "modulated" if alpha == 1.0 else f"alpha-{alpha:.2f}"
    st.download_button(
        "Download this ranking as a TREC run",
        lambda: blended_run(comparison, alpha, tag),
        f"{name}-{tag}.run",
        "text/plain",
        on_click="ignore",
        key="run",
        help="All candidates in the order of the second ranking.",
    )
    state.write_url()
    if state.current().document != drawn:  # the rest of the page shows the picked document
        st.rerun()


def _spans(columns: list[Column]) -> dict[str, list[Span]]:
    """Return the explaining words of every card, where they are asked for."""
    if state.current().marks != "yes":
        return {}
    ids = list(dict.fromkeys(card.document_id for column in columns for card in column.cards))
    found, progress = dict[str, list[Span]](), st.empty()
    try:
        for n, document_id in enumerate(ids):
            progress.progress(n / len(ids), text=f"Reading document {n + 1} of {len(ids)}")
            found[document_id] = explanations.marked_spans(PairKey.of(state.current(), document_id))
    except ExplanationError as error:
        notices.show("info", "Words are not available for this encoder", str(error))
    progress.empty()
    return found


def _why(comparison: Comparison) -> None:
    """Say why the best relevant document is not on top, where that can be told."""
    selection = state.current()
    split = catalog.collection(selection.data).dataset.split_of.get(comparison.query.id)
    if split is None or not any(grade > 0 for grade in comparison.judgments.values()):
        return
    if (
        comparison.best_relevant_rank("modulated") == 1
    ):  # nothing to explain, and so no search for causes
        return
    found = evaluations.diagnosis(selection.data, selection.adapter, comparison.query.id)
    if found.ranks[-1] == 1:  # it was on top until feedback documents were left out
        return
    with st.container(key="causes"):
        st.header("Why is the relevant document not on top?", anchor=False)
        if not found.findings:
            notices.show(
                "info",
                "None of the known causes applies",
                f"BM25 has none higher among its first {LEXICAL_TOP}, the encoder reads no "
                f"word of the query in {UNKNOWN_WORD_PIECES} pieces or more and missed none in "
                "a text that it cut off, "
                "no near-duplicate stands above the best one, and what stands first was judged.",
            )
            return
        st.caption(
            "Known causes whose signs are here. A sign is no proof: edit a text in Explain, or "
            "type the question anew, and see whether the rank follows."
        )
        for finding in found.findings:
            notices.show("warning", finding.cause.capitalize(), finding.sentence)


def _table(comparison: Comparison, dataset: Dataset) -> None:
    frame = pd.DataFrame(
        {
            "document": comparison.document_ids,
            "title": [dataset.document[i].title for i in comparison.document_ids],
        }
    )
    frame["relevance"] = [
        formatting.relevance_name(int(g)) + (f" ({g})" if g > 0 else "")
        for g in comparison.relevance
    ]
    for n, stage in enumerate(STAGES):
        frame[f"{stage} rank"] = comparison.ranks[n]
    frame["rise"] = comparison.ranks[0] - comparison.ranks[3]
    for n, stage in enumerate(STAGES):
        frame[f"{stage} score"] = comparison.scores[n]
    frame = frame.sort_values("modulated rank")
    st.header("All candidates", anchor=False)
    st.caption(
        "Ranks at the four stages, then scores. Rise is base rank − modulated rank: positive "
        "where the document rose. Click a column’s head to sort."
    )
    columns: dict[str, Any] = {
        "title": st.column_config.TextColumn(width=TITLE_WIDTH),
        "document": st.column_config.TextColumn(width=96),
        "rise": st.column_config.NumberColumn(format="%+d", width=54),
    }
    for stage, short in zip(STAGES, formatting.STAGE_HEADS, strict=True):
        columns[f"{stage} rank"] = st.column_config.NumberColumn(
            short, width=50, help=f"Rank at the stage: {stage}."
        )
        columns[f"{stage} score"] = st.column_config.NumberColumn(
            f"{short} score", width=84, format="%.4f", help=f"Cosine at the stage: {stage}."
        )
    order = [
        "title",
        *(f"{stage} rank" for stage in STAGES),
        "rise",
        "relevance",
        *(f"{stage} score" for stage in STAGES),
        "document",
    ]
    st.dataframe(
        frame.assign(title=[formatting.cell(title, TITLE_WIDTH) for title in frame["title"]]),
        hide_index=True,
        height=tables.table_height(len(frame), 420),
        row_height=tables.TABLE_ROW,
        column_config=columns,
        column_order=order,
        key="candidates",
    )
    name = comparison.query.id or "query"
    csv_button.show(lambda: frame, f"{name}.csv", "csv")
