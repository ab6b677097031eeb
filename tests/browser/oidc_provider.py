"""A small OpenID Connect provider on loopback: its login page lists the users, a click logs in."""

from __future__ import annotations

import base64
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, CLIENT_SECRET = "lens", "secret of the client"


@dataclass
class Provider:
    """The users by name, with what the provider says of each."""

    users: Mapping[str, Mapping[str, Any]]
    port: int = 0
    key: RSAKey = field(
        default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
    )
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def metadata_url(self) -> str:
        return f"{self.address}/.well-known/openid-configuration"

    def metadata(self) -> dict[str, Any]:
        paths = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "jwks",
            "userinfo_endpoint": "userinfo",
            "end_session_endpoint": "logout",
        }
        return {
            "issuer": self.address,
            **{name: f"{self.address}/{path}" for name, path in paths.items()},
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def authorize(self, asked: dict[str, str]) -> tuple[str, str]:
        """Return (address to go to, page): the page lists the users until one is chosen."""
        if user := asked.get("user"):
            code = secrets.token_urlsafe()
            self.codes[code] = {"user": user, "nonce": asked.get("nonce", "")}
            answer = urlencode({"code": code, "state": asked["state"]})
            return f"{asked['redirect_uri']}?{answer}", ""
        links = {name: urlencode({**asked, "user": name}) for name in self.users}
        drawn = (f'<a href="/authorize?{html.escape(q)}">{n}</a><br>' for n, q in links.items())
        return "", f"<h1>Provider</h1>{''.join(drawn)}"

    def token(self, asked: dict[str, str], authorization: str) -> dict[str, Any]:
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        assert given.replace("%20", " ").replace("+", " ") == f"{CLIENT}:{CLIENT_SECRET}"
        code, token = self.codes.pop(asked["code"]), secrets.token_urlsafe()
        self.tokens[token], now = code["user"], int(time.time())
        claims = {
            **{"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 600},
            **{"nonce": code["nonce"], **self.users[code["user"]]},
        }
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        kept = {"access_token": token, "id_token": signed}
        return {**kept, "token_type": "Bearer", "expires_in": 600}


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(split.query).items()}
        path = split.path.strip("/")
        if path == "authorize":
            self._redirect_or_show(*self.provider.authorize(asked))
        elif path == "logout":
            self._redirect_or_show(asked["post_logout_redirect_uri"], "")
        elif path == "jwks":
            self._json({"keys": [self.provider.key.as_dict(private=False)]})
        elif path == "userinfo":
            token = self.headers["Authorization"].removeprefix("Bearer ")
            self._json(dict(self.provider.users[self.provider.tokens[token]]))
        else:
            self._json(self.provider.metadata())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        self._json(self.provider.token(asked, self.headers.get("Authorization", "")))

    def _redirect_or_show(self, address: str, page: str) -> None:
        self.send_response(302 if address else 200)
        self.send_header("Location" if address else "Content-Type", address or "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def _json(self, content: Mapping[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@contextmanager
def providing(users: Mapping[str, Mapping[str, Any]]) -> Iterator[Provider]:
    """Run a provider; yield it once it answers."""
    provider = Provider(users)
    handler = type("Handler", (_Handler,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        provider.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield provider
        server.shutdown()
