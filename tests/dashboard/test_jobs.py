"""Work in the background."""

from __future__ import annotations

import threading

from dashboard import jobs


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
