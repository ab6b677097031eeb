"""Lines of the logs."""

from __future__ import annotations

import io
import json
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from imrnns_core import logs

SECRET = "zugzwangiana"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream, root = io.StringIO(), logging.getLogger()
    before, level, hook = list(root.handlers), root.level, threading.excepthook
    logs.configure(lambda: "0123456789abcdef", stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers, threading.excepthook = before, hook
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail() -> None:
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        error.add_note(SECRET)
        raise ValueError(f"bad {SECRET}") from error


def test_an_event_has_level_time_session_and_seconds(written: io.StringIO) -> None:
    with logs.timed("page drawn", page="compare"):
        pass
    (line,) = lines(written)
    assert line.pop("seconds") < 1
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "session": "01234567",
        "event": "page drawn",
        "page": "compare",
    }


def test_an_error_has_its_id_and_places_but_no_text(written: io.StringIO) -> None:
    with pytest.raises(ValueError, match="bad") as raised:
        fail()
    name = logs.report("page failed", raised.value)
    assert logs.report("page failed", raised.value) == name  # one line
    (line,) = lines(written)
    assert (line["error"], line["type"], line["event"]) == (name, "ValueError", "page failed")
    assert line["trace"][1] == "KeyError"
    assert line["trace"][-1] == "ValueError"
    assert line["trace"][0].endswith(" fail")
    assert SECRET not in written.getvalue()


def test_messages_of_other_packages_keep_numbers_only(written: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").error("Port %s of %r is taken", 8501, SECRET)
    logging.getLogger("websockets").error(
        "%(name)s took %(seconds)d s", {"name": SECRET, "seconds": 3}
    )
    # asyncio puts the values of exceptions and callbacks into the message itself
    logging.getLogger("asyncio").error(f"Exception in callback {SECRET}")
    logging.getLogger("some.library").warning(f"odd text: {SECRET}")
    logging.getLogger("streamlit").error(ValueError(SECRET))
    warnings.warn(f"odd text: {SECRET}", UserWarning, stacklevel=1)
    threading.Thread(target=fail).start()
    while len(lines(written)) < 7:
        pass
    events = [line["event"] for line in lines(written)]
    assert events[:2] == ["Port 8501 of '…' is taken", "… took 3 s"]
    assert events[2].startswith("message of asyncio, test_logs.py:")
    assert events[3].startswith("message of some.library, test_logs.py:")
    assert events[4].startswith("message of streamlit, test_logs.py:")
    assert events[5].endswith(": UserWarning")
    assert events[6] == "thread failed"
    assert SECRET not in written.getvalue()


def test_texts_are_logged_if_asked(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMRNNS_LOG_TEXTS", "yes")
    with pytest.raises(ValueError, match="bad") as raised:
        fail()
    logs.report("page failed", raised.value)
    logging.getLogger("some.library").warning(f"odd text: {SECRET}\nand a line")
    first, second = lines(written)
    assert f"ValueError: bad {SECRET}" in "".join(first["trace"])
    assert second["event"] == f"odd text: {SECRET}\nand a line"
