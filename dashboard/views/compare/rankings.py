"""Both rankings as cards with the slider for α, and the ideal order."""

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
"""The values of the slider for α."""
ALPHA_HELP = (
    "α is the weight of the modulated score. The second list is ranked by the mix (1 − α) · base "
    "score + α · modulated score. You can rank by this mix in your own search: choose one α that "
    "suits several queries."
)
MARKS_HELP = (
    "The marks are estimates; they take about one second per document. Explain gives measured "
    "values. Words such as “the” and “of” are not marked."
)


def show_ideal(comparison: Comparison, dataset: Dataset, selection: Selection) -> None:
    """Draw the relevant documents in their ideal order, if the query has judgments."""
    if not comparison.judgments:
        return
    ideal = [comparison_cards.ideal(comparison, selection.shown)]
    contents = comparison_cards.contents(ideal, comparison, dataset)
    ranking_cards.show({1.0: ideal}, contents, selection.document, _pick, key="ideal_cards")


@st.fragment
def show(comparison: Comparison, dataset: Dataset, drawn: str) -> None:
    """Draw the slider for α and both rankings. Only this part runs again when α changes.

    `drawn` is the id of the document that the rest of the page shows.
    """
    st.toggle(
        "Mark the words behind the score change",
        help=MARKS_HELP,
        **state.bound_switch("marks"),
    )
    selection = state.current()
    alpha = selection.alpha
    # all values are sent at once: the slider then moves without the server
    steps = {
        value: comparison_cards.rankings(comparison, value, selection.shown, selection.document)
        # a link may name a value between those of the slider
        for value in sorted({*ALPHAS, alpha})
    }
    columns = [column for columns in steps.values() for column in columns]
    ranking_cards.show(
        steps,
        comparison_cards.contents(columns, comparison, dataset),
        selection.document,
        _pick,
        key="cards",
        # only the cards of this value: each document takes about a second
        spans=_spans(steps[alpha]),
        slider=Slider(
            "α: mix of the base score (0) and the modulated score (1)",
            ALPHA_HELP,
            alpha,
            lambda value: state.update(alpha=value),
        ),
    )
    _download(comparison, alpha)
    # a fragment runs without script.py, which writes the address otherwise
    state.write_url()
    if state.current().document != drawn:  # the rest of the page shows it, too
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
        help="All candidates in the order of the second list, as a file for trec_eval.",
    )


def _spans(columns: list[Column]) -> dict[str, list[Span]]:
    """Return the marked words of every card, if the reader switched the marks on."""
    if state.current().marks != "yes":
        return {}
    ids = list(dict.fromkeys(card.document_id for column in columns for card in column.cards))
    spans, progress = dict[str, list[Span]](), st.empty()
    try:
        for n, document_id in enumerate(ids):
            progress.progress(
                n / len(ids), text=f"Estimating words: document {n + 1} of {len(ids)}"
            )
            key = PairKey.of(state.current(), document_id)
            spans[document_id] = explanations.marked_spans(key)
    except ExplanationError as error:
        notices.show("info", "Words cannot be marked for this encoder", str(error))
    progress.empty()
    return spans
