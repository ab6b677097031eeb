"""A session without a browser: it can send any message, such as a click on a disabled button."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

XSRF = "2|00000000|31323334353637383930313233343536|1700000000"
SECONDS = 60


class RawSession(AbstractContextManager["RawSession"]):
    """A WebSocket to the dashboard, with the cookies or headers of a user."""

    def __init__(self, port: int, cookies: str = "", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.socket = connect(
            f"ws://127.0.0.1:{port}/_stcore/stream",
            origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]
            subprotocols=["streamlit", XSRF],  # type: ignore[list-item]
            additional_headers={"Cookie": f"_streamlit_xsrf={XSRF}; {cookies}", **named},
            max_size=None,
            proxy=None,
        )
        self.page = ""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def open(self, page: str, query: str = "") -> list[Element]:
        """Open a page; return what it draws."""
        message = BackMsg()
        self.page = message.rerun_script.page_name = page
        message.rerun_script.query_string = query
        return self._run(message)

    def send(self, widget: str, query: str = "", **value: Any) -> list[Element]:
        """Send the value of a widget, such as `trigger_value=True`; return what is drawn then."""
        message = BackMsg()
        message.rerun_script.page_name = self.page
        message.rerun_script.query_string = query
        message.rerun_script.widget_states.widgets.add(id=widget, **value)
        return self._run(message)

    def _run(self, message: BackMsg) -> list[Element]:
        self.socket.send(message.SerializeToString())
        drawn = []
        while True:
            answer = ForwardMsg.FromString(self.socket.recv(SECONDS))  # type: ignore[arg-type]
            kind = answer.WhichOneof("type")
            if kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                drawn.append(answer.delta.new_element)
            elif kind == "script_finished" and answer.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
            ):
                return drawn


def buttons(drawn: list[Element]) -> Mapping[str, Any]:
    """Return the buttons by the end of their id, which is their key."""
    named = (e.button for e in drawn if e.WhichOneof("type") == "button")
    return {button.id.rpartition("-")[2]: button for button in named}


def texts(drawn: list[Element]) -> str:
    """Return all texts that are drawn."""
    kinds = [(e.WhichOneof("type"), e) for e in drawn]
    return "\n".join(str(getattr(e, kind)) for kind, e in kinds if kind)
