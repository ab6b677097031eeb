"""Checks that the files of a data set from a vector store are as they were read from it."""

from __future__ import annotations

import json
from pathlib import Path

from imrnns_core.errors import DataError
from imrnns_core.io import file_digests, locked, old_folder, recover_folder, without_checksum
from imrnns_core.printable import file_name
from imrnns_core.storage.registry import Registration

REREAD = "read the store again with: imrnns-lens prepare NAME --store ADDRESS"


def check_store_files(root: Path, registration: Registration) -> None:
    """Check that what was read from a store has not changed since, for such a data set.

    Args:
        root: The folder of the workspace.
        registration: The data set.

    Raises:
        DataError: If it has changed.
    """
    folder = root / "stores" / file_name(registration.name)
    if not registration.path.is_relative_to(folder):
        return
    if not folder.exists() and old_folder(folder).exists():
        with locked(folder):
            recover_folder(folder)
    if damaged := damaged_store_file(folder):
        raise DataError(damaged, "it has changed since it was read from the store", REREAD)


def damaged_store_file(folder: Path) -> Path | None:
    """Return the first file of an imported store that is damaged or missing, None if all are."""
    path = folder / "manifest.json"
    try:
        files = without_checksum(json.loads(path.read_text(encoding="utf-8"))).get("files")
    except (OSError, ValueError, AttributeError):
        return path
    if files is None:  # older versions wrote no digests
        return None
    own = store_digests(folder)
    return next((folder / name for name in files if own.get(name) != files[name]), None)


def store_digests(folder: Path) -> dict[str, str]:
    """Return path in the folder → SHA-256 for the files that were read from a store."""
    return {
        f"{part}/{name}": digest
        for part in ("documents", "embeddings")
        if (folder / part).is_dir()
        for name, digest in file_digests(folder / part).items()
    }
