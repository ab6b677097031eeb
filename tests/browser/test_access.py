"""The login: without it, nothing is shown; viewers read; editors change; then it is closed again.

The login provider is on loopback.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.proto.ButtonGroup_pb2 import ButtonGroup
from streamlit.proto.Element_pb2 import Element
from websockets.exceptions import ConnectionClosed

from dashboard import navigation
from imrnns_core.storage.judgments import JudgmentStore
from imrnns_core.storage.layout import ASSETS_FOLDER
from tests.browser.app import Server, open_page, own_context, settle, started, websocket_status
from tests.browser.oidc_provider import CLIENT, CLIENT_SECRET, Provider, providing
from tests.browser.raw_session import RawSession, buttons, texts

pytestmark = pytest.mark.browser
USERS: dict[str, dict[str, Any]] = {
    "anna": {"sub": "1", "email": "anna@team.example", "email_verified": True},
    "vera": {"sub": "2", "email": "Vera@other.example", "email_verified": True},
    "mallory": {"sub": "3", "email": "anna@team.example", "email_verified": False},
    "paul": {"sub": "4", "email": "paul@elsewhere.example", "email_verified": True},
}
SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "{client}"
client_secret = "{secret}"
server_metadata_url = "{metadata}"

[imrnns]
editors = ["@team.example"]
viewers = ["vera@other.example", "sub:3", "vera <b>"]
user_header = "X-Forwarded-User"
trusted_proxies = ["127.0.0.1"]
"""
READING_BUTTONS = {
    *("log_out", "tour_start", "previous_query", "next_query"),
    # these open another page or the editor of a text, or start and stop what is measured
    *("judge_query", "edit_texts", "remedies_job", "count"),
}
QUERY = "query=q054&document=bern"
PATHS = ["/", "/compare?query=q054", "/judging", "/_stcore/host-config", "/media/none", "/static/x"]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing(USERS) as running:
        yield running


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("space")
    (workspace / "adapters").mkdir()
    shipped = next(ASSETS_FOLDER.rglob("sample-adapter.safetensors"))
    shutil.copy(shipped, workspace / "adapters" / "mine.safetensors")
    return workspace


@pytest.fixture(scope="module")
def server(
    provider: Provider, space: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("configured")
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(
        SECRETS.format(client=CLIENT, secret=CLIENT_SECRET, metadata=provider.metadata_url)
    )
    with started(space, folder=folder) as running:
        yield running


def log_in(page: Page, server: Server, name: str, path: str = "/") -> None:
    page.goto(server.address + path)
    page.get_by_role("link", name="Log in").click()
    page.get_by_role("link", name=name).click()


@pytest.fixture(scope="module")
def cookie(server: Server) -> dict[str, str]:
    """The cookies of each user after the login."""
    kept = {}
    for name in USERS:
        with httpx.Client(follow_redirects=True) as client:
            listed = client.get(server.address + "/auth/login")
            assert "<h1>Provider</h1>" in listed.text
            client.get(str(listed.url.copy_merge_params({"user": name})))
            kept[name] = "; ".join(f"{c.name}={c.value}" for c in client.cookies.jar)
    return kept


def test_without_login_there_is_nothing(server: Server) -> None:
    for path in PATHS:
        for accept in ("text/html", "*/*"):
            answer = httpx.get(server.address + path, headers={"Accept": accept})
            assert answer.status_code == 401, path
            assert "sample" not in answer.text
            assert "<script" not in answer.text
            assert answer.headers["X-Frame-Options"] == "DENY"
    assert websocket_status(server.port) == 401
    upload = f"{server.address}/_stcore/upload_file/session/file"
    assert httpx.put(upload, content=b"x").status_code == 401
    assert httpx.delete(upload).status_code == 401
    assert httpx.get(server.address + "/_stcore/health").status_code == 200


@pytest.mark.parametrize(
    "forged",
    [
        "_streamlit_user=x",
        '_streamlit_user="eyJlbWFpbCI6ImFubmFAdGVhbS5leGFtcGxlIn0.aaaaaa.bbbbbb"',
    ],
)
def test_a_cookie_that_was_not_signed_here_is_no_login(server: Server, forged: str) -> None:
    headers = {"Cookie": forged, "X-Imrnns-Lens-User": "anna%40team.example"}
    assert httpx.get(server.address + "/judging", headers=headers).status_code == 401


def test_a_viewer_reads_and_the_page_says_what_needs_an_editor(
    server: Server, browser: Browser
) -> None:
    context = own_context(browser)
    page, media = context.new_page(), list[str]()
    page.on("request", lambda r: media.append(r.url) if "/media/" in r.url else None)
    log_in(page, server, "vera", "/compare?query=q054")
    open_page(page, page.url)
    assert "/compare?" in page.url
    assert "query=q054" in page.url
    expect(page.get_by_text("Logged in as Vera@other.example (viewer)")).to_be_visible()
    open_page(page, f"{server.address}/judging")
    expect(page.get_by_text("Judging needs the role editor. Your role is viewer.")).to_be_visible()
    expect(page.get_by_label("Your name, stored with each judgment")).to_have_count(0)
    open_page(page, f"{server.address}/adapters?adapter=mine")
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_disabled()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export (.safetensors)").click()
    assert saved.value.path().stat().st_size > 1000
    kept = "; ".join(f"{c['name']}={c['value']}" for c in context.cookies())
    with RawSession(server.port, kept) as other_tab:
        assert "(viewer)" in texts(other_tab.open("judging"))
        page.get_by_role("button", name="Log out").click()
        page.get_by_role("link", name="Log in").wait_for()
        with pytest.raises(ConnectionClosed):
            other_tab.open("data")
    # also for those who kept the cookies
    for headers in ({}, {"Cookie": kept}, {"Cookie": f"_streamlit_user_9=x; {kept}"}):
        assert httpx.get(f"{server.address}/judging", headers=headers).status_code == 401
    for address in (*media, saved.value.url):
        assert httpx.get(address).status_code == 401, address
    page.goto(f"{server.address}/judging")
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    context.close()


@pytest.mark.parametrize("page", [*navigation.PAGES])
def test_what_a_viewer_can_click_writes_nothing(
    server: Server, cookie: dict[str, str], page: str
) -> None:
    with RawSession(server.port, cookie["vera"]) as viewer:
        drawn = buttons(viewer.open(page, "query=q054&document=bern&adapter=mine"))
    enabled = {key for key, button in drawn.items() if not button.disabled}
    enabled -= {key for key in enabled if key.endswith(("_document_close", "_document_explain"))}
    assert "log_out" in enabled
    assert enabled <= READING_BUTTONS


def grades(drawn: list[Element]) -> ButtonGroup:
    """Return the control that judges a document."""
    groups = (e.button_group for e in drawn if e.WhichOneof("type") == "button_group")
    return next(group for group in groups if "_grade_" in group.id)


def test_a_viewer_cannot_change_anything_by_message(
    server: Server, space: Path, cookie: dict[str, str]
) -> None:
    file = space / "adapters" / "mine.safetensors"
    with RawSession(server.port, cookie["anna"]) as editor:
        train = buttons(editor.open("adapters", "adapter=mine"))["train"].id
    with RawSession(server.port, cookie["vera"]) as viewer:
        drawn = buttons(viewer.open("adapters", "adapter=mine"))
        assert "train" not in drawn
        assert drawn["adapter_delete"].disabled
        viewer.send(train, "adapter=mine", trigger_value=True)
        viewer.send(drawn["adapter_delete"].id, "adapter=mine", trigger_value=True)
    with RawSession(server.port, cookie["vera"]) as viewer:
        control = grades(viewer.open("compare", QUERY))
        assert control.disabled
        viewer.send(control.id, QUERY, string_array_value={"data": ["3"]})
    assert file.exists()
    assert not list((space / "adapters").glob(".*.training"))
    assert not JudgmentStore(space).current("sample")
    upload = f"{server.address}/_stcore/upload_file/session/file"
    answer = httpx.put(upload, content=b"x", headers={"Cookie": cookie["vera"]})
    assert (answer.status_code, "role editor" in answer.text) == (403, True)


@pytest.mark.parametrize(("name", "answer"), [("mallory", 200), ("paul", 403)])
def test_only_a_verified_address_gives_a_role(
    server: Server, cookie: dict[str, str], name: str, answer: int
) -> None:
    headers = {"Cookie": cookie[name], "Accept": "text/html"}
    assert httpx.get(server.address + "/judging", headers=headers).status_code == answer
    if answer == 200:
        with RawSession(server.port, cookie[name]) as session:
            assert "Logged in as sub:3 (viewer)" in texts(session.open("judging"))


def test_an_editor_judges_under_the_name_of_the_login_and_deletes(
    server: Server, space: Path, browser: Browser, cookie: dict[str, str]
) -> None:
    context = own_context(browser)
    page = context.new_page()
    log_in(page, server, "anna", "/judging")
    open_page(page, f"{server.address}/judging")
    name = page.get_by_label("Your name, stored with each judgment")
    expect(name).to_have_value("anna@team.example")
    expect(name).to_be_disabled()
    page.get_by_role("group", name="Grade").get_by_role("button").first.click()
    settle(page)
    (judgment,) = JudgmentStore(space).current("sample")
    assert judgment.who == "anna@team.example"
    context.close()
    # the messages that do nothing for a viewer
    with RawSession(server.port, cookie["anna"]) as editor:
        control = grades(editor.open("compare", QUERY))
        editor.send(control.id, QUERY, string_array_value={"data": ["3"]})
    stored = [j for j in JudgmentStore(space).current("sample") if j.document_id == "bern"]
    assert [(j.grade, j.who) for j in stored] == [(3, "anna@team.example")]
    with RawSession(server.port, cookie["anna"]) as editor:
        delete = buttons(editor.open("adapters", "adapter=mine"))["adapter_delete"].id
        editor.send(delete, "adapter=mine", trigger_value=True)
    assert not (space / "adapters" / "mine.safetensors").exists()


def test_the_roles_of_a_proxy(server: Server) -> None:
    with RawSession(server.port, X_Forwarded_User="anna@team.example") as editor:
        drawn = editor.open("adapters")
        assert "train" in buttons(drawn)
        assert "Logged in as anna@team.example (editor)" in texts(drawn)
        assert "log_out" not in buttons(drawn)
    # what the browser says of the user is dropped
    sent = {"X_Forwarded_User": "vera <b>", "X_Imrnns_Lens_User": "anna%40team.example"}
    with RawSession(server.port, **sent) as viewer:
        drawn = viewer.open("adapters")
        assert "train" not in buttons(drawn)
        assert "Logged in as vera &lt;b&gt; (viewer)" in texts(drawn)
