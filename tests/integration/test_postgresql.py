"""The judgments of a team on a real PostgreSQL server, which the test starts."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imrnns_core.errors import LensError
from imrnns_core.storage.database import VARIABLE
from imrnns_core.storage.judgments import JudgmentStore
from imrnns_core.storage.workspace import Workspace
from tests.storage.test_judgments import dataset, grades, judge_many

pytestmark = pytest.mark.integration
PASSWORD = "s3cret word/@:"
QUOTED = "s3cret%20word%2F%40%3A"


def programs() -> Path:
    """Return the folder of the server's programs; Debian does not put them on the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not versions:
        pytest.skip("there is no PostgreSQL server; install the package postgresql")
    return versions[-1]


def run(*command: object) -> None:
    """Run a program of the server, which refuses to run as root: then as `nobody`."""
    user = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env=environment, **user
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the user anna, who needs a password; yields the address without a database."""
    folder, folder_of_programs = tmp_path_factory.mktemp("server"), programs()
    (folder / "password").write_text(PASSWORD)
    for path in (folder, folder / "password"):
        if os.getuid() == 0:
            shutil.chown(path, "nobody", "nogroup")
    for parent in folder.parents[:2]:  # pytest lets only the owner in
        parent.chmod(parent.stat().st_mode | 0o011)
    data = folder / "data"
    options = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--encoding=UTF8"]
    run(folder_of_programs / "initdb", "-D", data, "-U", "anna", *options)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    control, log = folder_of_programs / "pg_ctl", folder / "log"
    run(control, "-D", data, "-l", log, "-o", start, "-w", "start")
    yield f"postgresql+psycopg://anna:{QUOTED}@127.0.0.1:{port}"
    run(control, "-D", data, "-m", "immediate", "-w", "stop")


@pytest.fixture(scope="module")
def store(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JudgmentStore]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, f"{server}/postgres")
        yield JudgmentStore(tmp_path_factory.mktemp("workspace"))


def test_judgments_questions_and_undo(store: JudgmentStore, tmp_path: Path) -> None:
    assert (store.current("toy"), store.version("toy")) == ([], (0, 0))
    first, second = store.add(dataset(), [("q0", "d0", 3), ("q0", "d0", 1)], "Änne")
    assert grades(store) == {("q0", "d0"): (1, "Änne")}
    assert store.undo("toy", second, "ben")
    assert [(j.id, j.grade, j.at.utcoffset().total_seconds()) for j in store.current("toy")] == [
        (first, 3, 0.0)
    ]
    kept = store.keep("toy", "where?", "ben")
    assert store.keep("toy", "Where", "anna").id == kept.id
    assert store.version("toy") == (3, 1)
    other = JudgmentStore(tmp_path)  # another workspace has the same judgments
    assert (grades(other), other.questions("toy")) == (grades(store), [kept])
    assert not list(tmp_path.iterdir())
    assert store.remove_question("toy", kept.id, "anna")
    (removed,) = other.removed_questions("toy")
    assert (removed.query, removed.who, removed.at.utcoffset().total_seconds()) == (
        kept,
        "anna",
        0.0,
    )
    assert (other.questions("toy"), store.version("toy")) == ([], (3, 2))
    assert other.restore_question("toy", kept.id, "ben")
    assert store.questions("toy") == [kept]


def test_people_who_judge_at_once_lose_nothing(store: JudgmentStore, tmp_path: Path) -> None:
    before = len(store.history("toy"))
    threads = [threading.Thread(target=judge_many, args=(tmp_path, f"t{n}", 20)) for n in range(4)]
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=judge_many, args=(tmp_path, f"p{n}", 20)) for n in range(2)]
    for running in (*processes, *threads):
        running.start()
    for running in (*processes, *threads):
        running.join()
    history = store.history("toy")
    assert len(history) == before + 120
    for name in ("t0", "t1", "t2", "t3", "p0", "p1"):
        assert [j.grade for j in history if j.who == name] == [i % 4 for i in range(20)]


def test_processes_that_make_the_tables_at_once_get_them(
    server: str, store: JudgmentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import create_engine, text

    with create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("CREATE DATABASE fresh"))
    monkeypatch.setenv(VARIABLE, f"{server}/fresh")
    context = multiprocessing.get_context("spawn")
    running = [context.Process(target=judge_many, args=(tmp_path, f"p{n}", 3)) for n in range(3)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert JudgmentStore(tmp_path).version("toy") == (9, 0)


def test_an_open_data_set_has_the_judgments_of_the_team(
    store: JudgmentStore, tmp_path: Path
) -> None:
    space = Workspace(tmp_path)
    sample = space.open("sample").dataset
    document = next(d for d in sample.document_ids if d not in sample.judgments["q128"])
    store.add(sample, [("q128", document, 2)], "anna")
    assert Workspace(tmp_path).open("sample").dataset.judgments["q128"][document] == 2


def test_errors_do_not_contain_the_password(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address, problem in (
        (f"{server}/missing", 'database "missing" does not exist'),
        (server.replace(QUOTED, "wr0ng-word") + "/postgres", "password authentication failed"),
    ):
        monkeypatch.setenv(VARIABLE, address)
        with pytest.raises(LensError) as raised:
            JudgmentStore(tmp_path).current("toy")
        message = str(raised.value)
        assert problem in message
        assert "\n" not in message
        for secret in (PASSWORD, QUOTED, "wr0ng-word"):
            assert secret not in message
