"""Both rankings as cards, the slider of α over them, and the ideal order."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.selection import Selection
from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.views.compare import comparison_cards
from dashboard.widgets import notices
from dashboard.widgets.highlighting import Span
from dashboard.widgets.ranking_cards import component as ranking_cards
from dashboard.widgets.ranking_cards.content import Column, Slider
from imrnns_core.data.dataset import Dataset
from imrnns_core.errors import ExplanationError
from imrnns_core.evaluation.trec import blended_run
from imrnns_core.retrieval.comparison import Comparison

ALPHAS = [n / 20 for n in range(21)]
"""Where the slider of α can stand."""


def show_ideal(comparison: Comparison, dataset: Dataset, selection: Selection) -> None:
    """Draw the judged relevant documents, where there are judgments."""
    if not comparison.judgments:
        return
    ideal = [comparison_cards.ideal(comparison, selection.shown)]
    faces = comparison_cards.faces(ideal, comparison, dataset)
    ranking_cards.show({1.0: ideal}, faces, selection.document, _pick, key="ideal_cards")


@st.fragment
def show(comparison: Comparison, dataset: Dataset, drawn: str) -> None:
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
    steps = {
        place: comparison_cards.rankings(comparison, place, selection.shown, selection.document)
        for place in sorted({*ALPHAS, alpha})
    }
    columns = [column for columns in steps.values() for column in columns]
    ranking_cards.show(
        steps,
        comparison_cards.faces(columns, comparison, dataset),
        selection.document,
        _pick,
        key="cards",
        spans=_spans(steps[alpha]),
        slider=Slider(
            "α, from base (0) to modulated (1)",
            "The second ranking is by (1 − α) · base + α · modulated.",
            alpha,
            lambda place: state.update(alpha=place),
        ),
    )
    _download(comparison, alpha)
    state.write_url()
    if state.current().document != drawn:  # the rest of the page shows the picked document
        st.rerun()


def _pick(document_id: str) -> None:
    state.update(document=document_id)


def _download(comparison: Comparison, alpha: float) -> None:
    tag = "modulated" if alpha == 1.0 else f"alpha-{alpha:.2f}"
    st.download_button(
        "Download this ranking as a TREC run",
        lambda: blended_run(comparison, alpha, tag),
        f"{comparison.query.id or 'query'}-{tag}.run",
        "text/plain",
        on_click="ignore",
        key="run",
        help="All candidates in the order of the second ranking.",
    )


def _spans(columns: list[Column]) -> dict[str, list[Span]]:
    """Return the explaining words of every card, where they are asked for."""
    if state.current().marks != "yes":
        return {}
    ids = list(dict.fromkeys(card.document_id for column in columns for card in column.cards))
    found, progress = dict[str, list[Span]](), st.empty()
    try:
        for n, document_id in enumerate(ids):
            progress.progress(n / len(ids), text=f"Reading document {n + 1} of {len(ids)}")
            key = PairKey.of(state.current(), document_id)
            found[document_id] = explanations.marked_spans(key)
    except ExplanationError as error:
        notices.show("info", "Words are not available for this encoder", str(error))
    progress.empty()
    return found
