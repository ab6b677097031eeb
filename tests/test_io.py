"""Atomic writing of files."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imrnns_core import io
from imrnns_core.io import (
    atomic_write,
    os_error_line,
    recover_folder,
    replace_folder,
    sweep_temporaries,
    without_checksum,
    write_checked_json,
)


def test_success_replaces_the_old_file(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failure_keeps_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("ne")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import os, signal, sys
from pathlib import Path
from imrnns_core.io import atomic_write
with atomic_write(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_writer(path: Path) -> Path:
    """Return the temporary file of a process that was killed while it wrote."""
    before = set(path.parent.iterdir())
    done = subprocess.run([sys.executable, "-c", WRITER, str(path)], check=False)
    assert done.returncode == -9
    (left,) = set(path.parent.iterdir()) - before
    return left


def test_the_next_write_in_a_folder_deletes_what_a_killed_process_left(tmp_path: Path):
    left = killed_writer(tmp_path / "a.json")
    assert left.read_text() == "half"
    write_checked_json(tmp_path / "b.json", {"a": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["b.json"]


def test_many_writes_in_a_folder_look_for_such_files_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Otherwise the time of a write grows with the number of files, such as shards."""
    looked = list[Path]()
    monkeypatch.setattr(io, "sweep_temporaries", looked.append)
    for number in range(3):
        write_checked_json(tmp_path / f"{number}.json", {"a": number})
    write_checked_json(tmp_path / "other" / "a.json", {"a": 1})
    assert looked == [tmp_path, tmp_path / "other"]


def test_temporary_files_of_living_processes_and_other_machines_stay(tmp_path: Path):
    left = killed_writer(tmp_path / "a.json")
    with atomic_write(tmp_path / "c.json") as own:
        own.write_text("own")
        assert sweep_temporaries(tmp_path) == []  # the first line of atomic_write swept
        assert not left.exists()
        assert own.exists()
    other = tmp_path / f".a.json.ffffff-{2**22}-0123abcd.tmp"
    unlike = tmp_path / ".mine.tmp"
    other.touch()
    unlike.touch()
    assert sweep_temporaries(tmp_path) == []
    old = time.time() - 8 * 86_400
    os.utime(other, (old, old))
    assert sweep_temporaries(tmp_path) == [other]
    assert unlike.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, None])
def test_errors_of_the_disk_name_the_file(tmp_path: Path, number: int | None):
    path = tmp_path / "a.npz"
    failure = OSError("10 requested and 3 written") if number is None else OSError(number, "x")

    def fail() -> None:
        with atomic_write(path):
            raise failure

    with pytest.raises(OSError, match=r"a\.npz") as raised:
        fail()
    line = os_error_line(raised.value)
    assert line.startswith(f"{path}: ")
    remedies = {errno.ENOSPC: "free some disk space", errno.EROFS: "make it writable"}
    assert remedies.get(number, "check the path") in line


def test_a_changed_record_is_found(tmp_path: Path):
    import json

    path = tmp_path / "a.json"
    write_checked_json(path, {"x": [1.5, None], "y": {"z": "ü"}})
    record = json.loads(path.read_text())
    assert without_checksum(record) == {"x": [1.5, None], "y": {"z": "ü"}}
    record["x"][0] = 1.25
    with pytest.raises(ValueError, match="changed since it was written"):
        without_checksum(record)
    assert without_checksum({"x": 1}) == {"x": 1}  # an older version wrote it


def test_a_folder_that_is_replaced_is_never_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "vectors"
    (folder / "finished").mkdir(parents=True)
    (folder / "old").touch()
    (folder / "finished" / "new").touch()
    original, calls = Path.replace, []

    def killed(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        replace_folder(folder / "finished", folder)
    monkeypatch.undo()
    assert not folder.exists()
    recover_folder(folder)
    assert (folder / "old").exists()
    replace_folder(folder / "finished", folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["vectors", "new"]
