"""Work in the background."""

from __future__ import annotations

import threading
import time
from pathlib import Path

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
