"""Any document's rank at every stage, candidate or not."""

from __future__ import annotations

import streamlit as st

from dashboard import formatting, state
from dashboard.services import catalog
from dashboard.widgets import notices, texts
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.records import Document
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import STAGES

MOST = 5
NONE = "No document has this id or these words in its title"
READING = (
    "Candidates: those that the base retriever handed on; — is none of them. "
    "Corpus: the rank if every document were scored."
)


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
        found = matches(dataset, wanted)
        for document in found:
            _ranks(comparison, document)
        if found:
            st.caption(READING)
        else:
            notices.show("info", NONE)


def matches(dataset: Dataset, wanted: str) -> list[Document]:
    """Return the document of this id, else the first with all these words in id or title."""
    exact = [d for d in dataset.documents if d.id.lower() == wanted]
    words = wanted.split()
    return (
        exact
        or [d for d in dataset.documents if all(w in f"{d.id} {d.title}".lower() for w in words)][
            :MOST
        ]
    )


def _ranks(comparison: Comparison, document: Document) -> None:
    selection, at = state.current(), comparison.position.get(document.id)
    ranker = catalog.ranker(selection.data, selection.adapter)
    ranks = ranker.corpus_ranks(comparison, document.id)
    inside = ["—" if at is None else str(comparison.rank(stage)[at]) for stage in STAGES]
    st.text(f"{document.id} · {document.title}" if document.title else document.id)
    rows = [["candidates", *inside], ["corpus", *(str(ranks[stage]) for stage in STAGES)]]
    head = ["rank among the", *formatting.STAGE_HEADS]
    texts.table(head, rows, key=f"where_{document.id}")
