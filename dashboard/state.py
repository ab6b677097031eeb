"""The one Selection: what is looked at, and how. It lives in the URL, so that a copied link reopens the same view."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, get_type_hints

import streamlit as st

from imrnns_core.workspace import SAMPLE, SAMPLE_ADAPTER

_SELECTION, _WRITTEN, _BARE = "selection", "written_parameters", "bare_address"


@dataclass(frozen=True)
class Selection:
    """Everything that a link carries. Empty text means: not chosen, take the page's first choice.

    `query` is the id of a known query, `text` one that was typed in; a ranking fails when nothing relevant is in
    its first `top_k`, and `shown` documents are drawn; `dropped` are ids of feedback
    documents that shall not refine the query, joined by commas.
    """

    data: str = ""
    adapter: str = ""
    query: str = ""
    text: str = ""
    document: str = ""
    split: str = ""
    top_k: int = 10
    shown: int = 10
    bucket: str = "all"
    alpha: float = 1.0
    dropped: str = ""
    where: str = ""
    part: str = "documents moved"
    shift: str = "query-specific"
    order: str = "modulated rank"
    columns: str = "strength"
    width: str = "top 40"
    dimension: int = -1
    view: str = "target"
    axes: str = "2-D"
    drag: str = "move"
    colour: str = "relevance"
    carry: str = "change"
    marks: str = "no"
    picture: str = "svg"


_TYPES = get_type_hints(Selection)
_DEFAULT = Selection()


def parse(parameters: Mapping[str, str]) -> Selection:
    """Read a Selection from query parameters; what is unknown or malformed is ignored."""
    values: dict[str, Any] = {}
    for name, kind in _TYPES.items():
        if name in parameters:
            try:
                values[name] = kind(parameters[name])
            except ValueError:
                continue
    return Selection(**values)


def parameters(selection: Selection) -> dict[str, str]:
    """Return the query parameters of a Selection: data set, adapter and query, and whatever is not at its default."""
    always = {"data", "adapter", "query"}
    values = {f.name: getattr(selection, f.name) for f in fields(Selection)}
    return {n: str(v) for n, v in values.items() if v != getattr(_DEFAULT, n) or (n in always and v)}


def start() -> Selection:
    """Take the Selection of this run: from the URL if it was changed there, else from the session."""
    url = {name: value for name, value in st.query_params.to_dict().items() if name in _TYPES}
    if _SELECTION not in st.session_state:
        st.session_state[_BARE] = not url
        st.session_state[_SELECTION] = _complete(parse(url))
    elif url and url != st.session_state.get(_WRITTEN):  # back button, or an edited address
        st.session_state[_SELECTION] = _complete(parse(url))
    return current()


def _complete(selection: Selection) -> Selection:
    """Return the Selection of a link with the data set and adapter that it leaves out."""
    return replace(
        selection,
        data=selection.data or os.environ.get("IMRNNS_DATA", SAMPLE),
        adapter=selection.adapter or os.environ.get("IMRNNS_ADAPTER", SAMPLE_ADAPTER if not selection.data else ""),
    )


def current() -> Selection:
    """Return the Selection."""
    selection: Selection = st.session_state[_SELECTION]
    return selection


def is_first_visit() -> bool:
    """Say whether this session began at the bare address; a link leads to what it names, without a guide."""
    return bool(st.session_state.get(_BARE))


def update(**changes: Any) -> None:
    """Change the Selection; the URL follows at the end of the run, or in the next one."""
    before = current()
    if changes.get("data", before.data) != before.data:
        kept = {"data": changes["data"], **{k: v for k, v in changes.items() if k != "data"}}
        st.session_state[_SELECTION] = Selection(**kept)
        return
    if {"query", "text"} & set(changes) and "dropped" not in changes:
        changes = {"document": "", "dropped": "", **changes}
    st.session_state[_SELECTION] = replace(before, **changes)


def write_url() -> None:
    """Put the Selection into the address bar."""
    wanted = parameters(current())
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    st.session_state[_WRITTEN] = wanted


def dark() -> bool:
    """Say whether the page is dark."""
    return st.context.theme.type == "dark"


def bound_list(field: str, options: list[str]) -> dict[str, Any]:
    """Return `key` and `on_change` of a multiselect that shows and changes a field of ids joined by commas."""
    key = f"input_{field}"
    chosen = getattr(current(), field).split(",")
    _put(key, [o for o in options if o in chosen])
    return {"key": key, "on_change": lambda: update(**{field: ",".join(st.session_state[key])})}


def bound(field: str, options: list[Any] | None = None) -> dict[str, Any]:
    """Return `key` and `on_change` of an input widget that shows and changes one field of the Selection.

    With `options`, a value that is not among them falls back to the first.
    """
    key = f"input_{field}"
    value = getattr(current(), field)
    if options is not None and value not in options:
        value = options[0] if options else None
    _put(key, value)

    def changed() -> None:
        chosen = st.session_state[key]
        update(**{field: chosen if chosen is not None else getattr(_DEFAULT, field)})

    return {"key": key, "on_change": changed}


def bound_switch(field: str) -> dict[str, Any]:
    """Return `key` and `on_change` of a toggle that shows and changes a field which is "yes" or "no"."""
    key = f"input_{field}"
    _put(key, getattr(current(), field) == "yes")
    return {"key": key, "on_change": lambda: update(**{field: "yes" if st.session_state[key] else "no"})}


def _put(key: str, value: Any) -> None:
    """Set an input widget, unless it holds the value already: setting it would undo what was typed since the run began."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
