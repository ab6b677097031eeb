"""Who is let in with which role, and that nothing is written without the role editor."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from dashboard import access, state
from dashboard.access import AccessError, Policy
from dashboard.services import judging, remedies
from dashboard.services.adapters import files, trainings
from dashboard.services.adapters.training_job import Request
from dashboard.services.data_sets import imports, listing, uploads

LOGIN = {"client_id": "lens", "client_secret": "s", "server_metadata_url": "u"}
PROXY = {"user_header": "X-User", "trusted_proxies": ["10.0.0.0/8", "::1"]}
TRAINING = Request("sample", "mine", "best", 1)
WRITES: list[Callable[[], Any]] = [
    lambda: judging.writer("sample", "vera"),
    lambda: judging.keep("sample", "a question", "vera"),
    lambda: judging.remove_question("sample", "q1", "vera"),
    lambda: judging.restore_question("sample", "q1", "vera"),
    lambda: judging.read_file("sample", Path("qrels"), "vera"),
    lambda: uploads.save("a.csv", BytesIO(), names_data_set=True),
    lambda: uploads.save_folder([]),
    lambda: listing.delete("mine"),
    lambda: listing.undo("mine"),
    lambda: listing.set_keep_own("sample", True),
    lambda: listing.add_run("sample", "a.run", ""),
    lambda: listing.remove_run("sample", "a"),
    lambda: imports.tables(imports.Wanted("/etc/passwd")),
    lambda: imports.wait(imports.Wanted("/data")),
    lambda: files.read("/data/a.pt"),
    lambda: files.take("/data/a.pt"),
    lambda: files.delete("mine"),
    lambda: files.undo("mine"),
    lambda: trainings.start(TRAINING),
    lambda: trainings.discard(TRAINING),
    lambda: remedies.encode("sample"),
]


@pytest.fixture
def viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "policy", lambda: Policy(("default",), ("anna",)))
    monkeypatch.setattr(access, "user", lambda: "vera")


@pytest.mark.parametrize("write", WRITES)
def test_a_viewer_writes_nothing(viewer: None, write: Callable[[], Any]) -> None:
    with pytest.raises(AccessError, match="needs the role editor"):
        write()


def test_all_services_that_write_are_tried() -> None:
    modules = [judging, remedies, files, trainings, imports, listing, uploads]
    guarded = [f for module in modules for f in vars(module).values() if hasattr(f, "__wrapped__")]
    named = [
        f for f in guarded if getattr(f, "__code__", None) is access.editors_only(len).__code__
    ]
    assert len(named) == len(WRITES)


def test_who_judges_is_who_is_logged_in(viewer: None) -> None:
    assert state.who() == "vera"


def test_without_a_login_everybody_edits() -> None:
    assert not access.policy().closed
    assert access.may_edit()
    assert access.user() == ""


@pytest.mark.parametrize(
    ("user", "role"),
    [
        ("anna@team.example", "editor"),
        ("ANNA@Team.Example", "editor"),
        ("bob@sub.team.example", "viewer"),
        ("bob@notteam.example", "viewer"),
        ("@team.example@evil.example", "viewer"),
        ("team.example", "viewer"),
        ("carl@other.example", "editor"),
        ("", None),
    ],
)
def test_roles(user: str, role: str | None) -> None:
    own = {"editors": ["@team.example", "Carl@other.example"]}
    assert Policy.of({"auth": LOGIN, "imrnns": own}).role(user) == role


def test_with_viewers_only_those_named_may_read() -> None:
    own = {"editors": ["anna@team.example"], "viewers": ["@other.example"]}
    policy = Policy.of({"auth": LOGIN, "imrnns": own})
    users = ("anna@team.example", "vera@other.example", "paul@gmail.example")
    assert [policy.role(user) for user in users] == ["editor", "viewer", None]


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("::1", True),
        ("11.0.0.1", False),
        ("127.0.0.1", False),
        ("testclient", False),
        ("", False),
    ],
)
def test_trusted_addresses(address: str, trusted: bool) -> None:
    assert Policy.of({"imrnns": PROXY}).trusts(address) == trusted


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"editor": ["a@b.example"]}, "has no setting 'editor'"),
        ({"editors": "a@b.example"}, "editors must be a list"),
        ({"viewers": [1]}, "viewers must be a list"),
        ({"editors": ["a@b.example"]}, "nobody can log in"),
        ({"user_header": "X-User"}, "both user_header and trusted_proxies"),
        ({"trusted_proxies": ["10.0.0.1"]}, "both user_header and trusted_proxies"),
        ({**PROXY, "trusted_proxies": ["10.0.0.1/8"]}, "has host bits set"),
        ({**PROXY, "trusted_proxies": ["proxy.example"]}, "proxy.example"),
    ],
)
def test_a_wrong_configuration_lets_nobody_in(own: dict[str, Any], message: str) -> None:
    with pytest.raises(AccessError, match=message):
        Policy.of({"imrnns": own})


def test_providers() -> None:
    assert Policy.of({"auth": {"cookie_secret": "x", **LOGIN}}).providers == ("default",)
    named = {"cookie_secret": "x", "google": LOGIN, "entra": LOGIN}
    assert Policy.of({"auth": named}).providers == ("google", "entra")
    assert not Policy.of({}).closed


@pytest.mark.parametrize(
    ("policy", "address", "warning"),
    [
        (Policy(), "127.0.0.1", ""),
        (Policy(), "0.0.0.0", "Everyone who reaches 0.0.0.0 can read, judge, train and delete"),
        (Policy(), None, "Everyone who reaches this machine"),
        (Policy(("default",), ("anna",)), "0.0.0.0", ""),
        (Policy(("default",)), "127.0.0.1", "no editors are named"),
    ],
)
def test_the_warning_at_the_start(
    monkeypatch: pytest.MonkeyPatch, policy: Policy, address: str | None, warning: str
) -> None:
    monkeypatch.setattr(access, "policy", lambda: policy)
    line = access.start_warning(address)
    assert warning in line
    assert bool(line) == bool(warning)
    assert "\n" not in line
