"""Both rankings as cards with the slider that mixes them, and the ideal order."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.formatting import download_name
from dashboard.selection import Selection, options
from dashboard.services import catalog, comparisons, explanations, remedies
from dashboard.services.explanations import PairKey
from dashboard.views.compare import comparison_cards
from dashboard.widgets import notices
from dashboard.widgets.highlighting import Span
from dashboard.widgets.ranking_cards import component as ranking_cards
from dashboard.widgets.ranking_cards.content import Column, Slider
from imrnns_core.config import ENCODER_BASE
from imrnns_core.data.dataset import Dataset
from imrnns_core.errors import ExplanationError
from imrnns_core.evaluation.trec import single_run
from imrnns_core.remedies.causes import RemedyOutcome
from imrnns_core.retrieval.comparison import Comparison, Ranking

ALPHAS = [n / 20 for n in range(21)]
"""The values of the slider for α."""
WEIGHT = "w: mix of the base score (0) and the BM25 score (1)"
WEIGHT_HELP = (
    "w is the weight of BM25 (keyword search). The second list is ranked by the mix (1 − w) · base "
    "score + w · BM25 score; both scores are scaled from 0 to 1. Overview compares this mix over "
    "all judged queries."
)
ALPHA = "α: mix of the base score (0) and the modulated score (1)"
ALPHA_HELP = (
    "α is the weight of the modulated score. The second list is ranked by the mix (1 − α) · base "
    "score + α · modulated score. You can rank by this mix in your own search: choose one α that "
    "suits several queries."
)
OUTSIDE = (
    "“{}” is not among the candidates. In the whole corpus, its base rank is {:,} and its "
    "modulated rank is {:,}: "
)
FOUND = "the adapter finds it. To rank it, choose “Whole corpus” in the sidebar."
NOT_FOUND = "the adapter does not rank it in its top {} either."
MOST_OUTSIDE = 3
"""Relevant documents outside the candidates that are named."""
BESIDE = {"BM25": "BM25 (keyword search)", ENCODER_BASE: "Encoder (vectors)"}
SECOND_HELP = (
    "The ranking beside base. With a remedy, it is the ranking that the changed search would give."
)
MARKS_HELP = (
    "The marks are estimates; they take about one second per document. Explain gives measured "
    "values. Words such as “the” and “of” are not marked."
)


def show_ideal(comparison: Comparison, dataset: Dataset, selection: Selection) -> None:
    """Draw the relevant documents in their ideal order, if the query has judgments."""
    if not comparison.judgments:
        return
    second = comparisons.second(comparison)
    ideal = [comparison_cards.ideal(comparison, second, selection.shown)]
    contents = comparison_cards.contents(ideal, comparison, dataset)
    ranking_cards.show({1.0: ideal}, contents, selection.document, _pick, key="ideal_cards")
    if state.has_adapter() and comparison.certainty is None:
        _show_outside(comparison, dataset, selection)


def _show_outside(comparison: Comparison, dataset: Dataset, selection: Selection) -> None:
    """Draw the ranks of relevant documents outside the candidates, if all documents are ranked."""
    ranker = catalog.ranker(selection.data, selection.system)
    for document_id in comparison.relevant_not_retrieved[:MOST_OUTSIDE]:
        ranks = ranker.corpus_ranks(comparison, document_id)
        if not ranks:  # the document is the query itself
            continue
        title = dataset.document[document_id].title or document_id
        count = len(comparison.candidate_ids)
        found = ranks["modulated"] <= count
        # not Markdown: a title may contain it
        st.text(
            OUTSIDE.format(title, ranks["base"], ranks["modulated"])
            + (FOUND if found else NOT_FOUND.format(count))
        )


@st.fragment
def show(comparison: Comparison, dataset: Dataset, drawn: Selection) -> None:
    """Draw the slider and both rankings. Only this part runs again when the slider moves.

    It mixes base and modulated scores (α) or, without an adapter, base and BM25 scores (w). Beside
    a run, the ranking by the vectors can stand instead, without a slider.
    `drawn` is the Selection that the rest of the page shows.
    """
    remedies = _choose_remedy(comparison)
    if state.current().run:
        _choose_second(comparison)
    else:
        _mark_toggle()
    selection = state.current()
    alpha = selection.alpha if state.has_adapter() else selection.weight
    remedy = remedies.get(selection.remedy)
    second = _second(comparison, selection, _ranking(remedy, dataset) if remedy else None)
    is_mixed = remedy is None and not _is_beside_encoder(selection)
    # all values are sent at once: the slider then moves without the server
    steps = {
        value: comparison_cards.rankings(
            comparison, second(value), selection.shown, selection.document, selection.run
        )
        # a link may name a value between those of the slider
        for value in (sorted({*ALPHAS, alpha}) if is_mixed else [alpha])
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
        slider=_slider() if is_mixed else None,
    )
    _download(comparison.query.id or "query", *second(alpha))
    _finish(drawn)


def _finish(drawn: Selection) -> None:
    """Write the address, and draw the rest of the page again if it shows something else."""
    # a fragment runs without script.py, which writes the address otherwise
    state.write_url()
    now = state.current()
    # edited texts have a row for α
    if now.document != drawn.document or (now.editing == "yes" and now.alpha != drawn.alpha):
        st.rerun()


def _choose_remedy(comparison: Comparison) -> dict[str, RemedyOutcome]:
    """Draw the choice of the second list; return the remedies that it offers by name.

    It is drawn once the remedies of the query are computed.
    """
    job = remedies.of_selection(state.current(), comparison)
    if job is None or not job.is_there():
        return {}
    offered = {own.remedy.name: own for own in job.result().outcomes}
    usual = "modulated ranking" if state.has_adapter() else "usual ranking"
    st.selectbox(
        "Second list",
        ["", *offered],
        format_func=lambda name: f"with the remedy “{name}”" if name else usual,
        help=SECOND_HELP,
        **state.bound("remedy", ["", *offered]),
    )
    if chosen := offered.get(state.current().remedy):
        st.caption(f"{chosen.remedy.changes} {chosen.remedy.how}")
    return offered


def _ranking(own: RemedyOutcome, dataset: Dataset) -> Ranking:
    """Return the ranking with a remedy; not every remedy has scores."""
    ids, count = dataset.document_ids, len(own.rows)
    return Ranking(
        own.remedy.name,
        tuple(ids[row] for row in own.rows.tolist()),
        np.full(count, np.nan, dtype=np.float32),
        np.arange(1, count + 1),
    )


def _mark_toggle() -> None:
    st.toggle(
        f"Mark the words behind the {'score change' if state.has_adapter() else 'base score'}",
        help=MARKS_HELP,
        **state.bound_switch("marks"),
    )


def _choose_second(comparison: Comparison) -> None:
    """Draw the choice of the ranking beside a run; without vectors, there is only BM25."""
    if ENCODER_BASE in comparison.rankings:
        st.segmented_control(
            "Beside the run",
            options("beside"),
            format_func=lambda name: BESIDE[name],
            required=True,
            **state.bound("beside"),
        )


def _is_beside_encoder(selection: Selection) -> bool:
    """Return whether a run is compared with the ranking by the vectors."""
    has_vectors = catalog.collection(selection.data).has_vectors
    return bool(selection.run) and has_vectors and selection.beside == ENCODER_BASE


def _slider() -> Slider:
    selection = state.current()
    if state.has_adapter():
        return Slider(ALPHA, ALPHA_HELP, selection.alpha, lambda value: state.update(alpha=value))
    return Slider(WEIGHT, WEIGHT_HELP, selection.weight, lambda value: state.update(weight=value))


def _second(
    comparison: Comparison, selection: Selection, remedied: Ranking | None
) -> Callable[[float], tuple[str, Ranking]]:
    """Return the second ranking, with its title, as a function of the slider.

    `remedied` is the ranking of the chosen remedy, if one is chosen.
    """
    if remedied is not None:
        return lambda _: (remedied.system, remedied)
    if state.has_adapter():
        blended = catalog.ranker(selection.data, selection.system).blending(comparison)
        return lambda alpha: comparison_cards.modulated(comparison, alpha, blended(alpha))
    if _is_beside_encoder(selection):
        return lambda _: comparison_cards.encoder(comparison)
    hybrid = comparisons.hybrid(selection.data, selection.system, selection.query, selection.text)
    return lambda weight: comparison_cards.lexical(hybrid, weight)


def _pick(document_id: str) -> None:
    state.update(document=document_id)


def _download(query_id: str, title: str, ranking: Ranking) -> None:
    tag = re.sub("[^a-z0-9.]+", "-", title.replace("α = ", "alpha ").lower())
    st.download_button(
        "Download the second list as a TREC run",
        lambda: single_run(query_id, ranking, tag),
        download_name(f"{query_id}-{tag}.run"),
        "text/plain",
        on_click="ignore",
        key="run",
        help="All documents of the second list, in its order, as a file for trec_eval.",
    )


def _spans(columns: list[Column]) -> dict[str, list[Span]]:
    """Return the marked words of every card, if the reader switched the marks on."""
    if state.current().marks != "yes" or state.current().run:
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
