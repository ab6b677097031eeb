"""Use it in your stack: lines that give the modulated ranking in one's own vector store."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard import state
from dashboard.services import catalog, comparisons
from dashboard.widgets import notices
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import EncoderError
from imrnns_core.model.effective_query import query_move
from imrnns_core.reporting import snippets
from imrnns_core.retrieval.comparison import Comparison

READING = (
    "The modulated ranking of a whole corpus needs two searches in your own vector store, and no "
    "stored vector changes: search with the query, refine the query by the 100 documents found, "
    "search again with the effective query, and score all documents found exactly."
)
PREPARATION = "First save the adapter with “Export” above. Then load it, and encode the query:"
LINES = "Then the two searches. The store must have the embeddings of this data set, by its ids:"
PRINTED = (
    "For this query, and with an exact index, the lines print the top 10 that Compare shows for "
    "“Whole corpus”:"
)
OTHER = "These lines print another ranking than Compare"
PASSAGES = (
    "This data set ranks long documents by their best passage. The lines rank the vectors of your "
    "store: give it one vector per passage, and keep the first passage of each document."
)
OWN = "This query is also a document. Compare leaves that document out, and the lines list it."
COPIES = (
    "Some documents have the same vector. Their scores are equal, and the lines order them at will."
)
ROUNDED = (
    "The lines encode the question anew; Compare uses the stored vector, which is rounded. Here, "
    "documents with nearly equal scores have another order, or the last of the top 10 is another."
)
QDRANT_IDS = (
    "Ids in Qdrant are integers or UUIDs, and the lines print those: keep the id of the document "
    "in the payload of each point."
)
LENGTHS = (
    "The embeddings do not have length 1, and the projector of this adapter has a bias, so its "
    "scores depend on the lengths. A store that ranks by cosine may return vectors of length 1."
)
DEEPER = (
    "The lines score the documents of two searches of 100. For this query, the adapter ranks a "
    "document into its top 10 that is in neither; Compare searches deeper. Let the second search "
    "return more documents."
)
ENDPOINT = "query = ...  # the embedding that your endpoint returns, a NumPy array"
TOP = 10


def show() -> None:
    """Draw the section, if an adapter of this data set is chosen."""
    selection = state.current()
    if selection.adapter not in catalog.fitting_adapters(selection.data):
        return
    st.header("Use it in your stack", anchor=False)
    st.caption(READING)
    store = st.segmented_control(
        "Vector store", list(snippets.STORES), default="FAISS", required=True, key="stack_store"
    )
    compared = _compared()
    text = compared.query.text if compared else "your question"
    encoder = catalog.collection(selection.data).encoder
    query = (
        snippets.query_lines(encoder.spec, text)
        if isinstance(encoder, SentenceTransformerEncoder)
        else f"{ENDPOINT}\n"
    )
    st.caption(PREPARATION)
    st.code(snippets.adapter_lines(f"{selection.adapter}.safetensors") + query, language="python")
    st.caption(LINES)
    st.code(snippets.snippet(store or "FAISS"), language="python")
    if compared is None:
        return
    if store == "Qdrant":
        st.caption(QDRANT_IDS)
    if limit := _limit(compared):
        notices.show("info", OTHER, limit)
        return
    notices.text_block(text, "\n".join(_top(compared)), PRINTED)


def _limit(compared: Comparison) -> str:
    """Return why the lines print another ranking than Compare; empty if they print the same."""
    selection = state.current()
    collection = catalog.collection(selection.data)
    if collection.passages is not None:
        return PASSAGES
    if compared.query.id in collection.dataset.left_out:
        return OWN
    if collection.index.has_duplicates:
        return COPIES
    model = catalog.ranker(selection.data, selection.adapter).adapter.model
    if collection.documents.common_length != 1.0 and model.projector.bias.any():
        return LENGTHS
    if not set(_found(compared)) >= set(_top(compared)):
        return DEEPER
    return "" if _top(_encoded_anew(compared)) == _top(compared) else ROUNDED


def _encoded_anew(compared: Comparison) -> Comparison:
    """Return the ranking for the text of the query, which the lines encode."""
    selection = replace(state.current(), scope="corpus")
    collection = catalog.collection(selection.data)
    if not compared.query.id or not isinstance(collection.encoder, SentenceTransformerEncoder):
        return compared
    try:
        collection.check_encoder()
    except EncoderError:  # another encoder made the vectors
        return compared
    text = compared.query.text
    return comparisons.comparison(selection.data, selection.system, "", text, frozenset())


def _top(compared: Comparison) -> list[str]:
    return [hit.document_id for hit in compared.ranking("modulated", TOP)]


def _found(compared: Comparison) -> list[str]:
    """Return the documents that the lines score: the candidates, and those nearest to q_eff."""
    selection, vectors = state.current(), compared.modulation
    collection = catalog.collection(selection.data)
    model = catalog.ranker(selection.data, selection.adapter).adapter.model
    query = (vectors.query, vectors.query_scale, vectors.query_bias, vectors.modulated_query)
    q_eff = query_move(model, *query)[1].numpy()
    count = len(compared.candidate_ids)
    rows = collection.candidates(q_eff[None], count, [compared.query.id])[0]
    return [*compared.candidate_ids, *(collection.dataset.document_ids[row] for row in rows)]


def _compared() -> Comparison | None:
    """Return the ranking of the whole corpus for the selected query, or for the first one."""
    selection = replace(state.current(), scope="corpus", dropped="")
    if not selection.query and not selection.text:
        first = next(iter(catalog.dataset(selection.data).queries), "")
        selection = replace(selection, query=first)
    return comparisons.selected(selection) if selection.query or selection.text else None
