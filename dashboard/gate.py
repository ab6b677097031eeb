"""Which requests the server answers.

A web page of another site must not read this machine's data.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.server_util import is_allowed_origin
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

METHODS = ("GET", "HEAD", "OPTIONS")


class Gate:
    """Refuse HTTP requests and WebSockets before Streamlit sees them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is refused; hand on any other."""
        refused = (
            _refuse(scope.get("method", "GET"), Headers(scope=scope))
            if scope["type"] in ("http", "websocket")
            else None
        )
        await (refused or self.app)(scope, receive, send)


def _refuse(method: str, headers: Headers) -> PlainTextResponse | None:
    """Return the answer to a request that is refused, else None."""
    host = headers.get("host")
    # DNS rebinding: the name of another site that points to this machine
    if not is_host_allowed(host):
        return PlainTextResponse(
            f"Host {host} is not allowed; to serve it, start with --server.allowedHosts and its "
            "name\n",
            403,
        )
    # browsers send it with each WebSocket, and wherever a page of another site may read the answer
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host and not is_allowed_origin(origin):
        return PlainTextResponse(
            f"Origin {origin} is not allowed; to allow it, start with --server.corsAllowedOrigins "
            f"{origin}\n",
            403,
        )
    # Streamlit would take files of 200 MB and keep them; no page uploads any
    if method not in METHODS:
        return PlainTextResponse(
            f"{method} is not allowed; the dashboard takes no files\n",
            405,
            {"Allow": ", ".join(METHODS)},
        )
    return None
