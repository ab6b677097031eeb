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


def show(key: PairKey, pair: Pair, parts: Accounting, dataset: Dataset) -> None:
    """Put the document beside its neighbour in the modulated ranking.

    The one it has to pass, or the one that it keeps below.
    """
    comparison, at = pair.comparison, pair.position
    order, place = comparison.order("modulated"), int(comparison.ranks[3, at]) - 1
    if len(order) < 2:
        return
    other = int(order[place - 1 if place else 1])
    with st.expander(
        f"Beside the document {'above' if place else 'below'} it", on_change="rerun", key="rival"
    ) as opened:
        if not opened.open:
            return
        names = {
            "base": parts.base,
            "projector": parts.projector,
            "document modulation": parts.document_modulation,
        }
        names |= {"query refinement": parts.query_refinement, "modulated": parts.modulated}
        rows = [
            (name, *(formatting.minus(f"{v:+.4f}") for v in (x[at], x[other], x[at] - x[other])))
            for name, x in names.items()
        ]
        texts.table(
            ("part of the score", "this one", "the other", "difference"), rows, "rival_parts"
        )
        st.caption(
            f"Words that carry the {state.current().carry}, in either document, under the same "
            "query."
        )
        for n, column in zip((at, other), st.columns(2), strict=True):
            document_id = comparison.document_ids[n]
            with column, st.spinner("Reading the text …"):
                drops = explanations.word_drops(replace(key, document=document_id), "document")[0]
                st.text(
                    f"{comparison.ranks[3, n]} · "
                    f"{dataset.document[document_id].title or document_id}"
                )
                texts.marked(
                    drops,
                    drops.by(state.current().carry),
                    f"rival_{'other' if n == other else 'this'}",
                )
