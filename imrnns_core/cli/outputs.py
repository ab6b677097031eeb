"""Output files of commands. A command overwrites only files that it wrote itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from imrnns_core.config import EVALUATION_GENERATOR, REPORT_GENERATOR
from imrnns_core.errors import LensError
from imrnns_core.io import none_if_damaged, write_json
from imrnns_core.types import STAGES

SEARCH_TAG = "imrnns-lens-search"
"""The tag in the runs that `search` writes."""


def check_outputs(command: str, force: bool, *paths: Path | None) -> None:
    """Check that a command may write its output files.

    Commands call this first, because a result that cannot be written would waste the work.

    Raises:
        LensError: A file exists and was not written by this command.
    """
    for path in paths:
        if path is not None and path.exists() and not force and written_by(path) != command:
            raise LensError(
                f"{path}: this file exists and was not written by imrnns-lens {command}; "
                "name another file, or use --force to overwrite it"
            )


def write_record(path: Path, command: str, record: dict[str, Any]) -> None:
    """Write the JSON record of a command, with the name of the command."""
    write_json(path, {"command": command, **record})


def written_by(path: Path) -> str | None:
    """Return the command that wrote a file, None if unknown."""
    if path.suffix == ".safetensors":
        return "train" if none_if_damaged(lambda: _has_card(path)) else None
    with path.open("rb") as handle:
        # the file may be anything, also binary; what marks a report is in its head
        head = handle.read(4096).decode("utf-8", errors="replace")
    for generator in (REPORT_GENERATOR, EVALUATION_GENERATOR):
        if f'<meta name="generator" content="{generator}">' in head:
            return generator.rpartition(" ")[2]
    fields = head.partition("\n")[0].split()
    # the first line of a run, or of judgments in the TREC format
    if len(fields) == 6 and fields[1] == "Q0":
        return "evaluate" if fields[5] in STAGES else "search" if fields[5] == SEARCH_TAG else None
    if len(fields) == 4 and fields[1] == "0":
        return "evaluate"
    record = none_if_damaged(lambda: json.loads(path.read_text(encoding="utf-8")))
    return record.get("command") if isinstance(record, dict) else None


def _has_card(path: Path) -> bool:
    from safetensors import safe_open

    with safe_open(path, "pt") as stored:
        return "card" in (stored.metadata() or {})
