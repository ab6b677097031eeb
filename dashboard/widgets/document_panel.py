"""The query as asked, and the text of the selected document."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import formatting, navigation, state
from dashboard.services import catalog, comparisons
from dashboard.widgets import grade_control, notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.evaluation.outcomes import comparison_outcome
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.hybrid import RANK_FUSION

OWN_LEFT_OUT = (
    "The corpus also contains this query, with the same id and text. This document is left out of "
    "the rankings. The page Data can change that."
)
OWN = "the query itself, left out of its rankings"
_SHOWN, _REQUESTS = "shown_document", "requested_reveals"
_reveal = st.components.v2.component(
    "imrnns_lens.reveal", js=Path(__file__).with_name("reveal.js").read_text("utf-8")
)


def query(comparison: Comparison) -> None:
    """Draw the query, and where its relevant documents are ranked."""
    judged = comparison.judgments
    relevant = sum(grade > 0 for grade in judged.values())
    name = f"Query {comparison.query.id}" if comparison.query.id else "Your own question"
    if not comparison.query.id and not judged:
        facts = "Your own question; no relevance judgments"
    elif not judged:
        facts = f"{name} · no relevance judgments"
    elif not relevant:
        facts = f"{name} · no document is judged relevant"
    else:
        second = comparisons.second(comparison)
        base, other = (comparison.best_relevant_rank(s) for s in ("base", second))
        facts = (
            f"{name} · rank of the best relevant document: "
            f"base {base or '—'}, {second} {other or '—'} · "
            + _relevant_documents(relevant, len(comparison.relevant_not_retrieved))
            + _outcome(comparison)
        )
    notices.text_block(comparison.query.text, "", facts)
    if comparison.query.id in catalog.dataset(state.current().data).left_out:
        st.caption(OWN_LEFT_OUT)


def _outcome(comparison: Comparison) -> str:
    """Name the outcome of a typed question; that of other queries is in the sidebar."""
    if comparison.query.id or state.current().run:  # a run ranks no typed question
        return ""
    outcome = comparison_outcome(comparison, state.current().top_k)
    return f" · outcome: {formatting.SIGNS[outcome]} {outcome}" if outcome else ""


def _relevant_documents(relevant: int, missing: int) -> str:
    """Count the relevant documents, and those of them that were not retrieved."""
    counted = formatting.count(relevant, "relevant document", "relevant documents")
    if not missing:
        return counted
    return f"{counted}, {'' if missing == relevant else f'{missing:,} '}not retrieved"


def show(comparison: Comparison, dataset: Dataset, key: str) -> None:
    """Draw the selected document with its ranks and scores at all stages, if there is one."""
    # a link may name a document that the data set does not have
    document = dataset.document.get(state.current().document)
    count = _reveal_count(document.id if document else "")
    if document is None:
        return
    with st.container(border=True, key=key):
        best, facts = comparison.passages.get(document.id), _facts(comparison, document.id)
        text = best.part.text if best else document.text
        notices.text_block(document.title, text, facts)
        if best:
            with st.expander("The whole document"):
                notices.text_block("", document.text)
        if not dataset.leaves_out(comparison.query.id, document.id):
            grade_control.show(comparison, document.id, key)
        # Explain needs a pair with vectors, which only candidates have, and those of a run lack
        is_explained = document.id in comparison.position and comparison.stage_vectors is not None
        if is_explained and st.button(
            "Why this document?", key=f"{key}_explain", icon=":material/search_insights:"
        ):
            navigation.go("explain")
        st.button(
            "Close the document",
            key=f"{key}_close",
            # on Modulation, the card of the dimension belongs to the same clicked cell
            on_click=lambda: state.update(document="", dimension=-1),
        )
        _reveal(key=f"{key}_reveal", data={"count": count, "block": key, "of": "documents"})


def _reveal_count(document_id: str) -> int:
    """Return how often the reader selected another document in this session.

    The browser scrolls to the panel when the number grows. A link that names a document opens at
    the top of the page: the first document does not count.
    """
    last, count = st.session_state.get(_SHOWN, (document_id, 0))
    new_count = int(count) + (document_id not in ("", last))
    st.session_state[_SHOWN] = (document_id, new_count)
    return new_count


def request_reveal() -> None:
    """Let the browser scroll to the block of `reveal`, not to a document just selected."""
    count = st.session_state.get(_SHOWN, ("", 0))[1]
    st.session_state[_SHOWN] = (state.current().document, count)
    st.session_state[_REQUESTS] = st.session_state.get(_REQUESTS, 0) + 1


def reveal(block: str) -> None:
    """Scroll to a block of the page, by its key, if this was requested."""
    _reveal(
        key=f"{block}_reveal",
        data={"count": st.session_state.get(_REQUESTS, 0), "block": block, "of": "requests"},
    )


def _facts(comparison: Comparison, document_id: str) -> str:
    """Return the id, the judgment, and the rank and score in each ranking."""
    name = f"{document_id} · {formatting.graded(comparison.judgments.get(document_id, -1))}"
    hits = {system: comparison.hit(system, document_id) for system in comparison.rankings}
    ranks = [
        f"{system} {hit.rank}"
        # fusion has no score of its own
        + ("" if system == RANK_FUSION else f" ({formatting.decimal(hit.score)})")
        for system, hit in hits.items()
        if hit is not None
    ]
    if not ranks:
        own = catalog.dataset(state.current().data).leaves_out(comparison.query.id, document_id)
        return f"{name} · {OWN if own else 'not retrieved for this query'}"
    best = comparison.passages.get(document_id)
    passage = f"ranked by {best} · " if best else ""
    return f"{name} · {passage}rank (score): " + ", ".join(ranks)
