"""A full disk and a read-only workspace, with the real commands: `make integration`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.integration.kills import write_files

pytestmark = pytest.mark.integration


def lens(*arguments: object, workspace: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "imrnns_core.cli", *map(str, arguments)]
    command += ["--workspace", str(workspace)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def mount(*options: str) -> None:
    done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


def contents(root: Path) -> dict[str, str]:
    """Path → SHA-256 of all files but locks and the notes of uses."""
    ends = (".lock", "-wal", "-shm")  # SQLite keeps the last two, which are empty, for a while
    files = [p for p in root.rglob("*") if p.is_file() and not p.name.endswith(ends)]
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in files
        if "uses" not in p.parts and ".training" not in str(p) and "encoding" not in p.parts
    }


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk with a workspace: a prepared data set, an adapter, judgments."""
    disk, files = tmp_path_factory.mktemp("disk"), tmp_path_factory.mktemp("data") / "files"
    write_files(files)
    mount("-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk))
    try:
        files.rename(files.with_name("given"))
        (disk / "files").symlink_to(files.with_name("given"))
        for arguments in (
            ("prepare", disk / "files" / "small"),
            ("adapters", "import", disk / "files" / "kept.safetensors"),
            ("judgments", "import", disk / "files" / "pages", disk / "files" / "first.tsv"),
            ("search", disk / "files" / "small", "alra"),
        ):
            assert lens(*arguments, workspace=disk / "space").returncode == 0
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def full(disk: Path) -> Iterator[Path]:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as handle:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    handle.write(b"x" * size)

            except OSError:
                continue
    yield disk
    filler.unlink()


@pytest.fixture
def read_only(disk: Path) -> Iterator[Path]:
    mount("-o", "remount,ro", str(disk))
    yield disk
    mount("-o", "remount,rw", str(disk))


def arguments_of(command: str, disk: Path) -> tuple[object, ...]:
    files, space = disk / "files", disk / "space"
    return {
        "prepare": ("prepare", files / "pages"),
        "train": ("train", files / "small", "--out", space / "adapters" / "t.safetensors"),
        "adapters import": ("adapters", "import", files / "new.safetensors"),
        "adapters export": ("adapters", "export", "kept", disk / "out.safetensors"),
        "judging": ("judgments", "import", files / "pages", files / "second.tsv"),
        "judgments export": ("judgments", "export", files / "pages", "--out", disk / "j.tsv"),
        "map": ("prepare", files / "small", "--adapter", "none"),
        "evaluate": ("evaluate", files / "small", "--adapter", "kept", "--html", disk / "e.html"),
        "search": ("search", files / "small", "alra", "--json", disk / "s.json"),
    }[command]


WRITING = ("prepare", "train", "adapters import", "adapters export", "judging")
OTHERS = ("judgments export", "map", "evaluate", "search")


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the line of an error; warnings about the data set are lines of their own."""
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("imrnns-lens: ")]
    return lines[-1]


@pytest.mark.parametrize("command", [*WRITING, *OTHERS])
def test_a_full_disk_is_one_line_and_changes_nothing(full: Path, command: str) -> None:
    before = contents(full)
    line = one_line(lens(*arguments_of(command, full), workspace=full / "space"))
    assert str(full) in line
    assert "free some disk space" in line
    assert contents(full) == before
    assert not list(full.rglob("*.tmp"))


@pytest.mark.parametrize("command", WRITING)
def test_what_writes_says_that_the_workspace_is_read_only(read_only: Path, command: str) -> None:
    before = contents(read_only)
    line = one_line(lens(*arguments_of(command, read_only), workspace=read_only / "space"))
    assert str(read_only) in line
    assert "make" in line
    assert "writable" in line
    assert contents(read_only) == before


def test_reading_works_in_a_read_only_workspace(read_only: Path) -> None:
    files, space = read_only / "files", read_only / "space"
    for arguments in (
        ("prepare", files / "small"),
        ("search", files / "small", "alra beso"),
        ("search", files / "small", "alra beso", "--adapter", "kept"),
        ("evaluate", files / "small", "--adapter", "kept"),
        ("adapters", "list"),
        ("judgments", "list", files / "pages"),
        ("doctor",),
    ):
        done = lens(*arguments, workspace=space)
        assert done.returncode == 0, (arguments, done.stderr)
    assert "48 judgments" in lens("judgments", "list", files / "pages", workspace=space).stdout


def test_the_dashboard_shows_a_read_only_workspace(
    read_only: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streamlit.testing.v1 import AppTest

    # it replaces the main module, which other tests start in processes of their own
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])

    monkeypatch.setenv("IMRNNS_WORKSPACE", str(read_only / "space"))
    page = AppTest.from_file(str(REPOSITORY / "dashboard" / "script.py"), default_timeout=300)
    page.query_params["data"] = "small"
    page.run()
    assert not page.exception
