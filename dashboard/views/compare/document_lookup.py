"""The rank of any document at every stage, whether it was retrieved or not."""

from __future__ import annotations

import streamlit as st

from dashboard import formatting, state
from dashboard.services import catalog
from dashboard.widgets import document_panel, notices, texts
from dashboard.widgets.document_finder import component as document_finder
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.records import Document
from imrnns_core.retrieval.comparison import Comparison

READING = (
    "Candidates: the documents that the base retriever returned (— means not returned). "
    "Corpus: the rank if every document of the data set were scored."
)
RUN_READING = (
    "Ranks among the documents that each ranking has (— means not ranked). A run does not say at "
    "which rank its engine would put other documents."
)
CORPUS_READING = "The rank if every document of the data set were scored."
STAGES_READING = " Proj., doc., mod.: the stages projected, document-modulated, modulated."


def show(comparison: Comparison, dataset: Dataset) -> None:
    """Draw a search box for documents, and the ranks of those that match."""
    # a link that names a document shows its ranks at once
    with st.expander("Find the rank of a document", expanded=bool(state.current().where)):
        st.text_input(
            "Document id or address, or words of its title",
            placeholder="For example: an id from your own logs",
            **state.bound("where"),
        )
        wanted = state.current().where.strip()
        if not wanted:
            return
        documents = document_finder.matches(dataset, wanted)
        for document in documents:
            _show_ranks(comparison, document)
        if documents:
            reading = RUN_READING if state.current().run else READING
            reading = reading if comparison.certainty is None else CORPUS_READING
            st.caption(reading + (STAGES_READING if state.has_adapter() else ""))
        else:
            notices.show("info", "No document found", document_finder.NO_MATCH)


def _show_ranks(comparison: Comparison, document: Document) -> None:
    selection = state.current()
    name = f"{document.id} · {document.title}" if document.title else document.id
    dataset = catalog.dataset(selection.data)
    if dataset.leaves_out(comparison.query.id, document.id):
        st.text(f"{name} · {document_panel.OWN}")
        return
    ranker = catalog.ranker(selection.data, selection.system)
    by_name = {str(stage): r for stage, r in ranker.corpus_ranks(comparison, document.id).items()}
    hits = [comparison.hit(system, document.id) for system in comparison.rankings]
    ranks = [str(hit.rank) if hit else "—" for hit in hits]
    # not `st.write`: a title may contain Markdown
    st.text(name)
    corpus = [str(by_name[s]) if s in by_name else "" for s in comparison.rankings]
    rows = [["candidates", *ranks]] if comparison.certainty is None else []
    rows += [["corpus", *corpus]] if by_name else []
    head = ["rank among", *(formatting.HEADS[system] for system in comparison.rankings)]
    texts.table(head, rows, key=f"where_{document.id}")
