"""Errors of pages and what the log says of them, with a real server: `make integration`."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.app import LOGS, ROOT, Server, started
from tests.websocket_session import Session, connect

pytestmark = pytest.mark.integration
SECRET = "zugzwangiana"
LINK = "data=sample&adapter=sample-adapter&query=q001"
FAULTS = f"""
import runpy, sys
import streamlit as st
from dashboard.services.computation import Computation
from dashboard.views.compare import page as compare
from dashboard.views.explain import page as explain
from dashboard.views.map import page as corpus_map
from dashboard.views.modulation import page as modulation
from dashboard.views.overview import page as overview
from dashboard.widgets import progress_panel

def fail(*_):
    try:
        raise KeyError("{SECRET}")
    except KeyError as error:
        raise RuntimeError("the text {SECRET}") from error

overview.show = fail
modulation.show = lambda: st.fragment(fail)()
corpus_map.show = lambda: st.button("Break", on_click=fail)
job = []
def draw():
    job.append(Computation.start(fail)) if not job else None
    progress_panel.await_result(job[0], "This failed", "again")
explain.show = draw
sys.argv = ["streamlit", *sys.argv[1:]]
runpy.run_module("streamlit", run_name="__main__")
"""


def faulty(port: int) -> list[str]:
    app = str(ROOT / "dashboard" / "app.py")
    return [sys.executable, "-c", FAULTS, "run", app, "--server.port", str(port)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with started(tmp_path_factory.mktemp("faulty"), faulty) as running:
        yield running


def log(server: Server) -> list[dict[str, Any]]:
    """Return the lines of the log: all of the output that is JSON."""
    lines = LOGS[server.port].read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


async def see(session: Session, page: str) -> str:
    await session.open(page, LINK)
    if page == "map":
        await session.click("Break")
    if page == "explain":
        await session.until(lambda own: any("This failed" in text for text in own.shown))
    return " ".join(session.shown)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("overview", r"Error ([0-9a-f]{6}): this page could not be drawn.*The log has the details"),
        (
            "modulation",
            r"Error ([0-9a-f]{6}): this page could not be drawn.*The log has the details",
        ),
        ("map", r"Error ([0-9a-f]{6}): this page could not be drawn.*The log has the details"),
        ("explain", r"This failed.*Error ([0-9a-f]{6})\. The log has the details"),
    ],
)
def test_an_error_has_an_id_on_the_page_and_its_places_in_the_log(
    server: Server, page: str, text: str
) -> None:
    async def look() -> tuple[str, list[str]]:
        async with connect(server.port) as session:
            return await see(session, page), session.received

    shown, received = asyncio.run(look())
    found = re.search(text, shown, re.DOTALL)
    assert found, shown
    everything = " ".join(received)
    for word in (SECRET, "Traceback", "RuntimeError", "http://", "https://", str(ROOT)):
        assert word not in everything, word
    (line,) = [own for own in log(server) if own.get("error") == found[1]]
    assert (line["level"], line["type"]) == ("ERROR", "RuntimeError")
    assert line["trace"][-1] == "RuntimeError"
    assert "KeyError" in line["trace"]
    assert any(place.endswith(" fail") for place in line["trace"])
    # the thread of a job serves no session
    assert page == "explain" or re.fullmatch("[0-9a-f-]{8}", line["session"])
    assert SECRET not in LOGS[server.port].read_text()


@pytest.mark.parametrize("asked", [False, True])
def test_the_log_has_no_text_of_a_query_unless_asked(tmp_path: Path, asked: bool) -> None:
    async def ask(port: int) -> None:
        async with connect(port) as session:
            await session.open("compare", f"{LINK}&editing=yes")
            await session.type("Or ask your own question", f"Who invented {SECRET}?")
            await session.type("Text of the query", f"Who edited {SECRET}?")
            assert any(SECRET in text for text in session.shown)
            await session.open("overview", f"{LINK}&text={SECRET}")

    environment = {"IMRNNS_LOG_TEXTS": "yes"} if asked else {}
    with started(tmp_path, faulty, **environment) as server:
        asyncio.run(ask(server.port))
        written, lines = LOGS[server.port].read_text(), log(server)
    assert (SECRET in written) is asked
    drawn = [line for line in lines if line["event"] == "page drawn"]
    assert [line["page"] for line in drawn][:3] == ["compare"] * 3
    assert all(line["seconds"] > 0 and line["level"] == "INFO" for line in drawn)
