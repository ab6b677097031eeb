"""The server keeps to this machine, however and wherever it is started."""

from __future__ import annotations

import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import Config
from websockets.exceptions import ConnectionClosed

from dashboard import gate
from tests.browser.app import (
    LOGS,
    Server,
    free_port,
    open_page,
    own_context,
    run_app,
    run_command,
    started,
    status,
    websocket_status,
)
from tests.browser.raw_session import RawSession

pytestmark = pytest.mark.browser
_LOOK = """() => { const style = getComputedStyle(document.querySelector('[data-testid="stApp"]'));
  return [style.fontFamily.split(',')[0], style.color]; }"""


OTHER_SETTINGS = """
[server]
address = "0.0.0.0"
allowedHosts = ["*"]
corsAllowedOrigins = ["*"]
enableCORS = false
enableXsrfProtection = false
[browser]
gatherUsageStats = true
[client]
showErrorDetails = "full"
showErrorLinks = true
"""
XSRF = "2|00000000|31323334353637383930313233343536|1700000000"


@pytest.fixture(
    scope="module", params=[run_app, run_command], ids=["streamlit run", "imrnns-lens dashboard"]
)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The dashboard, started from a folder that is not the repository.

    The user has settings for other Streamlit apps.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "config.toml").write_text(OTHER_SETTINGS)
    with started(folder / "workspace", request.param, folder, HOME=str(folder)) as running:
        yield running


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.2"), (socket.AF_INET6, "::1")]
)
def test_only_127_0_0_1_is_served(server: Server, family: socket.AddressFamily, host: str) -> None:
    """A server that listens on all interfaces answers at the other loopback addresses, too."""
    with socket.socket(family) as probe, pytest.raises(ConnectionRefusedError):
        probe.connect((host, server.port))


def test_an_upload_needs_the_token_of_a_page(server: Server) -> None:
    upload = "PUT /_stcore/upload_file/session/file"
    assert status(server.port, upload, Content_Length="0") == 403
    cookie = {"Cookie": f"_streamlit_xsrf={XSRF}", "Content_Length": "0"}
    assert status(server.port, upload, **cookie) == 403
    # with the token, but no session
    assert status(server.port, upload, X_Xsrftoken=XSRF, **cookie) == 400


def test_the_websocket_of_another_site_is_refused(server: Server) -> None:
    assert websocket_status(server.port, origin="http://evil.example") == 403
    assert websocket_status(server.port) == 101


def test_theme_and_settings_apply_from_any_folder(server: Server, browser: Browser) -> None:
    page, asked = own_context(browser, color_scheme="light").new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    sent: list[bytes] = []
    page.on(
        "websocket",
        lambda channel: channel.on("framereceived", lambda frame: sent.append(bytes(frame))),
    )
    open_page(page, server.address)
    look = page.evaluate(_LOOK)
    page.context.close()
    assert look == ["system-ui", "rgb(27, 36, 48)"]
    assert [url for url in asked if not url.removeprefix("blob:").startswith(server.address)] == []
    settings = _settings(sent)
    assert not settings.gather_usage_stats
    assert settings.show_error_links == settings.SHOW_ERROR_LINKS_FALSE, (
        "an error offers to send itself to a search engine"
    )


PATHS = [
    "/",
    "/map",
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/component/plotly/plotly.min.js",
    "/media/none",
]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "192.0.2.1", "localhost@evil.example", "[::2]"],
)
def test_other_hosts_are_refused_everywhere(server: Server, host: str) -> None:
    """A page of another site can make its name point to this machine (DNS rebinding).

    The Host header still names the site.
    """
    assert {path: status(server.port, f"GET {path}", host) for path in PATHS} == dict.fromkeys(
        PATHS, 403
    )
    assert websocket_status(server.port, host) == 403


def test_a_request_without_a_host_is_refused(server: Server) -> None:
    assert status(server.port, "GET /", None) in (400, 403)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_names_of_this_machine_are_served(server: Server, host: str) -> None:
    assert status(server.port, "GET /_stcore/health", host) == 200
    assert websocket_status(server.port, host) == 101


def test_the_first_websocket_of_a_new_server_is_refused(tmp_path: Path) -> None:
    answers: list[int] = []

    def ready(address: str) -> bool:
        try:
            answers.append(websocket_status(int(address.rpartition(":")[2]), "evil.example"))
        except ConnectionRefusedError:
            return False
        return True

    with started(tmp_path, ready=ready):
        assert answers == [403]


def test_a_host_that_the_user_names_is_served(tmp_path: Path) -> None:
    with started(tmp_path, STREAMLIT_SERVER_ALLOWED_HOSTS="127.0.0.1 lens.example") as server:
        assert websocket_status(server.port, "lens.example") == 101
        assert status(server.port, "GET /", "lens.example") == 200


@pytest.mark.parametrize("path", ["/", "/compare", "/_stcore/health", "/media/none"])
def test_every_answer_limits_what_the_page_loads_and_who_frames_it(
    server: Server, path: str
) -> None:
    try:
        headers = urllib.request.urlopen(server.address + path).headers
    except urllib.error.HTTPError as error:
        headers = error.headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_another_page_cannot_frame_the_dashboard(server: Server, browser: Browser) -> None:
    page, said = own_context(browser).new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.set_content(f"<iframe src='{server.address}/compare'></iframe>")
    page.wait_for_timeout(2000)
    assert any("frame-ancestors 'none'" in text for text in said)
    page.context.close()


def test_the_metrics_of_the_server_are_closed(server: Server) -> None:
    for path in ("/_stcore/metrics", "/_stcore/metrics/"):
        assert status(server.port, f"GET {path}") == 404


def _settings(frames: list[bytes]) -> Config:
    """Return the settings that the server sends to a page."""
    messages = map(ForwardMsg.FromString, frames)
    return next(
        message.new_session.config
        for message in messages
        if message.WhichOneof("type") == "new_session"
    )


def run_script(port: int) -> list[str]:
    return [part.replace("app.py", "script.py") for part in run_app(port)]


def test_the_script_alone_does_not_run_without_the_gate(tmp_path: Path) -> None:
    with started(tmp_path, run_script) as server:
        with pytest.raises(ConnectionClosed), RawSession(server.port) as session:
            session.open("data")
        assert server.process.wait(20) == 2
        assert LOGS[server.port].read_text().splitlines()[-1] == gate.NO_GATE


def test_another_address_is_served_with_one_line_of_warning(tmp_path: Path) -> None:
    def everywhere(port: int) -> list[str]:
        return [*run_command(port), "--host", "0.0.0.0"]

    with started(tmp_path, everywhere) as server:
        socket.create_connection(("127.0.0.2", server.port)).close()
        said = LOGS[server.port].read_text().splitlines()
    (warning,) = [line for line in said if "Warning" in line]
    assert "Everyone who reaches 0.0.0.0 can read, judge, train and delete" in warning


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ("[auth", "cannot be read as TOML, so nobody is let in"),
        ('[auth]\nredirect_uri = "r"', 'missing the "cookie_secret" key'),
        (
            '[auth]\nredirect_uri="r"\ncookie_secret="short"\nclient_id="c"\nclient_secret="s"\n'
            'server_metadata_url="u"',
            "cookie_secret must have at least 32 characters",
        ),
    ],
)
def test_a_login_that_cannot_work_does_not_start(
    tmp_path: Path, secrets: str, message: str
) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(secrets)
    command = run_app(free_port())
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert message in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
