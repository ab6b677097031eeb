"""What one session types, uploads or fails at is not in another one."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.browser.app import ROOT, started
from tests.websocket_session import Session, connect

pytestmark = pytest.mark.integration
LINK = "data=sample&adapter=sample-adapter&query=q001&editing=yes"
QUESTION = "Or ask your own question"
PAGES = ("overview", "failures", "remedies", "compare", "modulation", "map", "explain", "judging",
         "adapters", "data")  # fmt: skip
FAILS_ONCE = """
import runpy, sys, time
from dashboard.services import remedies
real, asked = remedies.try_remedies, []
def fails_once(*arguments):
    asked.append(1)
    if len(asked) == 1:
        time.sleep(2)  # until the session waits for it: what failed before is tried again
        raise OSError(28, "No space left for zugzwangiana", "/tmp/zugzwangiana")
    return real(*arguments)
remedies.try_remedies = fails_once
sys.argv = ["streamlit", *sys.argv[1:]]
runpy.run_module("streamlit", run_name="__main__")
"""


def command(port: int) -> list[str]:
    app = str(ROOT / "dashboard" / "app.py")
    return [sys.executable, "-c", FAILS_ONCE, "run", app, "--server.port", str(port)]


def shows(text: str) -> object:
    return lambda session: any(text in shown for shown in session.shown)


async def use(one: Session) -> None:
    """Type, upload and fail in a session."""
    await one.open("compare", LINK)
    await one.until(shows("No space left for zugzwangiana"))
    await one.type(QUESTION, "Who typed zugzwangiana?")
    await one.open("data", LINK)
    uploads = [label for label in one.boxes if "pload" in label]
    assert uploads, one.boxes
    await one.upload(uploads[0], "zugzwangiana.csv", "id,text\nz,zugzwangiana is a word\n")
    for said in ("Who typed", "zugzwangiana is a word", "No space left for"):
        assert any(said in text for text in one.received), said


def test_nothing_of_one_session_is_in_another(tmp_path: Path) -> None:
    async def two(port: int) -> None:
        async with connect(port) as one, connect(port) as other:
            await other.open("data", LINK)
            await use(one)
            await other.again()
            for page in PAGES:
                await other.open(page, LINK)
            await other.open("compare", LINK)
            # its own attempt does not fail
            await other.until(lambda own: not any("Starting" in text for text in own.shown))
            assert other.errors == 0
        async with connect(port) as third:  # and not in one that begins after it, either
            for page in PAGES:
                await third.open(page, LINK)
        for session in (other, third):
            assert session.received
            assert not any("zugzwangiana" in text for text in session.received)

    with started(tmp_path, command) as server:
        asyncio.run(two(server.port))
