from __future__ import annotations

from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from dashboard.state import Selection, parameters, parse

values = {
    "str": st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    "int": st.integers(-5, 500),
    "float": st.floats(0, 1),
}
selections = st.builds(Selection, **{f.name: values[str(f.type)] for f in fields(Selection)})


@given(selections)
def test_a_link_reopens_the_same_selection(selection: Selection) -> None:
    assert parse(parameters(selection)) == selection


def test_a_link_is_short() -> None:
    assert parameters(Selection(data="sample", adapter="a", query="q1")) == {"data": "sample", "adapter": "a", "query": "q1"}
    assert parameters(replace(Selection(query="q1"), alpha=0.5)) == {"query": "q1", "alpha": "0.5"}


def test_what_is_malformed_or_unknown_is_ignored() -> None:
    assert parse({"query": "q1", "shown": "many", "nonsense": "1"}) == Selection(query="q1")
