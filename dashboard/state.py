"""The Selection of a session, and the input widgets that show and change it.

The Selection is in the URL, so that a copied link reopens the same view.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import access
from dashboard import selection as selections
from dashboard.selection import DEFAULT, Selection
from imrnns_core.config import NO_ADAPTER, SAMPLE, SAMPLE_ADAPTER
from imrnns_core.storage.judgments import clean_name, user_name
from imrnns_core.types import Side, Target

Message = tuple[Literal["error", "good"], str, str]
"""The kind of a box, its title and its text."""
_SELECTION, _BARE, _MOST_INPUTS = "selection", "bare_address", 100
_LIST, _PAGES, _WHO = "followed_list", "pages_of_inputs", "who_judges"


def start() -> Selection:
    """Return the Selection of this run: from a link or the browser's history, or the session's."""
    url, context = selections.known(st.query_params.to_dict()), get_script_run_ctx()
    if _SELECTION not in st.session_state:
        st.session_state[_BARE] = not url
        st.session_state[_SELECTION] = _complete(selections.parse(url))
    # no other address counts: a control that is used before the browser has the address that the
    # last run wrote sends an old one. And the menu opens pages without parameters
    elif url and context and context.is_history_navigation:
        st.session_state[_SELECTION] = _complete(selections.parse(url))
    return current()


def _complete(selection: Selection) -> Selection:
    """Complete a link: with the default data set and adapter, and with the texts that it edits."""
    data = selection.data or os.environ.get("IMRNNS_DATA", SAMPLE)
    # for another data set, the sidebar chooses an adapter that was trained on it
    adapter = SAMPLE_ADAPTER if data == SAMPLE and not selection.data else ""
    return replace(
        selection,
        data=data,
        adapter=selection.adapter or os.environ.get("IMRNNS_ADAPTER", adapter),
        editing="yes" if selection.edited_query or selection.edited_document else selection.editing,
    )


def current() -> Selection:
    """Return the Selection."""
    selection: Selection = st.session_state[_SELECTION]
    return selection


def has_adapter() -> bool:
    """Return whether an adapter is chosen, and not the base alone."""
    return not current().run and current().adapter != NO_ADAPTER


def target() -> Target:
    """Return what words are behind: the score or its change, which only an adapter makes."""
    return current().carry if has_adapter() else "score"


def parameters() -> dict[str, str]:
    """Return the query parameters of the Selection."""
    return selections.parameters(current())


def is_first_visit() -> bool:
    """Return whether this session began at an address without parameters.

    Who follows a link wants to see what it names, not a guided tour.
    """
    return bool(st.session_state.get(_BARE))


def update(**changes: Any) -> None:
    """Change the Selection. The URL follows at the end of the run, or in the next one."""
    st.session_state[_SELECTION] = selections.changed(current(), **changes)


def follow(query_ids: Sequence[str]) -> None:
    """Remember the list that a query was opened from; an empty one means all queries."""
    st.session_state[_LIST] = (current().data, tuple(query_ids))


def followed_list() -> tuple[str, ...]:
    """Return the ids of the list that the current query was opened from.

    Empty once another data set is open, or a query that is not in the list.
    """
    data, query_ids = st.session_state.get(_LIST, ("", ()))
    selection = current()
    return query_ids if data == selection.data and selection.query in query_ids else ()


def write_url() -> None:
    """Put the Selection into the address bar."""
    wanted = parameters()
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def session() -> str:
    """Return the id of this session."""
    context = get_script_run_ctx()
    # a thread that does not run the script, such as that of a job, has no context
    return context.session_id if context else ""


def is_connected(session: str) -> bool:
    """Return whether a browser is connected to this session."""
    return not runtime.exists() or runtime.get_instance().is_active_session(session)


def who() -> str:
    """Return who judges in this session: who is logged in, else the system's user, or as typed."""
    user = access.user()
    return clean_name(user) if user else str(st.session_state.get(_WHO) or user_name())


def bound_who() -> dict[str, Any]:
    """Bind a text input of the name under which this session judges.

    Returns its `key`, `on_change` and, for the name of a login, `disabled`.
    """
    key = "input_who"
    _put(key, who())

    def changed() -> None:
        typed = st.session_state[key].strip()
        st.session_state[_WHO] = clean_name(typed) if typed else ""

    return {"key": key, "on_change": changed, "disabled": bool(access.user())}


def dark() -> bool:
    """Return whether the page is dark."""
    return st.context.theme.type == "dark"


def value(key: str) -> Any:
    """Return the value of an input widget, None if no run has drawn it."""
    return st.session_state.get(key)


def leave_message(key: str, message: Message) -> None:
    """Keep a message that a click made, for the run of the page that follows it."""
    st.session_state[key] = message


def take_message(key: str) -> Message | None:
    """Return the message that was left, once."""
    message: Message | None = st.session_state.pop(key, None)
    return message


def keep(key: str, value: Any) -> None:
    """Keep a value for the later runs of this session; None removes it."""
    st.session_state[key] = value


def kept(key: str) -> Any:
    """Return the value that was kept, None if there is none."""
    return st.session_state.get(key)


def bound_box(name: str) -> dict[str, Any]:
    """Bind a text box that an upload can fill in; returns its `key` and `value`.

    What is filled in is the first value of a new input widget. Put into the old one, it would be
    lost if the browser asks for a run, with the value before, while this run goes on.
    """
    fills, text = st.session_state.get(f"{name}_filled", (0, ""))
    return {"key": f"{name}_{fills}" if fills else name, "value": text}


def upload_key(box: str) -> str:
    """Return the key of the upload that fills in a text box."""
    return f"{bound_box(box)['key']}_upload"


def fill(box: str, text: str) -> None:
    """Fill in a text box that this run has not drawn yet, and empty its upload."""
    fills, _ = st.session_state.get(f"{box}_filled", (0, ""))
    # the upload, too, gets another key: Streamlit frees the memory of the file
    st.session_state[f"{box}_filled"] = fills + 1, text


def bound_dropped(candidates: Sequence[str]) -> dict[str, Any]:
    """Bind a multiselect of the candidates that do not refine the query.

    Returns its `key` and `on_change`.
    """
    key, excluded = "input_dropped", selections.excluded_ids(current().dropped, candidates)
    _put(key, [c for c in candidates if c in excluded])

    def changed() -> None:
        update(dropped=selections.dropped(st.session_state[key], candidates))

    return {"key": key, "on_change": changed}


def bound(field: str, options: list[Any] | None = None) -> dict[str, Any]:
    """Bind an input widget to one field of the Selection, which it shows and changes.

    If `options` does not contain the value, the first option replaces it, also in the URL.
    Returns its `key` and `on_change`.
    """
    key = f"input_{field}"
    value = getattr(current(), field)
    if options and value not in options:
        value = options[0]
        update(**{field: value})
        # now: the address must not keep a value that no control shows
        write_url()
    _put(key, value)

    def changed() -> None:
        new = st.session_state[key]
        # a control that the reader clears has the value None
        update(**{field: new if new is not None else getattr(DEFAULT, field)})

    return {"key": key, "on_change": changed}


def edited(side: Side, document: str) -> str:
    """Return the text that takes the place of the query or of a document; empty if none does."""
    selection = current()
    if side == "query":
        return selection.edited_query
    # an edited text belongs to the selected document
    return selection.edited_document if document == selection.document else ""


def edit(side: Side, text: str, original: str, document: str) -> None:
    """Use a text instead of the original query, or of a document, which is selected then.

    An empty text, or the original, ends the edit.
    """
    new = text if text.strip() and text != original else ""
    selected = {"document": document} if side == "document" and new else {}
    update(**{f"edited_{side}": new}, **selected)


def bound_text(side: Side, original: str, document: str) -> str:
    """Bind the editor of a text; returns its key. The Selection holds only an edited text."""
    selection = current()
    # a key per pair: an emptied editor stays empty, but only for its own pair
    key = f"input_{side}_{selection.query}_{selection.text}_{document}"
    text = edited(side, document)
    # an emptied editor stays empty: the page explains what that means
    if text or st.session_state.get(key, original).strip():
        _put(key, text or original)
    return key


def bound_switch(field: str) -> dict[str, Any]:
    """Bind a toggle to a field that is "yes" or "no". Returns its `key` and `on_change`."""
    key = f"input_{field}"
    _put(key, getattr(current(), field) == "yes")
    return {
        "key": key,
        "on_change": lambda: update(**{field: "yes" if st.session_state[key] else "no"}),
    }


def _put(key: str, value: Any) -> None:
    """Set an input widget, unless the browser has drawn it with this value already.

    Setting it would undo what was typed since the run began. On another page the same key is a new
    widget in the browser, which starts without a value, although the session still has one. If a
    run begins before the browser has drawn a widget of the last one, the browser draws only the
    widget of the new run, which needs the value again.
    """
    context = get_script_run_ctx()
    page = context.page_script_hash if context else ""
    pages = st.session_state.setdefault(_PAGES, {})
    put_on, drawn = pages.pop(key, ("", False))
    drawn = put_on == page and (drawn or _is_drawn(key))
    if key not in st.session_state or st.session_state[key] != value or not drawn:
        st.session_state[key] = value
    # an editor has a key per pair: those of long ago are forgotten
    st.session_state[_PAGES] = dict([*pages.items(), (key, (page, drawn))][-_MOST_INPUTS:])


def _is_drawn(key: str) -> bool:
    """Return whether the browser has drawn an input widget: it sends the value of those it drew."""
    context = get_script_run_ctx()
    sent = context.session_state.get_widget_states() if context else []
    # the id of a widget ends with its key
    return any(widget.id.endswith(f"-{key}") for widget in sent)
