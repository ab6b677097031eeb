"""A proxy that names the user: its header counts only if a trusted address sends it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.browser.app import Server, started
from tests.browser.raw_session import RawSession

pytestmark = pytest.mark.browser
SECRETS = """
[imrnns]
editors = ["anna@team.example"]
user_header = "X-Forwarded-User"
trusted_proxies = ["{}"]
"""
EDITOR = {"X-Forwarded-User": "anna@team.example"}


def configured(folder: Path, proxy: str) -> Path:
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(SECRETS.format(proxy))
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = configured(tmp_path_factory.mktemp("trusting"), "127.0.0.1/32")
    with started(folder / "space", folder=folder) as running:
        yield running


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ([], 401),
        ([("X-Forwarded-User", "anna@team.example")], 200),
        ([("x-forwarded-user", "vera")], 200),
        ([("X-Forwarded-User", "")], 401),
        # the proxy added its own, and let that of the browser through
        ([("X-Forwarded-User", "anna@team.example"), ("X-Forwarded-User", "vera")], 401),
        ([("X-Imrnns-Lens-User", "anna%40team.example")], 401),
        ([("Cookie", "_streamlit_user=x")], 401),
    ],
)
def test_the_header_of_a_trusted_proxy_names_the_user(
    server: Server, headers: list[tuple[str, str]], answer: int
) -> None:
    assert httpx.get(f"{server.address}/judging", headers=headers).status_code == answer


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("%2Fcompare%3Fquery%3Dq054", "/compare?query=q054"),
        ("%2F%2Fevil.example", "/"),
        ("http%3A%2F%2Fevil.example", "/"),
        ("%2F%09%2Fevil.example", "/%09/evil.example"),
        ("%2F%5Cevil.example", "/%5Cevil.example"),
    ],
)
def test_after_the_login_only_a_page_of_this_server_is_opened(
    server: Server, asked: str, location: str
) -> None:
    headers = {**EDITOR, "Cookie": f"imrnns_lens_return={asked}"}
    assert httpx.get(server.address, headers=headers).headers["Location"] == location


def test_a_program_of_this_machine_cannot_pretend_to_be_the_proxy(tmp_path: Path) -> None:
    folder = configured(tmp_path, "10.0.0.5")
    with started(folder / "space", folder=folder) as server:
        for forwarded in ("10.0.0.5", "10.0.0.5:1234", "10.0.0.5, 127.0.0.1", ""):
            headers = {**EDITOR, "X-Forwarded-For": forwarded, "Forwarded": f"for={forwarded}"}
            answer = httpx.get(f"{server.address}/judging", headers=headers)
            assert answer.status_code == 401, forwarded
            with pytest.raises(InvalidStatus, match="401"):
                RawSession(
                    server.port,
                    X_Forwarded_User=EDITOR["X-Forwarded-User"],
                    X_Forwarded_For=forwarded,
                )
