"""The cache that all sessions share. Its results are read-only.

Only the services use `st.cache_*`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from imrnns_core.config import CORPUS_PREFIX, RUN_PREFIX
from imrnns_core.io import identity
from imrnns_core.storage.data_sets import uses
from imrnns_core.storage.judgments import JudgmentStore
from imrnns_core.storage.workspace import Workspace

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
IDENTITY_SECONDS = 0.1
"""A file is not checked for changes again within this time, which is about one run of a page."""
MOMENT_ENTRIES = 64


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    """Return the workspace: the folder with data sets, adapters and results."""
    return Workspace()


def judgments() -> JudgmentStore:
    """Return the database of judgments."""
    return JudgmentStore(workspace().root)


def note_use(data: str, path: Path) -> None:
    """Note that a data set uses a computed file of the workspace, if the file exists."""
    if path.exists():
        space = workspace()
        uses.note_use(space.root, space.resolve(data).name, path)


def shared(
    entries: int, spinner: str | bool = False, judged: bool = True
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Cache the results of a function for all sessions.

    The cache key has the arguments and the content of the data set and the adapter that they name.
    If a file is replaced under its old name, everything computed from it is computed again. So a
    page never mixes the results of two adapters. The same holds for a new judgment.

    Args:
        entries: The largest number of results in the cache.
        spinner: Text that the page shows while a result is computed, or False.
        judged: Whether the result depends on judgments, or on the list of queries.
    """

    def decorate(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        names = tuple(signature(function).parameters)

        # `content` is only a part of the cache key; with an underscore, Streamlit would ignore it
        def by_content(content: tuple[str, ...], *arguments: Any) -> Result:
            return function(*arguments)  # type: ignore[call-arg]

        # Streamlit names the cache after the function: without this all caches would be one
        by_content.__module__ = function.__module__
        by_content.__qualname__ = function.__qualname__
        # not `cache_data`: it would copy rankers and vectors at every call
        cached = st.cache_resource(show_spinner=spinner, max_entries=entries)(by_content)
        # the same cache, because it is the same function: a job has no page for a spinner
        of_job = st.cache_resource(show_spinner=False, max_entries=entries)(by_content)

        @wraps(function)
        def call(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
            bound = signature(function).bind(*arguments, **named).arguments
            lookup = cached if get_script_run_ctx(suppress_warning=True) else of_job
            return lookup(_content(bound, judged), *(bound[name] for name in names))

        return call

    return decorate


def _content(arguments: Mapping[str, Any], judged: bool) -> tuple[str, ...]:
    """Return the identities of the data set and the adapter that the arguments name.

    The arguments are called `data` and `adapter_name`, or `key` with both. A run that is the base
    takes the place of the adapter, as `run:NAME`.
    """
    key = arguments.get("key")
    data = arguments.get("data") if key is None else key.data
    adapter_name = arguments.get("adapter_name") if key is None else key.adapter
    identities = _known.get((data, adapter_name), lambda: _identities(data, adapter_name))
    if not judged or data is None:
        return identities
    return (*identities, _judged.get((data,), lambda: _judgments_identity(data)))


def notice_judgments() -> None:
    """Let this run see what it has just stored; others see it in their next run."""
    _judged.clear()


def notice_registry() -> None:
    """Let this run see how a data set is registered now; others see it in their next run."""
    _known.clear()


class _Moment(Generic[Result]):
    """Results that are kept for `IDENTITY_SECONDS`.

    Not a cache of Streamlit: it keeps a lock for every key that it ever had, and with a `ttl` it
    raises a KeyError if an entry expires while it is looked up.
    """

    def __init__(self) -> None:
        self._results: dict[tuple[str | None, ...], tuple[float, Result]] = {}

    def get(self, key: tuple[str | None, ...], find: Callable[[], Result]) -> Result:
        """Return the result for a key that was found a moment ago, or find it."""
        now = time.monotonic()
        until, result = self._results.get(key, (0.0, None))
        if result is None or until < now:
            result = find()
            if len(self._results) >= MOMENT_ENTRIES:
                self._results.clear()
            self._results[key] = now + IDENTITY_SECONDS, result
        return result

    def clear(self) -> None:
        """Forget all results."""
        self._results.clear()


_judged, _known = _Moment[str](), _Moment[tuple[str, ...]]()


def _judgments_identity(data: str) -> str:
    return str(judgments().version(workspace().resolve(data).name))


def _identities(data: str | None, adapter_name: str | None) -> tuple[str, ...]:
    # A run of a page takes about 50 ms and asks for them about 17 times: 6 ms
    space = workspace()
    identities = []
    if data is not None:
        identities.append(space.data_identity(space.resolve(data)))
    if adapter_name is not None:
        identities.append(space.adapter_identity(adapter_name.removeprefix(CORPUS_PREFIX)))
    if data is not None and adapter_name is not None and adapter_name.startswith(RUN_PREFIX):
        file = space.runs.files(data).get(adapter_name.removeprefix(RUN_PREFIX))
        identities.append(identity([file]) if file else "")
    return tuple(identities)
