"""The document that the explained one has to pass, or that it keeps below."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard import formatting, state
from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.widgets import texts
from imrnns_core.data.dataset import Dataset
from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.score_accounting import Accounting

HEAD = ("part of the score", "this one", "the other", "difference")


def show(key: PairKey, pair: Pair, parts: Accounting, dataset: Dataset) -> None:
    """Put the document beside its neighbour in the modulated ranking.

    The one it has to pass, or the one that it keeps below.
    """
    comparison, at = pair.comparison, pair.position
    order, place = comparison.order("modulated"), int(comparison.rank("modulated")[at]) - 1
    if len(order) < 2:
        return
    other = int(order[place - 1 if place else 1])
    title = f"Beside the document {'above' if place else 'below'} it"
    with st.expander(title, on_change="rerun", key="rival") as opened:
        if not opened.open:
            return
        texts.table(HEAD, _rows(parts, at, other), "rival_parts")
        st.caption(
            f"Words that carry the {state.current().carry}, in either document, under the same "
            "query."
        )
        this, that = st.columns(2)
        with this:
            _text(key, pair, dataset, at, "this")
        with that:
            _text(key, pair, dataset, other, "other")


def _rows(parts: Accounting, at: int, other: int) -> list[tuple[str, ...]]:
    named = {
        "base": parts.base,
        "projector": parts.projector,
        "document modulation": parts.document_modulation,
        "query refinement": parts.query_refinement,
        "modulated": parts.modulated,
    }
    return [
        (name, *(formatting.signed(float(v)) for v in (x[at], x[other], x[at] - x[other])))
        for name, x in named.items()
    ]


def _text(key: PairKey, pair: Pair, dataset: Dataset, n: int, which: str) -> None:
    comparison, carry = pair.comparison, state.current().carry
    document_id = comparison.document_ids[n]
    with st.spinner("Reading the text …"):
        drops = explanations.word_drops(replace(key, document=document_id), "document")[0]
        title = dataset.document[document_id].title or document_id
        st.text(f"{comparison.rank('modulated')[n]} · {title}")
        texts.marked(drops, drops.values(carry), f"rival_{which}")
