"""Results that are kept for all sessions: read-only for everyone.

Only the services use `st.cache_*`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from imrnns_core.storage.workspace import Workspace

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
IDENTITY_SECONDS = 0.1
"""For this long a file is taken to be unchanged: about one run of a page."""


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    """Return the folder where everything is kept."""
    return Workspace()


def shared(
    entries: int, spinner: str | bool = False
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Keep results for all sessions, by arguments and by the content of what they name.

    The content is that of the data set and the adapter. A file that was replaced under its old name
    is read again, and so is everything that was made of it: a page never shows the card of one
    adapter beside the ranks of another.
    """

    def decorate(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        names = tuple(signature(function).parameters)

        def by_content(content: tuple[str, ...], *arguments: Any) -> Result:
            return function(*arguments)  # type: ignore[call-arg]

        # the name of its cache
        by_content.__module__ = function.__module__
        by_content.__qualname__ = function.__qualname__
        kept = st.cache_resource(show_spinner=spinner, max_entries=entries)(by_content)

        @wraps(function)
        def call(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
            given = signature(function).bind(*arguments, **named).arguments
            return kept(_content(given), *(given[name] for name in names))

        return call

    return decorate


def _content(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the identities of the data set and the adapter that a function's arguments name.

    They are called `data` and `adapter_name`, or are in a `key`.
    """
    key = arguments.get("key")
    data = arguments.get("data") if key is None else key.data
    adapter_name = arguments.get("adapter_name") if key is None else key.adapter
    return _identities(data, adapter_name)


@st.cache_resource(show_spinner=False, ttl=IDENTITY_SECONDS, max_entries=64)
def _identities(data: str | None, adapter_name: str | None) -> tuple[str, ...]:
    # A run of a page asks for them about 17 times, which took 6 ms; it lasts about 50 ms.
    space = workspace()
    found = [] if data is None else [space.data_identity(space.resolve(data))]
    return tuple(found if adapter_name is None else [*found, space.adapter_identity(adapter_name)])
