"""The server takes files for the uploads of its own pages, up to a limit, and nothing else."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.app import open_page, own_context, status

pytestmark = pytest.mark.browser
SMALL, LARGE = 1000, 201 * 1024 * 1024
_BODY = """async ([path, method, size, token]) => {
  token ??= document.cookie.match(/_streamlit_xsrf=([^;]+)/)[1];
  const body = new FormData();
  body.append("file", new Blob([new Uint8Array(size)]), "file.bin");
  const answer = await fetch(path, { method, headers: { "X-Xsrftoken": token }, body });
  return answer.status;
}"""


def test_a_page_uploads_to_its_own_session_up_to_the_limit(browser: Browser, address: str) -> None:
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
    own, other = f"/_stcore/upload_file/{session}/1", "/_stcore/upload_file/other/1"
    answers = {
        case: page.evaluate(_BODY, list(arguments))
        for case, arguments in {
            "own session": (own, "PUT", SMALL, None),
            "taken back": (own, "DELETE", SMALL, None),
            "other method": (own, "POST", SMALL, None),
            "too large": (own, "PUT", LARGE, None),
            "other session": (other, "PUT", SMALL, None),
            "other token": (own, "PUT", SMALL, "2|0|0|0"),
        }.items()
    }
    page.context.close()
    assert answers == {
        "own session": 204,
        "taken back": 204,
        "other method": 405,
        "too large": 413,
        "other session": 400,
        "other token": 403,
    }


@pytest.mark.parametrize(
    ("path", "refusals"),
    [
        ("/_stcore/upload_file/a/b", (403, 405)),  # without a token
        ("/_stcore/agent/interact", (405, 405)),
        ("/_stcore/agent/mcp", (405, 405)),
        ("/", (405, 405)),
        ("/map", (405, 405)),
        ("/_stcore/upload_file/a/b/c", (405, 405)),
    ],
)
@pytest.mark.parametrize(
    "length",
    [{"Content_Length": str(LARGE)}, {"Transfer_Encoding": "chunked"}],
    ids=["length", "chunked"],
)
def test_a_body_is_refused_before_it_is_sent(
    address: str, path: str, refusals: tuple[int, int], length: dict[str, str]
) -> None:
    port = int(address.rpartition(":")[2])
    answers = tuple(status(port, f"{method} {path}", **length) for method in ("PUT", "POST"))
    assert answers == refusals
