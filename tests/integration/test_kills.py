"""Twenty kills of real commands, of the two hundred that `make soak` makes: `make integration`."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration


def test_nothing_is_lost_or_half_written_after_twenty_kills() -> None:
    command = [sys.executable, "-m", "tests.integration.kills", "20", "--seed", "22"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.splitlines()[-1].startswith("20 kills in ")
    assert done.stdout.splitlines()[-1].endswith("; 0 problems; seed 22")
