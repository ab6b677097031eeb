"""The check that a model in a folder consists of weights and settings, and brings no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imrnns_core.errors import EncoderError
from imrnns_core.io import read_json

_OWN = "sentence_transformers."


def check_no_code(folder: Path) -> None:
    """Check that loading a model from a folder runs no code of the folder.

    For a folder, sentence-transformers imports the modules that `modules.json` names, without
    asking.

    Raises:
        EncoderError: If `modules.json` names other modules than those of sentence-transformers, or
            a settings file has an `auto_map`.
    """
    for path in sorted(folder.rglob("*.json")):
        if _brings_code(path.name, read_json(path)):
            raise EncoderError(
                f"encoder {str(folder)!r}: {path.relative_to(folder)} names code of the model, "
                "which is never run; use a model whose architecture the installed libraries have"
            )


def _brings_code(name: str, content: Any) -> bool:
    if name == "modules.json" and isinstance(content, list):
        types = [own.get("type") for own in content if isinstance(own, dict)]
        return any(not str(own).startswith(_OWN) for own in types)
    return isinstance(content, dict) and bool(
        content.get("auto_map") or content.get("trust_remote_code")
    )
