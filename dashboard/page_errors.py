"""What a page shows instead of an error that nobody expected: its id, which the log has, too."""

from __future__ import annotations

from typing import Any

import streamlit.logger
from streamlit.elements import exception
from streamlit.proto.Exception_pb2 import Exception as Box
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.widgets import notices
from imrnns_core import logs

TITLE = "Error {}: this page could not be drawn"
TEXT = "The log has the details."


def show(error: Exception) -> bool:
    """Draw the message of an error in a page, a part of it, or a click.

    Returns:
        True: Streamlit draws no box of its own.
    """
    notices.show("error", TITLE.format(logs.report("page failed", error)), TEXT)
    return True


def install() -> None:
    """Log as JSON lines, and let no other way lead an error to the page."""
    logs.configure(_session)
    # its loggers, also those that it makes later, get handlers of their own otherwise
    streamlit.logger.setup_formatter = lambda logger: setattr(logger, "propagate", True)
    # such as for a message of the browser that cannot be read, or an answer that is too large
    exception.marshall = _marshall  # type: ignore[assignment]


def _session() -> str:
    # not that of `state`, whose imports would delay the start of the server
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else ""


def _marshall(box: Box, error: BaseException, *_: Any, **__: Any) -> None:
    box.Clear()
    box.message = f"{TITLE.format(logs.report('page failed', error))}. {TEXT}"
    box.width_config.use_stretch = True
