"""Logs of the servers: one JSON object per line, without texts of documents and queries.

Each line has the level, the time and the event; most have the session and the seconds, too. An
error has an id, which its page shows, its type and its places in the code. Messages of errors and
of other packages can quote texts, so they are left out unless `IMRNNS_LOG_TEXTS` is `yes`.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

LOGGER = logging.getLogger("imrnns_lens")
TEXTS = "IMRNNS_LOG_TEXTS"
"""Environment variable: `yes` adds messages, which can quote documents and queries."""
SERVERS = ("streamlit", "uvicorn", "websockets")
"""Their messages have texts only as arguments. Those of asyncio quote values."""
SHORT = "Error {}. The log has the details."
"""What is shown of an error that nobody expected."""
SESSION_CHARACTERS = 8
"""Enough to tell sessions apart, too few to take part in one."""
WARNINGS = "py.warnings"
ID = "imrnns_id"


def event(name: str, **fields: str | int | float) -> None:
    """Log that something happened.

    Args:
        name: What happened; no text of a document or query.
        fields: Details for its line; no texts either.
    """
    LOGGER.info(name, extra={"fields": fields})


@contextmanager
def timed(name: str, **fields: str | int | float) -> Iterator[None]:
    """Log that some work is done, with its seconds; an error is not logged."""
    began = time.monotonic()
    yield
    event(name, **fields, seconds=round(time.monotonic() - began, 3))


def report(name: str, error: BaseException) -> str:
    """Log an error that nobody expected, with its places in the code, once; return its id."""
    if ID not in error.__dict__:
        LOGGER.error(name, exc_info=error)
    return error_id(error)


def error_id(error: BaseException) -> str:
    """Return the id of an error, such as `7f3a2c`: the same one each time."""
    return str(error.__dict__.setdefault(ID, secrets.token_hex(3)))


def configure(session: Callable[[], str] = str, stream: Any = None) -> None:
    """Write the logs of this process as JSON lines.

    Args:
        session: Returns the id of the session that is served, or an empty text.
        stream: Where they are written; None is the standard error.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(session))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    LOGGER.setLevel(logging.INFO)
    # servers have handlers of their own, which write other lines
    for name in SERVERS:
        for logger in _family(name):
            logger.handlers, logger.propagate = [], True
            logger.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    threading.excepthook = _report_thread


def _family(name: str) -> list[logging.Logger]:
    """Return a logger and those below it."""
    known = [other for other in logging.root.manager.loggerDict if other.startswith(f"{name}.")]
    return [logging.getLogger(own) for own in (name, *known)]


def _report_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        report("thread failed", ended.exc_value)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object.

    Args:
        session: Returns the id of the session that is served, or an empty text.
    """

    def __init__(self, session: Callable[[], str]) -> None:
        super().__init__()
        self._session = session

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        quotes = os.environ.get(TEXTS) == "yes"
        session = self._session()[:SESSION_CHARACTERS]
        line: dict[str, Any] = {
            "level": record.levelname,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            **({"session": session} if session else {}),
            "event": record.getMessage().strip() if quotes else _without_texts(record),
            **getattr(record, "fields", {}),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line["error"], line["type"] = error_id(error), type(error).__name__
            line["trace"] = traceback.format_exception(error) if quotes else list(_places(error))
        # a document can end lines with other characters than those that JSON escapes
        return json.dumps(line, default=str)


def _without_texts(record: logging.LogRecord) -> str:
    """Return the message of a record without anything that can quote a text."""
    family = record.name.partition(".")[0]
    if record.name == WARNINGS:
        # "file:line: Category: message"
        return ": ".join(record.getMessage().split(": ", 2)[:2])
    if (record.name != LOGGER.name and family not in SERVERS) or not isinstance(record.msg, str):
        return f"message of {record.name}, {record.filename}:{record.lineno}"
    try:
        if isinstance(record.args, Mapping):
            return record.msg % {name: _number(value) for name, value in record.args.items()}
        return (record.msg % tuple(map(_number, record.args or ()))).strip()
    except (TypeError, ValueError):
        return record.msg.strip()


def _number(value: object) -> object:
    return value if isinstance(value, int | float) else "…"


def _places(error: BaseException) -> Iterator[str]:
    """Yield the places in the code of an error and of those that led to it; the cause is first."""
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None and earlier is not error:
        yield from _places(earlier)
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{frame.filename}:{frame.lineno} {frame.name}"
    yield type(error).__name__
