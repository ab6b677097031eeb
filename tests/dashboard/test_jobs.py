"""Work in the background."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from dashboard import jobs
from imrnns_core.checkpoint import load_adapter
from imrnns_core.explain.faithfulness import Faithfulness
from imrnns_core.explain.words import WordExplainer
from imrnns_core.ranking import Ranker
from imrnns_core.workspace import ASSETS_FOLDER, Workspace


def test_a_job_that_a_daemon_starts_is_none_itself() -> None:
    """Streamlit's script threads are daemons, and what they start is one too unless it says otherwise."""
    found: list[bool] = []
    done = threading.Event()

    def work() -> None:
        found.append(threading.current_thread().daemon)
        done.set()

    threading.Thread(target=jobs.start, args=[work], daemon=True).start()
    assert done.wait(5)
    assert found == [False]


def test_a_deletion_test_says_how_far_it_is_in_a_pair_and_stops_without_a_record(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    ranker = Ranker(space.open(space.resolve("sample")), load_adapter(ASSETS_FOLDER / "sample-adapter.safetensors"))
    before = threading.active_count()
    job = jobs.TrustJob.start(WordExplainer(ranker), Faithfulness("sample", "test", "a"), 12, tmp_path / "record.json")
    deadline = time.monotonic() + 60
    while not job.step[1] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert 0 < job.step[0] <= job.step[1]
    assert (job.done, job.total) == (0, 12)
    job.stop.set()
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (job.done, job.finished, job.error) == (0, False, "")
    assert not (tmp_path / "record.json").exists()


def test_the_error_of_a_failed_map_can_be_read_again(tmp_path: Path) -> None:
    job = jobs.MapJob.start("nowhere", "sample-adapter", tmp_path)
    job.process.wait(60)
    first = job.error
    assert "nowhere: neither a folder, a zip nor a registered name" in first
    assert [job.error, job.error] == [first, first]


def test_a_process_that_says_much_is_not_kept_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "talker"
    script.write_text(f"#!{sys.executable}\nimport sys\nsys.stderr.write('word ' * 100_000 + 'the end')\nsys.exit(3)\n")
    script.chmod(0o755)
    monkeypatch.setattr(jobs.sys, "executable", str(script))
    job = jobs.MapJob.start("sample", "sample-adapter", tmp_path)
    job.process.wait(10)
    assert job.error.endswith("word the end")
    assert len(job.error) <= jobs.MESSAGE_BYTES
