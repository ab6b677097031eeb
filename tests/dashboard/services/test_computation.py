"""A result that is computed in the background."""

from __future__ import annotations

import re
import threading
import time

import pytest

from dashboard.services import computation
from dashboard.services.computation import Computation
from imrnns_core.types import LabelledProgress


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computation, "SOON_SECONDS", 0.0)


def finish(job: Computation[int]) -> None:
    deadline = time.monotonic() + 10
    while not job.finished:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_page_sees_the_progress_and_then_the_result() -> None:
    counted, goes_on = threading.Event(), threading.Event()

    def work(report: LabelledProgress) -> int:
        report("Counting", 3, 10)
        counted.set()
        assert goes_on.wait(10)
        return 42

    job = Computation.start(work)
    assert counted.wait(10)
    assert (job.label, job.done, job.total) == ("Counting", 3, 10)
    assert (job.is_there(), job.finished) == (False, False)
    goes_on.set()
    assert job.result() == 42
    finish(job)
    job.begin()  # it is there: nothing is computed again
    assert (job.is_there(), job.error) == (True, "")


def test_a_new_computation_is_waited_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computation, "SOON_SECONDS", 10.0)
    assert Computation.start(lambda report: time.sleep(0.1)).is_there()


def test_a_failed_computation_says_why_and_can_be_tried_again() -> None:
    answers = [0, 4]
    job = Computation.start(lambda report: 8 // answers.pop(0))
    finish(job)
    assert not job.is_there()
    assert re.fullmatch(r"Error [0-9a-f]{6}\. The log has the details\.", job.error)
    with pytest.raises(RuntimeError, match=job.error):
        job.result()
    job.begin()
    assert job.result() == 2
    assert job.error == ""


def test_a_stopped_computation_has_no_result() -> None:
    stopped = threading.Event()

    def work(report: LabelledProgress) -> int:
        assert stopped.wait(10)
        report("Counting", 0, 1)
        return 1

    job = Computation.start(work)
    job.stop()
    stopped.set()
    finish(job)
    assert (job.is_there(), job.error) == (False, "")
    job.begin()  # started again, it is not stopped at once
    assert job.result() == 1


def test_another_session_tries_again_what_failed_in_one() -> None:
    answers, goes_on = [0, 0, 4], threading.Event()

    def work(report: LabelledProgress) -> int:
        assert goes_on.wait(10)
        return 8 // answers.pop(0)

    job = Computation.start(work)
    job.wait_in("a")
    goes_on.set()
    finish(job)
    job.wait_in("a")  # its own failure stays until it tries again
    assert job.error
    assert answers == [0, 4]
    job.wait_in("b")
    finish(job)
    assert job.error  # of its own attempt
    job.wait_in("b")
    job.wait_in("a")
    assert answers == [4]
    job.wait_in("c")
    assert job.result() == 2
