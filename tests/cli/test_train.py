"""`imrnns-lens train` as a separate process: killed, interrupted, and complete."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.training.lock import is_training
from imrnns_core.training.progress_log import read_epochs
from tests.noisy_data import write_noisy_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noisy_data(tmp_path_factory.mktemp("data") / "noisy")


def start(data: Path, target: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "imrnns_core.cli",
        "train",
        data,
        "--embeddings",
        data,
        "--recipe",
        "reference",
        "--out",
        target,
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "IMRNNS_WORKSPACE": str(target.parent / "workspace"),
    }
    return subprocess.Popen(
        [str(c) for c in command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell lets its background jobs ignore the signal, and this is inherited
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def state(target: Path) -> Path:
    return target.with_name(f".{target.name}.training")


def after_epochs(process: subprocess.Popen[str], target: Path, count: int) -> None:
    """Wait until this many epochs are done, or the run has ended."""
    while len(read_epochs(state(target))) < count and process.poll() is None:
        time.sleep(0.002)


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The adapter of a complete run."""
    target = tmp_path_factory.mktemp("whole") / "mine.safetensors"
    process = start(data, target)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "Queries: 170 for training, 30 for validation" in out
    return target


def card(target: Path) -> dict:
    return asdict(load_adapter(target).card)


def test_a_killed_run_resumes_and_gives_the_same_adapter(data: Path, whole: Path, tmp_path: Path):
    target = tmp_path / "mine.safetensors"
    killed = start(data, target)
    after_epochs(killed, target, 3)
    killed.kill()
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert (target.exists(), (state(target) / "epoch.pt").exists()) == (False, True)
    again = start(data, target)
    _, err = again.communicate()
    assert again.returncode == 0, err
    assert not state(target).exists()
    one, other = load_file(whole), load_file(target)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert card(target) == card(whole)
    assert card(target)["outcome"]["shipped"] == "trained"


def test_an_interrupted_run_keeps_the_best_epoch_so_far(data: Path, whole: Path, tmp_path: Path):
    target = tmp_path / "mine.safetensors"
    first = next(e["number"] for e in card(whole)["history"] if e["best"])
    for _ in range(12):  # on a busy machine the signal can come after the last epoch
        process = start(data, target)
        after_epochs(process, target, first + 2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        assert process.returncode == 0
        if len(card(target)["history"]) < len(card(whole)["history"]):
            break
    assert "stopped; the best epoch so far is saved" in err
    history, full = card(target)["history"], card(whole)["history"]
    assert first < len(history) - 1 < len(full) - 1
    assert history == full[: len(history)]
    best = max(range(len(history)), key=lambda i: history[i]["validation"])
    assert card(target)["outcome"]["best_epoch"] == best > 0
    assert not state(target).exists()


def test_two_processes_do_not_train_one_adapter(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine.safetensors"
    assert not is_training(target)
    running = start(data, target)
    after_epochs(running, target, 2)
    running.send_signal(signal.SIGSTOP)  # it must not end before the second one has begun
    assert is_training(target)
    second = start(data, target)
    _, err = second.communicate()
    assert second.returncode == 2
    assert err.count("\n") == 1
    assert f"{target}: another process is training this adapter; wait until it ends" in err
    assert running.poll() is None
    running.kill()
    running.communicate()
    # the system has freed the lock, so the training can be continued
    assert not is_training(target)
    assert state(target).exists()
    _, err = start(data, target).communicate()
    assert (err, target.exists(), is_training(target)) == ("", True, False)
    assert [path.name for path in tmp_path.glob(".*")] == []
