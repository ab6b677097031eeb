"""Two real commands change one workspace at the same time: `make integration`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imrnns_core.storage.workspace import Workspace

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("attempt", range(3))
def test_two_prepare_commands_of_one_data_set_both_succeed(tmp_path: Path, attempt: int) -> None:
    pages, workspace = tmp_path / "pages.csv", tmp_path / "workspace"
    pages.write_text("id,text\n" + "".join(f"p{i},Page {i} says {i}.\n" for i in range(300)))
    command = [sys.executable, "-m", "imrnns_core.cli", "prepare", str(pages)]
    command += ["--workspace", str(workspace)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=180)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    opened = Workspace(workspace).open("pages")
    assert len(opened.documents) == 300


def test_the_second_training_of_a_file_says_that_it_is_trained(tmp_path: Path) -> None:
    from imrnns_core.training.lock import training_lock

    file = tmp_path / "a.safetensors"
    command = [sys.executable, "-m", "imrnns_core.cli", "train", "sample", "--out", str(file)]
    command += ["--workspace", str(tmp_path / "workspace")]
    with training_lock(file):  # as a training that runs
        second = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert second.returncode == 2
    said = second.stderr.strip().splitlines()[-1]
    assert said.startswith(f"imrnns-lens: {file}: another process is training this adapter; wait")
    assert "Traceback" not in second.stderr
