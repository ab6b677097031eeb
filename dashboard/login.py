"""The user behind a request, and the page for those who are not logged in."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from urllib.parse import parse_qs, quote, unquote, urlencode

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Scope
from streamlit import config
from streamlit.auth_util import get_origin_from_redirect_uri
from streamlit.user_info import generate_login_redirect_url
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from dashboard import access

LOGIN, LOGOUT, CALLBACK = "/auth/login", "/auth/logout", "/oauth2callback"
HEALTH = "/_stcore/health"
RETURN_COOKIE = "imrnns_lens_return"
"""The address that was asked for before the login."""
RETURN_SECONDS = 600
RETURN_LENGTH = 3500
"""Browsers drop cookies that are longer than about 4,000 characters."""
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>IMRNNs Lens: log in</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body {{font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto}}</style>
<h1>IMRNNs Lens</h1><p>{}</p>{}"""


def user_of(scope: Scope) -> str:
    """Return the user of a request: of a trusted proxy, else of the login; empty if unknown."""
    return _named_by_proxy(scope) or _logged_in(scope)


def _named_by_proxy(scope: Scope) -> str:
    policy, peer = access.policy(), scope.get("client")
    if not policy.proxies or not peer or not policy.trusts(peer[0]):
        return ""
    wanted = policy.user_header.encode("latin-1")
    values = [value for name, value in scope["headers"] if name == wanted]
    # a second one can be what the browser sent, and the proxy did not remove
    return values[0].decode("utf-8", "replace").strip() if len(values) == 1 else ""


def signed_content(scope: Scope) -> bytes:
    """Return what the cookie of Streamlit's login says; each login has another content.

    Empty without a cookie, or if it was not signed by this server.
    """
    if not access.policy().providers:
        return b""
    return _get_signed_cookie_with_chunks(HTTPConnection(scope).cookies, USER_COOKIE_NAME) or b""


def _logged_in(scope: Scope) -> str:
    content = signed_content(scope)
    claims = json.loads(content) if content else {}
    if not claims.get("is_logged_in") or claims.get("origin") != get_origin_from_redirect_uri():
        return ""
    # whoever types the e-mail address of an editor at the provider does not own it
    if claims.get("email") and claims.get("email_verified", True) is True:
        return str(claims["email"])
    return f"sub:{claims['sub']}" if claims.get("sub") else ""


def path_of(scope: Scope) -> str:
    """Return the path of a request without `server.baseUrlPath`."""
    path = str(scope["path"])
    return path.removeprefix(_base()) if path.startswith(f"{_base()}/") else path


def _base() -> str:
    name = str(config.get_option("server.baseUrlPath")).strip("/")
    return f"/{name}" if name else ""


def answer(scope: Scope, user: str) -> Response | None:
    """Return the answer to a request of somebody who may not read, or None if it is allowed.

    It leads a request for the login to the provider, and after the login to the page that was
    asked for.
    """
    policy, path = access.policy(), path_of(scope)
    if path == HEALTH:
        return None
    connection = HTTPConnection(scope)
    if policy.providers and path in (LOGIN, LOGOUT, CALLBACK):
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        # with `provider`, a token that is good for two minutes, the request is Streamlit's
        starts = path == LOGIN and "provider" not in asked
        return _to_provider(asked.get("with", [""])[0]) if starts else None
    if policy.role(user) is not None:
        return _return(connection) if path == "/" else None
    if user:
        links = {"Log out": LOGOUT} if policy.providers else {}
        return _page(403, f"{user} may not use this server.", links)
    if scope.get("method") != "GET" or "text/html" not in connection.headers.get("accept", ""):
        return PlainTextResponse("Log in first\n", 401)
    return _ask(scope)


def _to_provider(wanted: str) -> Response:
    providers = access.policy().providers
    name = wanted if wanted in providers else providers[0]
    return RedirectResponse(generate_login_redirect_url(name), 302)


def _ask(scope: Scope) -> Response:
    """Return the page that asks for the login, and remember the page that was asked for."""
    providers = access.policy().providers
    if not providers:
        return _page(401, "Open this page through the proxy that knows who you are.", {})
    links = {f"Log in with {name}": f"{LOGIN}?{urlencode({'with': name})}" for name in providers}
    page = _page(401, "Log in to see this page.", links if len(links) > 1 else {"Log in": LOGIN})
    asked = quote(b"?".join((scope["raw_path"], scope["query_string"])))
    if len(asked) < RETURN_LENGTH:
        page.set_cookie(
            RETURN_COOKIE, asked, RETURN_SECONDS, httponly=True, samesite="lax", path=_base() or "/"
        )
    return page


def _return(connection: HTTPConnection) -> Response | None:
    """Return the way back to the page that was asked for before the login, if there is one."""
    asked = connection.cookies.get(RETURN_COOKIE)
    if not asked:
        return None
    address = unquote(asked)
    # two slashes would name another host
    is_own = address.startswith("/") and not address.startswith("//")
    answer = RedirectResponse(address if is_own else f"{_base()}/", 303)
    answer.delete_cookie(RETURN_COOKIE, path=_base() or "/")
    return answer


def _page(status: int, text: str, links: Mapping[str, str]) -> Response:
    """Return a page with one sentence, and links: label → address of this server."""
    drawn = "".join(
        f'<p><a href="{html.escape(_base() + address)}">{html.escape(label)}</a></p>'
        for label, address in links.items()
    )
    return HTMLResponse(PAGE.format(html.escape(text), drawn), status)
