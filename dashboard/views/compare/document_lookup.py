"""Any document's rank at every stage, candidate or not."""

from __future__ import annotations

import streamlit as st

from dashboard import formatting, state
from dashboard.services import catalog
from dashboard.widgets import notices, texts
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import STAGES


def show(comparison: Comparison, dataset: Dataset) -> None:
    """Let the user look for a document.

    Draw its ranks among the candidates and in the whole corpus.
    """
    with st.expander("Where is document X?", expanded=bool(state.current().where)):
        st.text_input(
            "An id, or words of a title",
            placeholder="for example an id from your own logs",
            **state.bound("where"),
        )
        wanted = state.current().where.strip().lower()
        if not wanted:
            return
        exact = [d for d in dataset.documents if d.id.lower() == wanted]
        found = (
            exact
            or [
                d
                for d in dataset.documents
                if all(w in f"{d.id} {d.title}".lower() for w in wanted.split())
            ][:5]
        )
        if not found:
            notices.show("info", "No document has this id or these words in its title")
        for document in found:
            at = comparison.position.get(document.id)
            ranks = catalog.ranker(state.current().data, state.current().adapter).corpus_ranks(
                comparison, document.id
            )
            inside = [
                "—" if at is None else str(comparison.ranks[n, at]) for n in range(len(STAGES))
            ]
            st.text(f"{document.id} · {document.title}" if document.title else document.id)
            rows = [["candidates", *inside], ["corpus", *(str(ranks[stage]) for stage in STAGES)]]
            texts.table(
                ["rank among the", *formatting.STAGE_HEADS], rows, key=f"where_{document.id}"
            )
        if found:
            st.caption(
                "Candidates: those that the base retriever handed on; — is none of them. "
                "Corpus: the rank if every document were scored."
            )
