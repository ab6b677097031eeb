"""What if the texts were others?

Editors of both texts, and scores, ranks and words of what was edited.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard import formatting, state
from dashboard.services import catalog, explanations
from dashboard.services.explanations import PairKey
from dashboard.widgets import notices, texts
from imrnns_core.data.dataset import Dataset
from imrnns_core.explanation.pair import Pair
from imrnns_core.retrieval.ranker import blend
from imrnns_core.text.words import without
from imrnns_core.types import STAGES, FloatArray, Side


def show(key: PairKey, pair: Pair, dataset: Dataset) -> None:
    """Let the user edit both texts and the feedback; draw scores, ranks and words anew."""
    st.header("What if?", anchor=False)
    st.caption(
        "Delete words or edit a text: scores and ranks follow. The candidates stay the same, "
        "so every difference is the edit’s."
    )
    for side, place in texts.sides():
        with place:
            _edit(key, side)
    ids = list(pair.comparison.document_ids)
    if len(ids) > 1:
        first, second = st.columns([3, 2], vertical_alignment="bottom")
        first.multiselect(
            "Feedback documents left out of the refinement",
            ids,
            max_selections=len(ids) - 1,
            placeholder="None: all candidates refine the query",
            format_func=lambda i: f"{i} · {dataset.document[i].title}",
            **state.bound_dropped(ids),
        )
        second.slider(
            "α, from base (0) to modulated (1)", 0.0, 1.0, step=0.05, **state.bound("alpha")
        )
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
                texts.marked(drops, drops.by(state.current().carry), f"edited_{side}")


def _edit(key: PairKey, side: Side) -> None:
    """Draw the editor of one text, which the Selection keeps where it is edited.

    Deleting words edits the text as it was.
    """
    drops = explanations.word_drops(key, side)[0]
    spec = catalog.collection(key.data).encoder.spec
    prefix = len(spec.document_prefix if side == "document" else spec.query_prefix)
    names = {i: drops.words[i].text for i in drops.top(state.current().carry, len(drops.words))}
    place = f"{side}_{key.query}_{key.document}"

    def delete() -> None:
        deleted = [drops.words[i] for i in state.value(f"delete_{place}")]
        state.edit(side, without(drops.text, deleted)[prefix:], drops.text[prefix:])

    st.multiselect(
        f"Delete words of the {side}",
        list(names),
        format_func=lambda i: names[i],
        key=f"delete_{place}",
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
        notices.show("info", "An empty text cannot be scored", "The text as it was is used.")


def _outcome(before: Pair, after: Pair) -> None:
    """Draw scores and ranks before and after the edit."""
    at, alpha = before.position, state.current().alpha
    scores: list[tuple[str, FloatArray, FloatArray]] = []
    scores += [
        (s, before.comparison.scores[n], after.comparison.scores[n]) for n, s in enumerate(STAGES)
    ]
    ranks = list(zip(before.comparison.ranks, after.comparison.ranks, strict=True))
    if alpha < 1.0:
        (old, old_ranks), (new, new_ranks) = (
            blend(before.comparison, alpha),
            blend(after.comparison, alpha),
        )
        scores.append((f"α = {alpha:.2f}", old, new))
        ranks.append((old_ranks, new_ranks))
    rows = [
        (
            name,
            f"{old[at]:.4f}",
            f"{new[at]:.4f}",
            formatting.minus(f"{new[at] - old[at]:+.4f}"),
            str(old_rank[at]),
            str(new_rank[at]),
        )
        for (name, old, new), (old_rank, new_rank) in zip(scores, ranks, strict=True)
    ]
    texts.table(
        ("stage", "score", "edited score", "difference", "rank", "edited rank"), rows, "outcome"
    )
    moved = int((before.comparison.ranks[3] != after.comparison.ranks[3]).sum())
    st.caption(f"{moved} of {len(before.comparison.rows)} candidates have another modulated rank.")
