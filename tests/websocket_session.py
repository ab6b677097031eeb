"""A session of the dashboard without a browser: it speaks the protocol of its WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

SECONDS = 60
BOXES = ("text_input", "text_area", "button", "file_uploader")


@dataclass
class Session:
    """A session of the dashboard.

    Attributes:
        channel: The WebSocket.
        port: The port of the dashboard.
        page: The hash of the page that is shown.
        address: The query string that the browser would show.
        boxes: Label → id of the input widgets that the runs so far drew.
        shown: All elements that the last run drew, as text.
        received: Everything that the session ever received, as text.
        errors: Elements that show an error of Streamlit, and runs that failed.
    """

    channel: websockets.ClientConnection
    port: int
    page: str = ""
    address: str = ""
    boxes: dict[str, str] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    errors: int = 0

    async def open(self, page: str, link: str) -> None:
        """Open a page of a link."""
        request, self.address = BackMsg(), link
        request.rerun_script.query_string, request.rerun_script.page_name = link, page
        await self.run(request)

    async def type(self, label: str, text: str) -> None:
        """Type a text into the box with this label."""
        await self.until(lambda own: label in own.boxes)
        request = self._request()
        box = request.rerun_script.widget_states.widgets.add()
        box.id, box.string_value = self.boxes[label], text
        await self.run(request)

    async def click(self, label: str) -> None:
        """Click the button with this label."""
        await self.until(lambda own: label in own.boxes)
        request = self._request()
        button = request.rerun_script.widget_states.widgets.add()
        button.id, button.trigger_value = self.boxes[label], True
        await self.run(request)

    async def again(self) -> None:
        """Draw the page again."""
        await self.run(self._request())

    async def until(self, is_shown: Callable[[Session], bool]) -> None:
        """Draw the page again and again until it shows something."""
        for _ in range(SECONDS):
            if is_shown(self):
                return
            await asyncio.sleep(1)
            await self.again()
        raise AssertionError("this was never shown")

    async def upload(self, label: str, name: str, content: str) -> None:
        """Upload a file by the box with this label."""
        asked, request = BackMsg(), self._request()
        asked.file_urls_request.request_id = "1"
        asked.file_urls_request.file_names.append(name)
        await self.channel.send(asked.SerializeToString())
        while (message := await self._receive()).WhichOneof("type") != "file_urls_response":
            pass
        (urls,) = message.file_urls_response.file_urls
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as client:
            await client.get("/_stcore/health")
            token = client.cookies.get("_streamlit_xsrf", "")
            sent = await client.put(
                f"/{urls.upload_url.lstrip('/')}",
                files={"file": (name, content)},
                headers={"X-Xsrftoken": token},
            )
            assert sent.is_success, sent
        box = request.rerun_script.widget_states.widgets.add()
        box.id = self.boxes[label]
        file = box.file_uploader_state_value.uploaded_file_info.add()
        file.file_id, file.name, file.size = urls.file_id, name, len(content)
        file.file_urls.CopyFrom(urls)
        await self.run(request)

    async def run(self, request: BackMsg) -> None:
        """Send a request and wait until its run has ended, and those that it began."""
        self.shown.clear()
        await self.channel.send(request.SerializeToString())
        while True:
            message = await self._receive()
            if message.WhichOneof("type") != "script_finished":
                continue
            if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                self.errors += message.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY
                return

    async def _receive(self) -> ForwardMsg:
        received = await asyncio.wait_for(self.channel.recv(decode=False), SECONDS)
        message = ForwardMsg.FromString(received)
        if message.WhichOneof("type") == "new_session":
            self.page = message.new_session.page_script_hash
        elif message.WhichOneof("type") == "navigation":
            self.page = message.navigation.page_script_hash
        elif message.WhichOneof("type") == "page_info_changed":
            self.address = message.page_info_changed.query_string
        elif message.WhichOneof("type") == "delta":
            element = message.delta.new_element
            kind = element.WhichOneof("type")
            if kind in BOXES:
                box = getattr(element, kind)
                self.boxes[box.label] = box.id
            self.errors += kind == "exception"
            self.shown.append(str(element))
            self.received.append(str(element))
        return message

    def _request(self) -> BackMsg:
        request = BackMsg()
        request.rerun_script.page_script_hash = self.page
        request.rerun_script.query_string = self.address
        return request


@asynccontextmanager
async def connect(port: int) -> AsyncIterator[Session]:
    """Yield a new session of the dashboard on this port."""
    address = f"127.0.0.1:{port}"
    async with websockets.connect(
        f"ws://{address}/_stcore/stream",
        origin=websockets.Origin(f"http://{address}"),
        subprotocols=[websockets.Subprotocol("streamlit")],
        max_size=None,
        ping_interval=None,
    ) as channel:
        yield Session(channel, port)
