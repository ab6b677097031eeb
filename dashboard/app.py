"""The server of IMRNNs Lens: `streamlit run dashboard/app.py`. Each session runs `script.py`."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

FOLDER = Path(__file__).absolute().parent
if str(FOLDER.parent) not in sys.path:  # `streamlit run` puts only this folder on the path
    sys.path.insert(0, str(FOLDER.parent))

import streamlit as st  # noqa: E402
import uvicorn.config  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from streamlit import config, net_util  # noqa: E402

from dashboard import access, page_errors  # noqa: E402
from dashboard.gate import Gate  # noqa: E402
from imrnns_core import logs  # noqa: E402
from imrnns_core.errors import LensError  # noqa: E402

# Otherwise Streamlit asks other machines for the address of this one
net_util._external_ip = net_util._internal_ip = "127.0.0.1"
# Otherwise uvicorn replaces the address of a proxy by the one that the proxy names, or that any
# program of this machine names: the gate must know who is connected
uvicorn.config.ProxyHeadersMiddleware = lambda app, **_: app  # type: ignore[assignment,attr-defined]
try:
    if warning := access.start_warning(config.get_option("server.address")):
        print(warning, file=sys.stderr)
except LensError as error:
    sys.exit(f"imrnns-lens: {error}")

SHUTDOWN_SECONDS = 3
"""A server that has not ended after this time is ended at once."""

TRIM_SECONDS = 30
"""So often, memory that is free goes back to the system."""


def _trim() -> None:
    # glibc keeps free memory of each thread. With a thread for each run of a page, the server would
    # grow by 50 MB per hundred questions, although nothing of them is kept
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim is not None:
        time.sleep(TRIM_SECONDS)
        trim(0)


def _end(
    stop: Callable[[int, FrameType | None], Any], signal_number: int, frame: FrameType | None
) -> None:
    # `sys.exit` would end only the timer's thread; `os._exit` waits for no other thread
    limit = threading.Timer(SHUTDOWN_SECONDS, os._exit, [0])
    # otherwise this thread alone would keep a server running that has ended earlier
    limit.daemon = True
    limit.start()
    stop(signal_number, frame)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Begin the log; limit the shutdown, which waits for connections and running threads."""
    page_errors.install()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        stop = signal.getsignal(signal_number)
        assert callable(stop)  # the handler of the server
        signal.signal(signal_number, partial(_end, stop))
    threading.Thread(target=_trim, daemon=True).start()
    logs.event("server started")
    yield
    logs.event("server ended")


# as middleware, the gate is before every route; Streamlit checks hosts only for its WebSocket
app = st.App(
    FOLDER / "script.py",
    lifespan=lifespan,
    middleware=[Middleware(Gate)],
    on_script_error=page_errors.show,
)
