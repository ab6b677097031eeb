"""What if the texts were others?

Editors of both texts, and scores, ranks and words of what was edited.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard import formatting, state
from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.widgets import dropped_choice, notices, texts
from imrnns_core.data.dataset import Dataset
from imrnns_core.explanation.pair import Pair
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import blend
from imrnns_core.text.words import without
from imrnns_core.types import STAGES, FloatArray, IntArray, Side

READING = (
    "Delete words or edit a text: scores and ranks follow. The candidates stay the same, so every "
    "difference is the edit’s."
)
EMPTY = ("An empty text cannot be scored", "The text as it was is used.")
HEAD = ("stage", "score", "edited score", "difference", "rank", "edited rank")


def show(key: PairKey, pair: Pair, dataset: Dataset) -> None:
    """Let the user edit both texts and the feedback; draw scores, ranks and words anew."""
    st.header("What if?", anchor=False)
    st.caption(READING)
    for side, place in texts.sides():
        with place:
            _edit(key, side)
    _feedback(pair.comparison, dataset)
    changed = replace(
        key,
        query_text=state.current().edited_query or None,
        document_text=state.current().edited_document or None,
    )
    with st.spinner("Encoding …"):
        _outcome(pair, explanations.pair(changed))
    if changed != key:
        for side, place in texts.sides():
            with place:
                st.caption(f"The {side}, edited: words that carry the {state.current().carry}")
                drops = explanations.word_drops(changed, side)[0]
                texts.marked(drops, drops.values(state.current().carry), f"edited_{side}")


def _feedback(comparison: Comparison, dataset: Dataset) -> None:
    """Draw the choice of feedback and the slider of α, where there are several candidates."""
    if len(comparison.document_ids) < 2:
        return
    first, second = st.columns([3, 2], vertical_alignment="bottom")
    with first:
        dropped_choice.show(comparison, dataset)
    second.slider("α, from base (0) to modulated (1)", 0.0, 1.0, step=0.05, **state.bound("alpha"))


def _edit(key: PairKey, side: Side) -> None:
    """Draw the editor of one text, which the Selection keeps where it is edited.

    Deleting words edits the text as it was.
    """
    drops = explanations.word_drops(key, side)[0]
    prefix = len(explanations.prefix(key.data, side))
    names = {i: drops.words[i].text for i in drops.top(state.current().carry, len(drops.words))}
    place = f"delete_{side}_{key.query}_{key.document}"

    def delete() -> None:
        deleted = [drops.words[i] for i in state.value(place)]
        state.edit(side, without(drops.text, deleted)[prefix:], drops.text[prefix:])

    st.multiselect(
        f"Delete words of the {side}",
        list(names),
        format_func=lambda i: names[i],
        key=place,
        on_change=delete,
        placeholder="By what they carry, the first carries most",
    )
    typed = st.text_area(
        f"Text of the {side}",
        height=190 if side == "document" else 100,
        help="Ctrl+Enter scores it.",
        **state.bound_text(side, drops.text[prefix:]),
    )
    if not typed.strip():
        notices.show("info", *EMPTY)


def _outcome(before: Pair, after: Pair) -> None:
    """Draw scores and ranks before and after the edit."""
    at, edited = before.position, _rankings(after.comparison)
    rows = []
    for name, (old, old_rank) in _rankings(before.comparison).items():
        new, new_rank = edited[name]
        difference = formatting.signed(new[at] - old[at])
        scores = (f"{old[at]:.4f}", f"{new[at]:.4f}", difference)
        rows.append((name, *scores, str(old_rank[at]), str(new_rank[at])))
    texts.table(HEAD, rows, "outcome")
    was, now = before.comparison.rank("modulated"), after.comparison.rank("modulated")
    moved = int((was != now).sum())
    st.caption(f"{moved} of {len(was)} candidates have another modulated rank.")


def _rankings(comparison: Comparison) -> dict[str, tuple[FloatArray, IntArray]]:
    """Return scores and ranks (K,) at each stage, and those of the blend where α is below 1."""
    alpha = state.current().alpha
    found: dict[str, tuple[FloatArray, IntArray]] = {
        stage: (comparison.score(stage), comparison.rank(stage)) for stage in STAGES
    }
    blended = {f"α = {alpha:.2f}": blend(comparison, alpha)} if alpha < 1.0 else {}
    return {**found, **blended}
