"""Who may use the dashboard: the users of a login or of a proxy, and their roles."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar
from urllib.parse import unquote

import streamlit as st
from streamlit import config
from streamlit.auth_util import is_authlib_installed, validate_auth_credentials
from streamlit.errors import StreamlitAuthError
from streamlit.runtime.secrets import secrets_singleton

from imrnns_core.errors import LensError, MissingExtraError

P = ParamSpec("P")
T = TypeVar("T")
Role = Literal["viewer", "editor"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SECTION = "imrnns"
KEYS = ("editors", "viewers", "user_header", "trusted_proxies")
USER_HEADER = "x-imrnns-lens-user"
"""The gate writes the name of the user into this header; what a browser sends in it is dropped."""
MIN_SECRET = 32
GUIDE = "see docs/serving.md, “On a shared machine”"
NEEDS_EDITOR = "{} needs the role editor. Your role is viewer."


class AccessError(LensError):
    """The user has not the role that an action needs, or the access is configured wrongly."""


@dataclass(frozen=True)
class Policy:
    """Who may see what, and who may change it.

    Attributes:
        providers: The login providers of `[auth]`; empty if there is no login.
        editors: E-mail addresses, or domains such as `@example.org`, with the role editor.
        viewers: The same for the role viewer; None means everybody who can log in.
        user_header: The header in which a proxy names the user.
        proxies: The addresses from which this header is accepted; empty if there is no proxy.
    """

    providers: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    viewers: tuple[str, ...] | None = None
    user_header: str = ""
    proxies: tuple[Network, ...] = ()

    @classmethod
    def of(cls, secrets: Mapping[str, Any]) -> Policy:
        """Read the sections `[auth]` and `[imrnns]`.

        Raises:
            AccessError: If they are contradictory: then nobody is let in by mistake.
        """
        auth, own = secrets.get("auth") or {}, secrets.get(SECTION) or {}
        if unknown := [key for key in own if key not in KEYS]:
            raise AccessError(f"[{SECTION}] has no setting {unknown[0]!r}; {GUIDE}")
        try:
            proxies = tuple(ipaddress.ip_network(text) for text in _texts(own, "trusted_proxies"))
        except ValueError as error:
            raise AccessError(f"[{SECTION}] trusted_proxies: {error}; {GUIDE}") from None
        header = str(own.get("user_header", "")).lower()
        if bool(header) != bool(proxies):
            raise AccessError(
                f"[{SECTION}] needs both user_header and trusted_proxies, or none; {GUIDE}"
            )
        policy = cls(
            _providers(auth),
            _texts(own, "editors"),
            _texts(own, "viewers") if "viewers" in own else None,
            header,
            proxies,
        )
        if own and not policy.closed:
            raise AccessError(f"[{SECTION}] names users, but nobody can log in; {GUIDE}")
        return policy

    @property
    def closed(self) -> bool:
        """Whether only known users may see anything."""
        return bool(self.providers or self.proxies)

    def role(self, user: str) -> Role | None:
        """Return the role of a user; None if the user may not even read."""
        if not user:
            return None
        if _is_listed(user, self.editors):
            return "editor"
        return "viewer" if self.viewers is None or _is_listed(user, self.viewers) else None

    def trusts(self, address: str) -> bool:
        """Return whether an address is that of a trusted proxy."""
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(peer, "ipv4_mapped", None)
        return any((mapped or peer) in network for network in self.proxies)


def _texts(section: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = section.get(key, ())
    if isinstance(value, str) or not all(isinstance(entry, str) for entry in value):
        raise AccessError(f'[{SECTION}] {key} must be a list, such as ["anna@example.org"]')
    return tuple(entry.strip().casefold() for entry in value)


def _is_listed(user: str, names: tuple[str, ...]) -> bool:
    name = user.casefold()
    return name in names or ("@" in name and f"@{name.rpartition('@')[2]}" in names)


def _providers(auth: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the named providers; “default” if `[auth]` itself describes the only one."""
    named = (name for name, value in auth.items() if isinstance(value, Mapping))
    own = tuple(name for name in named if "client_id" in auth[name])
    return own or (("default",) if auth else ())


def _secrets() -> Mapping[str, Any]:
    """Return the secrets of Streamlit.

    Raises:
        AccessError: If a file of secrets is there, but cannot be read: it may ask for a login.
    """
    if secrets_singleton.load_if_toml_exists():
        return dict(secrets_singleton)
    files = [file for file in config.get_option("secrets.files") if Path(file).exists()]
    if files:
        raise AccessError(f"{files[0]}: cannot be read as TOML, so nobody is let in")
    return {}


@cache
def policy() -> Policy:
    """Return who may use this server, as it was configured when the server started.

    Raises:
        LensError: If the configuration is wrong, or a package for the login is missing.
    """
    secrets = _secrets()
    found = Policy.of(secrets)
    if not found.providers:
        return found
    if not is_authlib_installed():
        raise MissingExtraError("the login", "login")
    try:
        for provider in found.providers:
            validate_auth_credentials(provider)
    except StreamlitAuthError as error:
        raise AccessError(" ".join(str(error).split())) from None
    if len(str(secrets["auth"]["cookie_secret"])) < MIN_SECRET:
        raise AccessError(
            f"[auth] cookie_secret must have at least {MIN_SECRET} characters, so that nobody "
            "guesses it"
        )
    return found


def start_warning(address: str | None) -> str:
    """Return one line about a server that is open to others, or whose users cannot edit.

    Args:
        address: The address that the server listens on; None means all.
    """
    own, is_local = policy(), address in ("127.0.0.1", "::1", "localhost")
    if own.closed and not own.editors:
        return f"Warning: no editors are named, so nobody can judge, train or delete; {GUIDE}"
    if own.closed or is_local:
        return ""
    return (
        f"Warning: there is no login. Everyone who reaches {address or 'this machine'} can read, "
        f"judge, train and delete; {GUIDE}"
    )


def user() -> str:
    """Return the name of the user of this session; empty if nobody has to log in."""
    return unquote(st.context.headers.get(USER_HEADER, "")) if policy().closed else ""


def may_edit() -> bool:
    """Return whether this session may judge, train, import and delete."""
    return not policy().closed or policy().role(user()) == "editor"


def editors_only(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function raise an AccessError if the session may not edit."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        if not may_edit():
            raise AccessError(NEEDS_EDITOR.format("This"))
        return function(*args, **kwargs)

    return guarded
