"""A box that finds documents by id, title or address while the reader types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.records import Document

MAX_MATCHES = 5
NO_MATCH = "No document has this id or address, and no title contains all of these words."
_FILES = Path(__file__).parent
_component = st.components.v2.component(
    "imrnns_lens.document_finder",
    html=(
        '<label><span></span><input type="search" autocomplete="off"></label>'
        '<ul></ul><p role="status"></p>'
    ),
    css=(_FILES / "finder.css").read_text("utf-8"),
    js=(_FILES / "finder.js").read_text("utf-8"),
)


def show(
    dataset: Dataset, label: str, placeholder: str, on_pick: Callable[[str], None], key: str
) -> None:
    """Draw the box and the documents that match.

    Args:
        dataset: The documents.
        label: The question that the document answers.
        placeholder: What to type.
        on_pick: Called with the id of the document that the reader chooses.
        key: Key of the component.
    """

    def picked() -> None:
        document_id = st.session_state[key].picked
        if document_id in dataset.document:
            on_pick(str(document_id))

    typed = str((st.session_state.get(key) or {}).get("typed") or "")
    found = matches(dataset, typed)
    _component(
        key=key,
        data={
            "label": label,
            "placeholder": placeholder,
            "typed": typed,
            "matches": [{"id": d.id, "title": d.title or d.text[:100]} for d in found],
            "none": NO_MATCH if typed.strip() and not found else "",
        },
        on_typed_change=lambda: None,
        on_picked_change=picked,
    )


def matches(dataset: Dataset, wanted: str) -> Sequence[Document]:
    """Return the document of this id or address, or else the first with all words in id or title.

    An empty text matches none.
    """
    wanted = wanted.strip().lower()
    if not wanted:
        return []
    # an id is often also a word of other titles: an exact id means this one document
    exact = [d for d in dataset.documents if wanted in (d.id.lower(), d.url.lower())]
    if exact:
        return exact[:MAX_MATCHES]
    words, found = wanted.split(), list[Document]()
    for document in dataset.documents:
        searched = f"{document.id} {document.title} {document.url}".lower()
        if all(word in searched for word in words):
            found.append(document)
            if len(found) == MAX_MATCHES:
                break
    return found
