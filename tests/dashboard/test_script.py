"""The server's app and the script of a session, without a browser."""

from __future__ import annotations

import importlib

from streamlit.testing.v1 import AppTest

from tests.conftest import REPOSITORY


def test_a_session_opens_the_first_page(fresh: None) -> None:
    app = AppTest.from_file(str(REPOSITORY / "dashboard" / "script.py"), default_timeout=120).run()
    assert not app.exception
    assert [title.value for title in app.title] == ["Failures"]  # as in the menu
    assert any(box.value.startswith("**Which queries fail, and why?**") for box in app.caption)
    assert [box.value for box in app.sidebar.selectbox][:2] == ["sample", "sample-adapter"]


def start_twice() -> None:
    from contextlib import suppress
    from unittest.mock import patch

    from dashboard import navigation, state

    went = list[str]()
    with patch.object(navigation, "go", went.append):
        state.start()
        for query in ("", "q001"):  # by the second run, the sidebar has chosen a query
            state.update(query=query)
            with suppress(StopIteration):  # without going, no page is requested
                navigation.register({name: lambda: None for name in navigation.PAGES})
    assert went == ["failures", "failures"]


def test_if_the_browser_asks_twice_the_first_page_stays_the_same(fresh: None) -> None:
    app = AppTest.from_function(start_twice, default_timeout=60).run()
    assert not app.exception


def test_the_server_runs_the_script() -> None:
    module = importlib.import_module("dashboard.app")
    assert module.FOLDER == REPOSITORY / "dashboard"
    assert type(module.app).__name__ == "App"
