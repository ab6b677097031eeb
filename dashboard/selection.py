"""What is looked at, and how: read from a link, printed into one. Knows nothing of Streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints
from urllib.parse import quote, unquote

ONLY = "only:"


@dataclass(frozen=True)
class Selection:
    """Everything that a link carries. Empty text means: not chosen, take the page's first choice.

    `query` is the id of a known query, `text` one that was typed in; a ranking fails when nothing
    relevant is in its first `top_k`, and `shown` documents are drawn; `dropped` are ids of feedback
    documents that do not refine the query, joined by commas, behind `ONLY` those that alone
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
    outcome: str = "all"
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


DEFAULT = Selection()
_RENAMED = {"bucket": "outcome"}
_RENAMED_VALUES = {"failing in ranking": "ranked too low", "failing in the pool": "not retrieved"}
_TYPES = get_type_hints(Selection)


def options(field: str) -> list[Any]:
    """Return the values that a field can have, where they are always the same."""
    return list(get_args(_TYPES[field]))


def known(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the query parameters that name a field, those of older links by their new names."""
    renamed = {_RENAMED.get(name, name): value for name, value in parameters.items()}
    return {name: value for name, value in renamed.items() if name in _TYPES}


def parse(parameters: Mapping[str, str]) -> Selection:
    """Read a Selection from query parameters.

    What is unknown, malformed or not offered is ignored.
    """
    values: dict[str, Any] = {}
    for name, text in known(parameters).items():
        try:
            values[name] = _value(name, text)
        except ValueError:
            continue
    return Selection(**values)


def _value(name: str, text: str) -> Any:
    offered = {str(option): option for option in options(name)}
    if offered:
        if text not in offered:
            raise ValueError(text)
        return offered[text]
    value = _TYPES[name](_RENAMED_VALUES.get(text, text) if name == "outcome" else text)
    if isinstance(value, float) and not 0.0 <= value <= 1.0:
        raise ValueError(text)
    return value


def parameters(selection: Selection) -> dict[str, str]:
    """Return the query parameters of a Selection.

    Data set, adapter and query, and whatever is not at its default.
    """
    always = {"data", "adapter", "query"}
    values = {f.name: getattr(selection, f.name) for f in fields(Selection)}
    return {n: str(v) for n, v in values.items() if v != getattr(DEFAULT, n) or (n in always and v)}


def changed(before: Selection, **changes: Any) -> Selection:
    """Return a Selection with changes, without what no longer belongs to it.

    Another data set forgets everything; another query its document, and another document its edits.
    """
    if changes.get("data", before.data) != before.data:
        return Selection(**changes)
    asked = ("query", "text")
    if any(changes.get(name, getattr(before, name)) != getattr(before, name) for name in asked):
        # chosen again is no change
        changes = {"document": "", "dropped": "", "edited_query": "", **changes}
    if changes.get("document", before.document) != before.document:
        changes = {"edited_document": "", **changes}
    return replace(before, **changes)


def left_out(dropped: str, candidates: Sequence[str]) -> frozenset[str]:
    """Return the ids of the candidates that do not refine the query; never all of them."""
    everyone = frozenset(candidates)
    named = frozenset(map(unquote, dropped.removeprefix(ONLY).split(",")))
    found = everyone - named if dropped.startswith(ONLY) else everyone & named
    return found if len(found) < len(everyone) else frozenset()


def dropped(left_out: Sequence[str], candidates: Sequence[str]) -> str:
    """Print the candidates that do not refine the query.

    Named are those that are left out, or those that are kept, whichever are fewer.
    """
    kept = [c for c in candidates if c not in left_out]
    few = kept if len(kept) < len(left_out) else left_out
    # an id can hold a comma
    return (ONLY if few is kept else "") + ",".join(quote(i, safe="") for i in few)
