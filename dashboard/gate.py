"""The check of every request: a web page of another site must not read the data of this machine."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.server_util import is_allowed_origin
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

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


class Gate:
    """Refuse HTTP requests and WebSockets before Streamlit sees them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on to Streamlit."""
        refusal = (
            _refusal(scope.get("method", "GET"), scope["path"], Headers(scope=scope))
            if scope["type"] in ("http", "websocket")
            else None
        )
        await (refusal or self.app)(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    """Return a `send` that adds the headers to each answer."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sending


def _refusal(method: str, path: str, headers: Headers) -> PlainTextResponse | None:
    """Return the response to a refused request, or None if the request is allowed."""
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
