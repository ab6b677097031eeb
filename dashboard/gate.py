"""The check of every request: a web page of another site must not read the data of this machine."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections import defaultdict
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.web.server.server_util import is_allowed_origin
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from dashboard import access, login

METHODS = ("GET", "HEAD", "OPTIONS")
METRICS = "/_stcore/metrics"
"""How many sessions and caches there are: nothing for a reader, so nobody gets it."""
HEADERS = {
    # charts compile functions, Streamlit puts styles into the page, downloads are blobs
    "content-security-policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' blob: data:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
"""Sent with every answer: the page loads from this server only, and no other page frames it."""
UPLOAD = re.compile(r"/_stcore/upload_file/[^/]+/[^/]+$")
UPLOAD_METHODS = (*METHODS, "PUT", "DELETE")
"""Methods at the address of an upload: a page sends files, and takes them back."""


NO_GATE = "imrnns-lens: start dashboard/app.py; script.py alone does not check its requests"
_gates: list[Gate] = []
"""The gate of this server; empty if the server was started without it."""


class Gate:
    """Refuse HTTP requests and WebSockets before Streamlit sees them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        # a cookie stays good at another browser that has a copy, so the ends of logins are kept
        self._ends: defaultdict[bytes, asyncio.Event] = defaultdict(asyncio.Event)
        _gates.append(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on to Streamlit."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        user = login.user_of(scope) if access.policy().closed else ""
        if user and (content := login.signed_content(scope)):
            end = self._ends[content]
            if login.path_of(scope) == login.LOGOUT:
                end.set()
            elif end.is_set():
                user = ""
            receive = _until(end, receive) if scope["type"] == "websocket" else receive
        answer = _refusal(scope) or _answer_of_login(scope, user)
        await (answer or self.app)(_naming(scope, user), receive, _with_headers(send))


def _until(end: asyncio.Event, receive: Receive) -> Receive:
    """Return a `receive` that ends a WebSocket when its user logs out, in whatever tab."""

    async def receiving() -> Message:
        message = asyncio.ensure_future(receive())
        waits: list[asyncio.Future[Any]] = [message, asyncio.ensure_future(end.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if end.is_set():
                return {"type": "websocket.disconnect", "code": 1008}
            return message.result()
        finally:
            for wait in waits:
                wait.cancel()

    return receiving


def require() -> None:
    """End this server if it was started without the gate: `streamlit run dashboard/script.py`."""
    # tests run the script without a server: their runtime is a mock
    if _gates or not runtime.exists() or type(runtime.get_instance()) is not runtime.Runtime:
        return
    print(NO_GATE, file=sys.stderr, flush=True)
    # `sys.exit` would end only the thread of this session
    os._exit(2)


def _naming(scope: Scope, user: str) -> Scope:
    """Return a request that names its user, whatever the browser says of it."""
    name = access.USER_HEADER.encode()
    headers = [header for header in scope["headers"] if header[0] != name]
    if user:
        headers.append((name, quote(user).encode()))
    return {**scope, "headers": headers}


def _answer_of_login(scope: Scope, user: str) -> ASGIApp | None:
    """Return the answer to a request that needs a login or another role, if one does."""
    policy = access.policy()
    if not policy.closed:
        return None
    if answer := login.answer(scope, user):
        return answer
    if scope.get("method") in ("PUT", "DELETE") and policy.role(user) != "editor":
        return PlainTextResponse(f"{access.NEEDS_EDITOR.format('An upload')}\n", 403)
    return None


def _with_headers(send: Send) -> Send:
    """Return a `send` that adds the headers to each answer."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sending


def _refusal(scope: Scope) -> PlainTextResponse | None:
    """Return the response to a refused request, or None if the request is allowed."""
    method, path, headers = scope.get("method", "GET"), login.path_of(scope), Headers(scope=scope)
    host = headers.get("host")
    # DNS rebinding: another site can make its own name point to this machine
    if not is_host_allowed(host):
        return PlainTextResponse(
            f"Host {host} is not allowed; to allow it, start the dashboard with "
            "--server.allowedHosts and its name\n",
            403,
        )
    # browsers send an origin with each WebSocket, and with requests whose answer another site reads
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host and not is_allowed_origin(origin):
        return PlainTextResponse(
            f"Origin {origin} is not allowed; to allow it, start the dashboard with "
            f"--server.corsAllowedOrigins {origin}\n",
            403,
        )
    if path.rstrip("/") == METRICS:
        return PlainTextResponse("Not found\n", 404)
    # For uploads, Streamlit checks the token of the page, its session and the size
    # (`server.maxUploadSize`). It would read the bodies of other requests whole
    allowed = UPLOAD_METHODS if UPLOAD.search(path) else METHODS
    if method not in allowed:
        return PlainTextResponse(
            f"{method} is not allowed; files are uploaded on the pages Data and Judging\n",
            405,
            {"Allow": ", ".join(allowed)},
        )
    return None
