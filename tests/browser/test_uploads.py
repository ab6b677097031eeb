"""The dashboard has no uploader, and its server takes no files."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.app import open_page, own_context, status

pytestmark = pytest.mark.browser
SMALL, LARGE = 1000, 150_000_000
_BODY = """async ([path, method, size]) => {
  const token = document.cookie.match(/_streamlit_xsrf=([^;]+)/)[1], body = new FormData();
  body.append("file", new Blob([new Uint8Array(size)]), "file.bin");
  const answer = await fetch(path, { method, headers: { "X-Xsrftoken": token }, body });
  return answer.status;
}"""


def test_a_page_cannot_upload_a_file_to_its_own_session(browser: Browser, address: str) -> None:
    """The session and the token are valid: only the gate refuses."""
    page, frames = own_context(browser).new_page(), list[bytes]()
    page.on(
        "websocket",
        lambda channel: channel.on("framereceived", lambda frame: frames.append(bytes(frame))),
    )
    open_page(page, address)
    messages = map(ForwardMsg.FromString, frames)
    session = next(
        m.new_session.initialize.session_id
        for m in messages
        if m.WhichOneof("type") == "new_session"
    )
    path = f"/_stcore/upload_file/{session}/1"
    answers = {
        method: page.evaluate(_BODY, [path, method, SMALL]) for method in ("PUT", "POST", "DELETE")
    }
    page.context.close()
    assert answers == {"PUT": 405, "POST": 405, "DELETE": 405}


@pytest.mark.parametrize(
    "path",
    ["/_stcore/upload_file/a/b", "/_stcore/agent/interact", "/_stcore/agent/mcp", "/", "/map"],
)
@pytest.mark.parametrize(
    "length",
    [{"Content_Length": str(LARGE)}, {"Transfer_Encoding": "chunked"}],
    ids=["length", "chunked"],
)
def test_a_body_is_refused_before_it_is_sent(
    address: str, path: str, length: dict[str, str]
) -> None:
    port = int(address.rpartition(":")[2])
    assert {method: status(port, f"{method} {path}", **length) for method in ("PUT", "POST")} == {
        "PUT": 405,
        "POST": 405,
    }
