"""What would happen if the texts were different.

Editors of the query and of a document; scores, ranks and words of the edited texts.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import formatting, state
from dashboard.services import catalog, explanations, remedies
from dashboard.services.explanations import PairKey
from dashboard.widgets import document_panel, notices, texts
from imrnns_core.config import LONGEST_TYPED
from imrnns_core.data.dataset import Dataset
from imrnns_core.errors import EncoderError, ExplanationError
from imrnns_core.explanation.pair import Pair
from imrnns_core.reporting.html import by_effect
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.text.words import without
from imrnns_core.types import FloatArray, IntArray, Side

TOGGLE = "Edit the texts"
TOGGLE_HELP = (
    "Shows the ranks and scores that a document would have if its text or the query were another "
    "one. The edited text is encoded now, the others have their stored embeddings: differences "
    "below 0.0001 can come from the rounding of stored embeddings."
)
READING = (
    "Delete words or edit a text to see new ranks and scores among the same candidates. The rest "
    "of the page describes the original texts."
)
DOCUMENT = "Document: “{}”."
CHOOSE = "Click a card to edit another one."
EMPTY = ("An empty text cannot be scored", "The original text is used.")
NOT_EDITABLE = "Texts cannot be edited for this encoder and these vectors"
HEAD = ("stage", "rank", "score")


def offer(comparison: Comparison) -> DeltaGenerator | None:
    """Draw the switch of the section.

    Returns:
        The container to fill if it is on. None if it is off, or if only rankings are known: the
        texts of a run cannot be scored.
    """
    if comparison.stage_vectors is None or not comparison.document_ids:
        return None
    with st.container(key="what_if"):
        st.header("What if?", anchor=False)
        st.toggle(TOGGLE, help=TOGGLE_HELP, **state.bound_switch("editing"))
        return st.container() if state.current().editing == "yes" else None


def show(comparison: Comparison, dataset: Dataset) -> None:
    """Let the reader edit both texts; draw the new scores, ranks and words."""
    document = explanations.explained_document(comparison, state.current().document)
    key = PairKey.of(state.current(), document)
    pair = explanations.pair(key)
    try:
        explanations.explainer(key.data, key.adapter).check_pair(pair)
    except (ExplanationError, EncoderError) as error:
        notices.show("info", NOT_EDITABLE, str(error))
        return
    edited = replace(
        key,
        query_text=state.edited("query", document) or None,
        document_text=state.edited("document", document) or None,
    )
    st.caption(READING)
    # without an edit the two keys are equal, and the cache answers at once
    with st.spinner("Encoding …"):
        _outcome(pair, explanations.pair(edited))
    with st.spinner("Reading the texts …"):
        _edit(key, "query")
        # not Markdown: a title may contain it
        st.text(f"{DOCUMENT.format(dataset.document[document].title or document)} {CHOOSE}")
        _edit(key, "document")
        if edited != key:
            _edited_words(edited)
    tried = remedies.of_selection(state.current(), comparison)
    # until the causes are there, they would move the section away again
    if tried is None or tried.finished:
        document_panel.reveal("outcome")


def _edited_words(key: PairKey) -> None:
    """Draw the edited texts with their words marked."""
    texts.mark_legend()
    sides: tuple[tuple[Side, str | None], ...] = (
        ("query", key.query_text),
        ("document", key.document_text),
    )
    for side, text in sides:
        if text is not None:
            st.caption(f"Edited {side}: words behind the {texts.target_name()}")
            drops = explanations.word_drops(key, side)[0]
            texts.marked(drops, drops.values(state.target()), f"edited_{side}")


def _edit(key: PairKey, side: Side) -> None:
    """Draw the editor of one text; the Selection holds the text if it is edited.

    Deleted words are taken out of the original text.
    """
    drops = explanations.word_drops(key, side)[0]
    # an encoder’s prefix (“query: ”) is not part of the text that a reader edits
    prefix = len(explanations.prefix(key.data, side))
    original = drops.text[prefix:]
    # words of the original, so an edit does not change what can be deleted
    order = by_effect(drops.values(state.target()))
    names = {i: drops.words[i].text for i in order}
    deleted = f"delete_{side}_{key.query}_{key.document}"
    typed = state.bound_text(side, original, key.document)

    def delete() -> None:
        words = [drops.words[i] for i in state.value(deleted)]
        _change(side, without(drops.text, words)[prefix:], original, key.document)

    st.multiselect(
        f"Delete words of the {side}",
        list(names),
        format_func=lambda i: names[i],
        key=deleted,
        on_change=delete,
        placeholder="Choose words (most influential first)",
    )
    text = st.text_area(
        f"Text of the {side}",
        height=190 if side == "document" else 100,
        help="Press Ctrl+Enter to re-score.",
        key=typed,
        max_chars=max(LONGEST_TYPED, len(original)),
        on_change=lambda: _change(side, state.value(typed), original, key.document),
    )
    if not text.strip():
        notices.show("info", *EMPTY)


def _change(side: Side, text: str, original: str, document: str) -> None:
    state.edit(side, text, original, document)
    # the edit of a document selects it, and its panel opens above the editor
    document_panel.request_reveal()


def _outcome(original: Pair, edited: Pair) -> None:
    """Draw ranks and scores of the original and the edited texts."""
    position, edited_rankings = original.position, _rankings(edited.comparison)
    rows = []
    for name, (scores, ranks) in _rankings(original.comparison).items():
        new_scores, new_ranks = edited_rankings[name]
        rank = f"{ranks[position]} → {new_ranks[position]}"
        score, new = (formatting.decimal(own[position]) for own in (scores, new_scores))
        difference = formatting.signed(new_scores[position] - scores[position])
        rows.append((name, rank, f"{score} → {new} ({difference})"))
    texts.table(HEAD, rows, "outcome")
    st.caption(changed_ranks(original.comparison, edited.comparison))


def changed_ranks(original: Comparison, edited: Comparison) -> str:
    """Return how many candidates change their last rank by the edit."""
    ranks = original.rank(original.final)
    changed = int((ranks != edited.rank(edited.final)).sum())
    if not changed:
        return "No candidate changes rank."
    return f"{changed} of {len(ranks)} candidates change{'s' if changed == 1 else ''} rank."


def _rankings(comparison: Comparison) -> dict[str, tuple[FloatArray, IntArray]]:
    """Return scores and ranks (K,) at each stage, and those of the blend if α is below 1."""
    alpha, data, system = state.current().alpha, state.current().data, state.current().system
    stages: dict[str, tuple[FloatArray, IntArray]] = {
        stage: (comparison.score(stage), comparison.rank(stage)) for stage in comparison.stages
    }
    # α = 1 is the modulated ranking, which has a row already
    blended = (
        {f"α = {alpha:.2f}": catalog.ranker(data, system).blending(comparison)(alpha)}
        if alpha < 1.0 and state.has_adapter()
        else {}
    )
    return {**stages, **blended}
