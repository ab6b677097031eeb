"""The Selection: what the reader looks at, as fields and as the parameters of a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints
from urllib.parse import quote, unquote

from imrnns_core.config import (
    CORPUS_PREFIX,
    ENCODER_BASE,
    LONGEST_TYPED,
    NO_ADAPTER,
    RUN_PREFIX,
    Scope,
)

ONLY = "only:"
"""Prefix of `dropped` if it names the documents that remain."""


@dataclass(frozen=True)
class Selection:
    """Everything that a link contains. An empty text means the first option of the page.

    Attributes:
        data: Name of the data set.
        adapter: Name of the adapter. It has no effect if the base is a run.
        scope: Whether the adapter ranks the base candidates or the whole corpus.
        base: Name of the run that is the base, or `ENCODER_BASE`.
        query: Id of a query of the data set.
        text: A query that was typed in.
        expected: Id of the document that should answer the typed query.
        document: Id of the selected document.
        split: The split that Overview and Failures show.
        top_k: A query fails if no relevant document is in the top k.
        shown: Documents per list.
        outcome: The outcome that Failures shows.
        alpha: Weight of the modulated score in the second ranking of Compare.
        weight: Weight of BM25 in the second ranking of Compare, without an adapter.
        beside: What Compare shows beside a run.
        dropped: Ids of the feedback documents that do not refine the query, joined by commas; after
            `ONLY` the ids of those that do.
        editing: Whether Compare shows the editors of the texts.
        edited_query: Text that Compare scores instead of the query.
        edited_document: Text that Compare scores instead of the selected document.
        where: What the reader types to find the rank of a document.
        part: The view of Modulation.
        shift: Whether Modulation shows the whole shift or its query-specific part.
        order: Order of the rows of a heat map.
        columns: Order of the columns of a heat map.
        width: Number of dimensions in a heat map.
        dimension: The selected dimension; -1 is none.
        view: The view of Map.
        axes: Dimensions of a map.
        drag: What dragging the mouse does in a map.
        colour: What the colours of a map show.
        carry: Whether Explain ranks words by their effect on the score or on its change.
        marks: Whether Compare marks words.
        picture: File format of saved charts.
        judged_queries: The queries whose documents Judging offers.
        recipe: The recipe with which Adapters trains.
        other: What Adapters compares the adapter with.
        remedy: The remedy whose queries Remedies lists, and whose ranking Compare shows.
    """

    data: str = ""
    adapter: str = ""
    scope: Scope = "candidates"
    base: str = ENCODER_BASE
    query: str = ""
    text: str = ""
    expected: str = ""
    document: str = ""
    split: str = ""
    top_k: Literal[1, 3, 5, 10, 20] = 10
    shown: Literal[5, 10, 20] = 10
    outcome: str = "all"
    alpha: float = 1.0
    weight: float = 0.5
    beside: Literal["BM25", "encoder"] = "BM25"
    dropped: str = ""
    editing: Literal["no", "yes"] = "no"
    edited_query: str = ""
    edited_document: str = ""
    where: str = ""
    part: Literal["documents moved", "query refined", "score accounting"] = "documents moved"
    shift: Literal["query-specific", "whole"] = "query-specific"
    order: Literal["modulated rank", "base rank", "cluster"] = "modulated rank"
    columns: Literal["strength", "cluster", "sign"] = "strength"
    width: Literal["top 40", "all"] = "top 40"
    dimension: int = -1
    view: Literal["target", "neighbourhood", "linear", "effective"] = "target"
    axes: Literal["2-D", "3-D"] = "2-D"
    drag: Literal["move", "lasso"] = "move"
    colour: str = "relevance"
    carry: Literal["change", "score"] = "change"
    marks: Literal["no", "yes"] = "no"
    picture: Literal["svg", "png"] = "svg"
    judged_queries: str = "all"
    recipe: str = ""
    other: str = ""
    remedy: str = ""

    @property
    def run(self) -> str:
        """The name of the run that is the base; empty if the vectors are."""
        return "" if self.base == ENCODER_BASE else self.base

    @property
    def system(self) -> str:
        """What ranks, as services name it: the run, or else the adapter with its scope."""
        if self.run:
            return f"{RUN_PREFIX}{self.run}"
        is_wide = self.scope == "corpus" and self.adapter != NO_ADAPTER
        return f"{CORPUS_PREFIX}{self.adapter}" if is_wide else self.adapter


DEFAULT = Selection()
# links that were copied before a renaming still open
LONGEST_ID, MAX_DIMENSIONS = 1_000, 100_000
_LONGEST = {
    **dict.fromkeys(("text", "edited_query", "edited_document"), LONGEST_TYPED),
    "dropped": 50_000,  # ids of up to a hundred documents
}
"""Field → characters that it can have in a link, if more than `LONGEST_ID`."""
_RENAMED = {"bucket": "outcome"}
_RENAMED_VALUES = {"failing in ranking": "ranked too low", "failing in the pool": "not retrieved"}
# annotations are texts in this module; a type also lists the options of the field's control
_TYPES = get_type_hints(Selection)


def options(field: str) -> list[Any]:
    """Return the values that a field can have, or an empty list if they depend on the data."""
    return list(get_args(_TYPES[field]))


def known(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the query parameters that name a field. Older links get the new names."""
    renamed = {_RENAMED.get(name, name): value for name, value in parameters.items()}
    return {name: value for name, value in renamed.items() if name in _TYPES}


def parse(parameters: Mapping[str, str]) -> Selection:
    """Read a Selection from query parameters, and ignore all that are unknown or invalid."""
    values: dict[str, Any] = {}
    for name, text in known(parameters).items():
        try:
            # one faulty value must not lose the rest of a link
            values[name] = _value(name, text)
        except ValueError:
            continue
    return Selection(**values)


def _value(name: str, text: str) -> Any:
    if len(text) > _LONGEST.get(name, LONGEST_ID) or any(0xD800 <= ord(c) < 0xE000 for c in text):
        raise ValueError(text)
    offered = {str(option): option for option in options(name)}
    if offered:
        if text not in offered:
            raise ValueError(text)
        return offered[text]
    value = _TYPES[name](_RENAMED_VALUES.get(text, text) if name == "outcome" else text)
    # alpha and weight; “nan” is a valid float and also fails this comparison
    if isinstance(value, float) and not 0.0 <= value <= 1.0:
        raise ValueError(text)
    # the dimension of a vector; -1 is none
    if isinstance(value, int) and not -1 <= value < MAX_DIMENSIONS:
        raise ValueError(text)
    return value


def parameters(selection: Selection) -> dict[str, str]:
    """Return the query parameters: data set, adapter, query, and all that is not a default."""
    always = {"data", "adapter", "query"}
    values = {f.name: getattr(selection, f.name) for f in fields(Selection)}
    return {n: str(v) for n, v in values.items() if v != getattr(DEFAULT, n) or (n in always and v)}


def changed(before: Selection, **changes: Any) -> Selection:
    """Return a Selection with changes, and reset the fields that no longer fit.

    A new data set resets everything, a new query resets the document, and a new document resets its
    edited text.
    """
    if changes.get("data", before.data) != before.data:
        # ids belong to one data set, and adapters fit its dimensions
        return Selection(**changes)
    query_fields = ("query", "text")
    # the same query chosen again is no change
    if any(changes.get(f, getattr(before, f)) != getattr(before, f) for f in query_fields):
        changes = {"expected": "", "document": "", "dropped": "", "edited_query": "", **changes}
    if changes.get("document", before.document) != before.document:
        changes = {"edited_document": "", **changes}
    return replace(before, **changes)


def excluded_ids(dropped: str, candidates: Sequence[str]) -> frozenset[str]:
    """Return the ids of the candidates that do not refine the query; never all of them."""
    all_ids = frozenset(candidates)
    named = frozenset(map(unquote, dropped.removeprefix(ONLY).split(",")))
    excluded = all_ids - named if dropped.startswith(ONLY) else all_ids & named
    # the ranker refuses a query without feedback documents; a link may exclude them all
    return excluded if len(excluded) < len(all_ids) else frozenset()


def dropped(excluded: Sequence[str], candidates: Sequence[str]) -> str:
    """Return the field `dropped` for these candidates.

    To keep links short, it names the excluded or the remaining candidates, whichever are fewer.
    """
    remaining = [c for c in candidates if c not in excluded]
    fewer = remaining if len(remaining) < len(excluded) else excluded
    # an id can contain a comma
    return (ONLY if fewer is remaining else "") + ",".join(quote(i, safe="") for i in fewer)
