"""The browser can send the query that is shown: its label is new, but nobody chose."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def answer_with_a_new_label() -> None:
    import streamlit as st

    from dashboard import navigation, state
    from dashboard.shell import query_choice

    state.start()
    for shown, sent, is_chosen in (("q001", "q001", None), ("q001", "q002", True)):
        state.update(data="sample", query=shown, edited_query="another text")
        st.session_state["input_query"] = sent
        query_choice._on_choice()
        assert state.current().query == sent
        assert state.current().edited_query == ("" if is_chosen else "another text")
        assert state.kept(navigation.CHOSEN) is is_chosen


def test_the_query_that_is_shown_is_not_chosen_again(fresh: None) -> None:
    app = AppTest.from_function(answer_with_a_new_label, default_timeout=60).run()
    assert not app.exception
