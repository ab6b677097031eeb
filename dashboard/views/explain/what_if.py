"""What would happen if the texts were different.

Editors of both texts; scores, ranks and words of the edited texts.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard import formatting, state
from dashboard.services import catalog, explanations
from dashboard.services.explanations import PairKey
from dashboard.views.explain import target
from dashboard.widgets import dropped_choice, notices, texts
from imrnns_core.data.dataset import Dataset
from imrnns_core.explanation.pair import Pair
from imrnns_core.reporting.html import by_effect
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.text.words import without
from imrnns_core.types import FloatArray, IntArray, Side

READING = (
    "Delete words or edit a text to see new scores and ranks. The candidates stay the same. The "
    "edited text is encoded now, the others have their stored embeddings: differences below 0.0001 "
    "can come from the rounding of stored embeddings."
)
ORIGINAL = "The sections above and below still describe the original texts."
EMPTY = ("An empty text cannot be scored", "The original text is used.")
HEAD = ("stage", "score", "edited score", "difference", "rank", "edited rank")


def show(key: PairKey, pair: Pair, dataset: Dataset) -> None:
    """Let the reader edit both texts and the feedback; draw the new scores, ranks and words."""
    st.header("What if?", anchor=False)
    st.caption(READING)
    is_edited = {
        "document": bool(state.current().edited_document),
        "query": bool(state.current().edited_query),
    }
    if any(is_edited.values()):
        st.caption(ORIGINAL)
    for side, column in texts.sides():
        with column:
            _edit(key, side)
    _feedback(pair.comparison, dataset)
    edited_key = replace(
        key,
        query_text=state.current().edited_query or None,
        document_text=state.current().edited_document or None,
    )
    # without an edit the two keys are equal, and the cache answers at once
    with st.spinner("Encoding …"):
        _outcome(pair, explanations.pair(edited_key))
    if edited_key != key:
        for side, column in texts.sides():
            if not is_edited[side]:
                continue
            with column:
                st.caption(f"Edited {side}: words behind the {target.name()}")
                drops = explanations.word_drops(edited_key, side)[0]
                texts.marked(drops, drops.values(state.target()), f"edited_{side}")


def _feedback(comparison: Comparison, dataset: Dataset) -> None:
    """Draw the choice of feedback documents and of α; one candidate alone has neither.

    Without an adapter, no query is refined.
    """
    if len(comparison.candidate_ids) < 2 or not state.has_adapter():
        return
    first, second = st.columns([3, 2], vertical_alignment="bottom")
    with first:
        dropped_choice.show(comparison, dataset)
    second.slider(
        "Weight α of the modulated score",
        0.0,
        1.0,
        step=0.05,
        help="α = 0: base score only. α = 1: modulated score only.",
        **state.bound("alpha"),
    )


def _edit(key: PairKey, side: Side) -> None:
    """Draw the editor of one text; the Selection holds the text if it is edited.

    Deleted words are taken out of the original text.
    """
    drops = explanations.word_drops(key, side)[0]
    # an encoder’s prefix (“query: ”) is not part of the text that a reader edits
    prefix = len(explanations.prefix(key.data, side))
    # words of the original, so an edit does not change what can be deleted
    order = by_effect(drops.values(state.target()))
    names = {i: drops.words[i].text for i in order}
    widget = f"delete_{side}_{key.query}_{key.document}"

    def delete() -> None:
        deleted = [drops.words[i] for i in state.value(widget)]
        state.edit(side, without(drops.text, deleted)[prefix:], drops.text[prefix:])

    st.multiselect(
        f"Delete words of the {side}",
        list(names),
        format_func=lambda i: names[i],
        key=widget,
        on_change=delete,
        placeholder="Choose words (most influential first)",
    )
    typed = st.text_area(
        f"Text of the {side}",
        height=190 if side == "document" else 100,
        help="Press Ctrl+Enter to re-score.",
        **state.bound_text(side, drops.text[prefix:]),
    )
    if not typed.strip():
        notices.show("info", *EMPTY)


def _outcome(original: Pair, edited: Pair) -> None:
    """Draw scores and ranks of the original and the edited texts."""
    position, edited_rankings = original.position, _rankings(edited.comparison)
    rows = []
    for name, (scores, ranks) in _rankings(original.comparison).items():
        edited_scores, edited_ranks = edited_rankings[name]
        written = (
            formatting.decimal(scores[position]),
            formatting.decimal(edited_scores[position]),
            formatting.signed(edited_scores[position] - scores[position]),
        )
        rows.append((name, *written, str(ranks[position]), str(edited_ranks[position])))
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
