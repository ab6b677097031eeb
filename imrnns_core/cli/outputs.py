"""Files that commands write: none overwrites a file that another command, or a person, made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from imrnns_core.config import REPORT_GENERATOR
from imrnns_core.errors import LensError
from imrnns_core.io import none_if_damaged, write_json
from imrnns_core.types import STAGES


def check_outputs(command: str, force: bool, *paths: Path | None) -> None:
    """Raise LensError if one of the files exists and this command did not make it.

    Commands call this before their work, so that nobody waits for a result that cannot be written.
    """
    for path in paths:
        if path is not None and path.exists() and not force and made_by(path) != command:
            raise LensError(
                f"{path}: this file exists and was not written by imrnns-lens {command}; "
                "name another file, or overwrite it with --force"
            )


def write_record(path: Path, command: str, record: dict[str, Any]) -> None:
    """Write the JSON record of a command, which names the command."""
    write_json(path, {"command": command, **record})


def made_by(path: Path) -> str | None:
    """Return the command that wrote a file, None where it is unknown."""
    if path.suffix == ".safetensors":
        return "train" if none_if_damaged(lambda: _has_card(path)) else None
    with path.open("rb") as handle:
        head = handle.read(4096).decode("utf-8", errors="replace")
    if REPORT_GENERATOR in head:
        return "explain"
    fields = head.partition("\n")[0].split()
    if (len(fields) == 6 and fields[1] == "Q0" and fields[5] in STAGES) or (
        len(fields) == 4 and fields[1] == "0"
    ):
        return "evaluate"
    record = none_if_damaged(lambda: json.loads(path.read_text(encoding="utf-8")))
    return record.get("command") if isinstance(record, dict) else None


def _has_card(path: Path) -> bool:
    from safetensors import safe_open

    with safe_open(path, "pt") as stored:
        return "card" in (stored.metadata() or {})
