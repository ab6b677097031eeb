"""`make audit` never says that all is well if it could not ask."""

from __future__ import annotations

import json
import runpy
import subprocess
from typing import Any

import pytest

from tests.conftest import REPOSITORY

GOOD = {"name": "numpy", "version": "2.4.6", "vulns": []}
SKIPPED = {"name": "torch", "skip_reason": "Dependency not found on PyPI"}
FAULTY = {
    "name": "pillow",
    "version": "1.0",
    "vulns": [{"id": "CVE-1", "fix_versions": ["1.1", "2.0"]}],
}


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ([GOOD], 0, "1 versions checked, 0 known vulnerabilities\n"),
        (
            [GOOD, FAULTY],
            1,
            "2 versions checked, 1 known vulnerabilities\npillow 1.0: CVE-1, fixed in 1.1, 2.0\n",
        ),
        (
            [GOOD, SKIPPED],
            1,
            "1 versions checked, 0 known vulnerabilities\nnot checked: torch\n",
        ),
    ],
)
def test_audit_lists_what_it_found_and_what_it_did_not_check(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: list[dict[str, Any]],
    code: int,
    said: str,
) -> None:
    assert _audit(monkeypatch, json.dumps({"dependencies": answer})) == code
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("answer", ["", "Traceback", json.dumps({"dependencies": [SKIPPED]})])
def test_audit_says_that_the_database_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    assert "cannot be reached" in str(_audit(monkeypatch, answer))


def _audit(monkeypatch: pytest.MonkeyPatch, answer: str) -> object:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, stdout=answer)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(REPOSITORY / ".ci" / "audit.py"), run_name="__main__")
    return ended.value.code
