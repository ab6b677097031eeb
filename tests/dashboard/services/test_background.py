"""Work in the background."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from dashboard.services import background
from dashboard.services.deletion.deletion_job import DeletionJob
from dashboard.services.map_job import MapJob
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.errors import LensError
from imrnns_core.explanation.deletion_records import DeletionTest
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.model.checkpoint import load_adapter, save_adapter
from imrnns_core.projection.corpus_map import map_key
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.storage.workspace import Workspace
from tests.conftest import REPOSITORY
from tests.toys import adapter, letters, random_model, write_dataset


@dataclass
class Fake:
    """Work of which a test says what becomes of it."""

    done: float = 0
    total: float = 1
    finished: bool = False
    error: str = ""
    stopped: int = 0

    def stop(self) -> None:
        self.stopped += 1


FILE = Path("map.npz")


def test_two_sessions_wait_for_one_job_and_the_last_that_leaves_ends_it() -> None:
    shared, job = background.Jobs[Fake](lambda session: True), Fake()
    shared.join(FILE, "a", lambda: job)
    assert shared.find(FILE, "b") == (job, False)
    shared.join(FILE, "b", lambda: pytest.fail("a second job for the same file"))
    assert shared.find(FILE, "b") == (job, True)
    shared.leave(FILE, "a")
    assert (shared.find(FILE, "a"), job.stopped) == ((job, False), 0)
    shared.leave(FILE, "a")
    shared.leave(FILE, "c")  # it never waited
    assert job.stopped == 0
    shared.leave(FILE, "b")
    assert (shared.find(FILE, "b"), job.stopped) == ((None, False), 1)
    shared.leave(FILE, "b")
    assert job.stopped == 1


def test_two_sessions_that_start_at_once_start_one_job() -> None:
    shared, started = background.Jobs[Fake](lambda session: True), list[Fake]()

    def start() -> Fake:
        time.sleep(0.1)
        started.append(Fake())
        return started[-1]

    threads = [
        threading.Thread(target=shared.join, args=(FILE, session, start)) for session in "abc"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1
    assert [shared.find(FILE, session) for session in "abc"] == [(started[0], True)] * 3


def test_other_files_are_other_jobs() -> None:
    shared, one, other = background.Jobs[Fake](lambda session: True), Fake(), Fake()
    shared.join(FILE, "a", lambda: one)
    shared.join(Path("other.npz"), "a", lambda: other)
    shared.leave(FILE, "a")
    assert (one.stopped, other.stopped) == (1, 0)
    assert shared.find(Path("other.npz"), "a") == (other, True)


def test_a_session_that_is_gone_does_not_count_and_ends_nothing() -> None:
    connected, job = {"a", "b"}, Fake()
    shared = background.Jobs[Fake](lambda session: session in connected)
    for session in "ab":
        shared.join(FILE, session, lambda: job)
    connected.remove("a")
    shared.leave(FILE, "b")
    assert job.stopped == 1  # only one that is gone was left

    job = Fake()
    shared.join(FILE, "b", lambda: job)
    connected.remove("b")
    assert job.stopped == 0
    connected |= {"c", "d"}
    assert shared.find(FILE, "c") == (job, True)  # as after a reload of the page
    assert shared.find(FILE, "d") == (job, False)
    shared.leave(FILE, "c")
    assert job.stopped == 1


def test_a_finished_job_is_forgotten_and_a_failed_one_can_be_tried_again() -> None:
    shared, good, bad, again = background.Jobs[Fake](lambda session: True), Fake(), Fake(), Fake()
    shared.join(FILE, "a", lambda: good)
    good.finished = True
    assert shared.find(FILE, "a") == (None, False)
    shared.join(FILE, "a", lambda: bad)
    bad.finished, bad.error = True, "no space"
    assert [shared.find(FILE, "a") for _ in range(2)] == [(bad, True)] * 2
    shared.join(FILE, "b", lambda: again)
    assert shared.find(FILE, "b") == (again, True)
    assert shared.find(FILE, "a") == (again, False)


def test_a_job_that_a_daemon_starts_is_none_itself() -> None:
    """Streamlit's script threads are daemons; so is what they start, unless it says otherwise."""
    found: list[bool] = []
    done = threading.Event()

    def work() -> None:
        found.append(threading.current_thread().daemon)
        done.set()

    threading.Thread(target=background.start, args=[work], daemon=True).start()
    assert done.wait(5)
    assert found == [False]


def test_a_deletion_test_says_how_far_it_is_in_a_pair_and_stops_without_a_record(
    tmp_path: Path,
) -> None:
    space = Workspace(tmp_path)
    ranker = Ranker(
        space.open(space.resolve("sample")),
        load_adapter(ASSETS_FOLDER / "sample-adapter.safetensors"),
    )
    before = threading.active_count()
    job = DeletionJob.start(
        WordExplainer(ranker), DeletionTest("sample", "test", "a"), 12, tmp_path / "record.json"
    )
    deadline = time.monotonic() + 60
    while not job.step[0] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert 0 < job.step[0] <= job.step[1]
    assert (job.done, job.total) == (0, 12)
    job.stop()
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (job.done, job.finished, job.error) == (0, True, "")
    assert not (tmp_path / "record.json").exists()


def test_a_deletion_test_stops_where_all_texts_are_encoded_already(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    ranker = Ranker(
        space.open(space.resolve("sample")),
        load_adapter(ASSETS_FOLDER / "sample-adapter.safetensors"),
    )
    explainer, heard = WordExplainer(ranker), list[tuple[int, int]]()
    explainer.encode("query", ["peso"])

    def stop(*step: int) -> None:
        heard.append(step)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explainer.encode("query", ["peso"], stop)
    assert heard == [(0, 0)]


def map_job(folder: Path, monkeypatch: pytest.MonkeyPatch, work: str) -> MapJob:
    """Start a map job whose process does `work` in place of the command line."""
    script = folder / "work"
    script.write_text(f"#!{sys.executable}\nimport signal, sys, time\n{work}\n")
    script.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr(background.sys, "executable", str(script))
        return MapJob.start("sample", "sample-adapter", folder, folder / "map.npz", 10)


def test_the_error_of_a_failed_map_can_be_read_again(tmp_path: Path) -> None:
    job = MapJob.start("nowhere", "sample-adapter", tmp_path, tmp_path / "map.npz", 10)
    job.process.wait(60)
    first = job.error
    assert "nowhere: neither a folder, a file nor a registered name" in first
    assert [job.error, job.error] == [first, first]


def test_a_process_that_says_much_is_not_kept_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = map_job(
        tmp_path, monkeypatch, "sys.stderr.write('word ' * 100_000 + 'the end'); sys.exit(3)"
    )
    job.process.wait(10)
    assert job.error.endswith("word the end")
    assert len(job.error) <= background.MESSAGE_BYTES


@pytest.mark.parametrize(
    ("work", "error"),
    [("sys.exit(0)", "without the map"), ("sys.exit(3)", "ended with code 3; try again")],
)
def test_a_process_that_ends_without_a_map_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str, error: str
) -> None:
    job = map_job(tmp_path, monkeypatch, work)
    job.process.wait(10)
    assert job.finished
    assert error in job.error


def test_a_map_that_is_being_made_counts_seconds_and_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "STOP_SECONDS", 0.5)
    job = map_job(
        tmp_path,
        monkeypatch,
        (
            "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', file=sys.stderr, "
            "flush=True); time.sleep(60)"
        ),
    )
    assert (job.finished, job.error, job.total) == (False, "", 20)
    while not os.fstat(job.messages.fileno()).st_size:  # it hears no SIGTERM from now on
        time.sleep(0.01)
    assert 0 < job.done < 60
    job.stop()
    assert job.process.wait(5) == -9


def test_a_map_that_was_made_is_no_error(tmp_path: Path) -> None:
    space, vectors = Workspace(tmp_path / "workspace"), tmp_path / "vectors"
    vectors.mkdir()
    save_embeddings(
        EmbeddingMatrix(("d1", "d2"), letters(["one", "two"])), vectors, "documents", "document"
    )
    save_embeddings(EmbeddingMatrix(("q1",), letters(["which?"])), vectors, "queries", "query")
    registration = space.resolve(str(write_dataset(tmp_path / "toy")), vectors)
    space.register(registration)
    made = adapter(random_model(0, 4, 4))
    save_adapter(made, space.root / "adapters" / "toy.safetensors")
    path = space.map_path(map_key(made, space.open(registration).fingerprint))
    job = MapJob.start("toy", "toy", space.root, path, 2)
    job.process.wait(120)
    assert path.is_file()
    assert (job.finished, job.error) == (True, "")


def test_an_error_that_nobody_expected_is_an_id_on_the_page_and_a_line_of_the_log(
    tmp_path: Path,
) -> None:
    code = (
        "import runpy, sys\n"
        "from imrnns_core.cli import app\n"
        "def fail(): raise RuntimeError('the secret text')\n"
        "app.main = fail\n"
        "runpy.run_module('dashboard.child', run_name='__main__')\n"
    )
    # the child ends when its input does
    child_input, own_end = os.pipe()
    with (tmp_path / "log").open("w+") as log:
        ended = subprocess.run(
            [sys.executable, "-c", code],
            stdin=child_input,
            stderr=subprocess.PIPE,
            env={**os.environ, background.LOG: str(log.fileno())},
            pass_fds=[log.fileno()],
            cwd=REPOSITORY,
            text=True,
        )
        log.seek(0)
        written = log.read()
    os.close(own_end)
    os.close(child_input)
    shown = re.fullmatch(r"Error ([0-9a-f]{6})\. The log has the details\.\n", ended.stderr)
    assert shown, ended.stderr
    line = json.loads(written)
    assert (ended.returncode, line["error"], line["event"]) == (1, shown[1], "process failed")
    assert "secret" not in written + ended.stderr


def test_what_failed_in_one_session_is_not_shown_in_another() -> None:
    shared, bad = background.Jobs[Fake](lambda session: True), Fake()
    shared.join(FILE, "a", lambda: bad)
    assert shared.find(FILE, "b") == (bad, False)  # while it runs, others can join it
    bad.finished, bad.error = True, "no space"
    assert shared.find(FILE, "b") == (None, False)
    assert shared.find(FILE, "a") == (bad, True)


def test_errors_of_files_are_named_others_have_an_id() -> None:
    def message(error: Exception) -> str:
        def work() -> None:
            raise error

        job = background.ThreadJob()
        job.run(work)
        while not job.finished:
            time.sleep(0.01)
        return job.error

    assert message(LensError("train it first")) == "train it first"
    full = OSError(28, "No space left on device", "/home/x/map.npz")
    assert message(full) == (
        "map.npz: No space left on device; free some disk space, then run the same command again"
    )
    unknown = message(KeyError("the secret text"))
    assert re.fullmatch(r"Error [0-9a-f]{6}\. The log has the details\.", unknown)
