"""What reaches the page of an error that nobody expected."""

from __future__ import annotations

import re

from streamlit.proto.Exception_pb2 import Exception as Box
from streamlit.testing.v1 import AppTest

from dashboard import page_errors


def test_an_exception_of_streamlit_has_only_an_id() -> None:
    box = Box(type="KeyError", message="secret", stack_trace=["secret"], is_warning=True)
    error = KeyError("secret")
    page_errors._marshall(box, error, "stretch", apply_show_error_details=True)
    assert re.fullmatch(
        r"Error [0-9a-f]{6}: this page could not be drawn\. The log has the details\.", box.message
    )
    assert (box.type, list(box.stack_trace), box.is_warning) == ("", [], False)
    assert error.__dict__["imrnns_id"] in box.message


def draw() -> None:
    from dashboard import page_errors

    assert page_errors.show(RuntimeError("<b>secret</b>"))


def test_the_message_is_an_alert() -> None:
    app = AppTest.from_function(draw).run()
    assert not app.exception
    (element,) = app.get("html")
    body = element.proto.body
    assert 'role="alert"' in body
    assert re.search("Error [0-9a-f]{6}: this page could not be drawn", body)
    assert "secret" not in body
