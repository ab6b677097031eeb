"""The one Selection: what is looked at, and how.

It lives in the URL, so that a copied link reopens the same view.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints
from urllib.parse import quote, unquote

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from imrnns_core.config import SAMPLE, SAMPLE_ADAPTER
from imrnns_core.types import Side

ONLY = "only:"
_SELECTION, _WRITTEN, _BARE = "selection", "written_parameters", "bare_address"


@dataclass(frozen=True)
class Selection:
    """Everything that a link carries. Empty text means: not chosen, take the page's first choice.

    `query` is the id of a known query, `text` one that was typed in; a ranking fails when nothing
    relevant is in its first `top_k`, and `shown` documents are drawn; `dropped` are ids of feedback
    documents that shall not refine the query, joined by commas, behind `ONLY` those that alone
    shall; `edited_query` and `edited_document` are what the page Explain scores in place of the
    texts of the query and the document.
    """

    data: str = ""
    adapter: str = ""
    query: str = ""
    text: str = ""
    document: str = ""
    split: str = ""
    top_k: Literal[1, 3, 5, 10, 20] = 10
    shown: Literal[5, 10, 20] = 10
    bucket: str = "all"
    alpha: float = 1.0
    dropped: str = ""
    edited_query: str = ""
    edited_document: str = ""
    where: str = ""
    part: Literal["documents moved", "query refined", "score accounting"] = "documents moved"
    shift: Literal["query-specific", "whole"] = "query-specific"
    order: Literal["modulated rank", "base rank", "cluster"] = "modulated rank"
    columns: Literal["strength", "cluster", "sign"] = "strength"
    width: Literal["top 40", "all"] = "top 40"
    dimension: int = -1
    view: Literal["target", "neighbourhood", "linear"] = "target"
    axes: Literal["2-D", "3-D"] = "2-D"
    drag: Literal["move", "lasso"] = "move"
    colour: str = "relevance"
    carry: Literal["change", "score"] = "change"
    marks: Literal["no", "yes"] = "no"
    picture: Literal["svg", "png"] = "svg"


_TYPES = get_type_hints(Selection)
_DEFAULT = Selection()


def options(field: str) -> list[Any]:
    """Return the values that a field can have, where they are always the same."""
    return list(get_args(_TYPES[field]))


def parse(parameters: Mapping[str, str]) -> Selection:
    """Read a Selection from query parameters.

    What is unknown, malformed or not offered is ignored.
    """
    values: dict[str, Any] = {}
    for name in _TYPES.keys() & parameters.keys():
        try:
            values[name] = _value(name, parameters[name])
        except ValueError:
            continue
    return Selection(**values)


def _value(name: str, text: str) -> Any:
    offered = {str(option): option for option in options(name)}
    if offered:
        if text not in offered:
            raise ValueError(text)
        return offered[text]
    value = _TYPES[name](text)
    if isinstance(value, float) and not 0.0 <= value <= 1.0:
        raise ValueError(text)
    return value


def parameters(selection: Selection) -> dict[str, str]:
    """Return the query parameters of a Selection.

    Data set, adapter and query, and whatever is not at its default.
    """
    always = {"data", "adapter", "query"}
    values = {f.name: getattr(selection, f.name) for f in fields(Selection)}
    return {
        n: str(v) for n, v in values.items() if v != getattr(_DEFAULT, n) or (n in always and v)
    }


def start() -> Selection:
    """Take the Selection of this run.

    From the URL if it was changed there, else from the session.
    """
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
        adapter=selection.adapter
        or os.environ.get("IMRNNS_ADAPTER", SAMPLE_ADAPTER if not selection.data else ""),
    )


def current() -> Selection:
    """Return the Selection."""
    selection: Selection = st.session_state[_SELECTION]
    return selection


def is_first_visit() -> bool:
    """Say whether this session began at the bare address.

    A link leads to what it names, without a guide.
    """
    return bool(st.session_state.get(_BARE))


def update(**changes: Any) -> None:
    """Change the Selection; the URL follows at the end of the run, or in the next one."""
    before = current()
    if changes.get("data", before.data) != before.data:
        kept = {"data": changes["data"], **{k: v for k, v in changes.items() if k != "data"}}
        st.session_state[_SELECTION] = Selection(**kept)
        return
    if any(
        changes.get(name, getattr(before, name)) != getattr(before, name)
        for name in ("query", "text")
    ):  # chosen again is no change
        changes = {"document": "", "dropped": "", "edited_query": "", **changes}
    if changes.get("document", before.document) != before.document:
        changes = {"edited_document": "", **changes}
    st.session_state[_SELECTION] = replace(before, **changes)


def write_url() -> None:
    """Put the Selection into the address bar."""
    wanted = parameters(current())
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    st.session_state[_WRITTEN] = wanted


def session() -> str:
    """Return the name of this session."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def is_connected(session: str) -> bool:
    """Say whether a browser shows this session."""
    return not runtime.exists() or runtime.get_instance().is_active_session(session)


def dark() -> bool:
    """Say whether the page is dark."""
    return st.context.theme.type == "dark"


def left_out(dropped: str, candidates: Sequence[str]) -> frozenset[str]:
    """Return the ids of the candidates that shall not refine the query; never all of them."""
    everyone, named = (
        frozenset(candidates),
        frozenset(map(unquote, dropped.removeprefix(ONLY).split(","))),
    )
    found = everyone - named if dropped.startswith(ONLY) else everyone & named
    return found if len(found) < len(everyone) else frozenset()


def bound_dropped(candidates: Sequence[str]) -> dict[str, Any]:
    """Return `key` and `on_change` of a multiselect of the candidates that shall not refine the query.

    A link names those that are left out, or those that are kept, whichever are fewer.
    """
    key, out = "input_dropped", left_out(current().dropped, candidates)
    _put(key, [c for c in candidates if c in out])

    def changed() -> None:
        chosen = st.session_state[key]
        kept = [c for c in candidates if c not in chosen]
        few = kept if len(kept) < len(chosen) else chosen
        update(
            dropped=(ONLY if few is kept else "") + ",".join(quote(i, safe="") for i in few)
        )  # an id can hold a comma

    return {"key": key, "on_change": changed}


def bound(field: str, options: list[Any] | None = None) -> dict[str, Any]:
    """Return `key` and `on_change` of an input widget that shows and changes one field of the Selection.

    With `options`, a value that is not among them falls back to the first, in the Selection and the address, too.
    """
    key = f"input_{field}"
    value = getattr(current(), field)
    if options and value not in options:
        value = options[0]
        update(**{field: value})
        write_url()
    _put(key, value)

    def changed() -> None:
        chosen = st.session_state[key]
        update(**{field: chosen if chosen is not None else getattr(_DEFAULT, field)})

    return {"key": key, "on_change": changed}


def edit(side: Side, text: str, original: str) -> None:
    """Take a text in place of the query's or the document's.

    None where it is the original, or empty.
    """
    update(**{f"edited_{side}": text if text.strip() and text != original else ""})


def bound_text(side: Side, original: str) -> dict[str, Any]:
    """Return `key` and `on_change` of the editor of a text that the Selection keeps only where it is edited."""
    selection = current()
    key, edited = (
        f"input_{side}_{selection.query}_{selection.text}_{selection.document}",
        getattr(selection, f"edited_{side}"),
    )
    if (
        edited or st.session_state.get(key, original).strip()
    ):  # an emptied editor stays empty: the page says what it means
        _put(key, edited or original)
    return {"key": key, "on_change": lambda: edit(side, st.session_state[key], original)}


def bound_switch(field: str) -> dict[str, Any]:
    """Return `key` and `on_change` of a toggle that shows and changes a field which is "yes" or "no"."""
    key = f"input_{field}"
    _put(key, getattr(current(), field) == "yes")
    return {
        "key": key,
        "on_change": lambda: update(**{field: "yes" if st.session_state[key] else "no"}),
    }


def _put(key: str, value: Any) -> None:
    """Set an input widget, unless it holds the value already.

    Setting it would undo what was typed since the run began.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
