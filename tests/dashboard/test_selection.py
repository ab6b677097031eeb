from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.selection import (
    ONLY,
    Selection,
    changed,
    dropped,
    excluded_ids,
    options,
    parameters,
    parse,
)

values = {
    "str": st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    "int": st.integers(-5, 500),
    "float": st.floats(0, 1),
}
selections = st.builds(
    Selection,
    **{
        f.name: st.sampled_from(options(f.name)) if options(f.name) else values[str(f.type)]
        for f in fields(Selection)
    },
)


@given(selections)
def test_a_link_reopens_the_same_selection(selection: Selection) -> None:
    assert parse(parameters(selection)) == selection


def test_a_link_with_an_older_name_opens_the_same_view() -> None:
    older = {"bucket": "failing in the pool", "query": "q1"}
    assert parse(older) == Selection(query="q1", outcome="not retrieved")
    assert parse({"bucket": "failing in ranking"}).outcome == "ranked too low"


def test_a_link_is_short() -> None:
    assert parameters(Selection(data="sample", adapter="a", query="q1")) == {
        "data": "sample",
        "adapter": "a",
        "query": "q1",
    }
    assert parameters(replace(Selection(query="q1"), alpha=0.5)) == {"query": "q1", "alpha": "0.5"}


def test_what_is_malformed_or_unknown_is_ignored() -> None:
    assert parse({"query": "q1", "shown": "many", "nonsense": "1"}) == Selection(query="q1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("top_k", "7"),
        ("shown", "7"),
        ("view", "nonsense"),
        ("alpha", "9"),
        ("alpha", "nan"),
        ("marks", "1"),
    ],
)
def test_what_no_control_offers_is_ignored(field: str, value: str) -> None:
    """Else the page would use one value and its control show another."""
    assert parse({field: value}) == Selection()


def test_a_link_names_the_feedback_documents_that_are_kept_where_they_are_fewer() -> None:
    ids = ["a", "b", "c", "d"]
    assert excluded_ids("", ids) == frozenset()
    assert excluded_ids("b,d,elsewhere", ids) == {"b", "d"}
    assert excluded_ids("a%2C1", ["a,1", "b"]) == {"a,1"}
    assert excluded_ids(f"{ONLY}c", ids) == {"a", "b", "d"}
    assert (
        excluded_ids("a,b,c,d", ids) == excluded_ids(f"{ONLY}elsewhere", ids) == frozenset()
    )  # one has to refine the query


def test_what_no_longer_belongs_is_forgotten() -> None:
    before = Selection("a", query="q1", document="d1", dropped="d2", edited_document="x", top_k=5)
    assert changed(before, query="q1") == before
    other = changed(before, query="q2")
    assert (other.document, other.dropped, other.edited_document, other.top_k) == ("", "", "", 5)
    assert changed(before, document="d2").edited_document == ""
    assert changed(before, document="d2").dropped == "d2"
    assert changed(before, data="b") == Selection("b")


def test_dropped_names_whichever_are_fewer() -> None:
    ids = ["a", "b,c", "d"]
    for out, text in ((["b,c"], "b%2Cc"), (["a", "b,c"], f"{ONLY}d"), ([], "")):
        assert dropped(out, ids) == text
        assert excluded_ids(text, ids) == frozenset(out)
