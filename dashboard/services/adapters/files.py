"""Adapter files: import, export, deletion with undo, and what the page says about them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from dashboard.access import editors_only
from dashboard.services import caching, catalog
from dashboard.services.caching import shared
from imrnns_core.errors import AdapterError
from imrnns_core.model.checkpoint import (
    Adapter,
    export_adapter,
    load_adapter,
    tensors_digest,
)
from imrnns_core.model.reference_package import reference_obstacle
from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.storage.removed import remove_adapter, removed_adapters, restore_adapter


@editors_only
def read(path: str) -> Adapter:
    """Return the adapter of a file that a reader named.

    Raises:
        AdapterError: If it is not an adapter file.
    """
    return load_adapter(Path(path).expanduser())


def imported(path: str, adapter: Adapter) -> str | None:
    """Return the name under which exactly this adapter is in the workspace, or None.

    Raises:
        AdapterError: If another adapter has this name.
    """
    name = Path(path).expanduser().stem
    if name not in caching.workspace().adapter_paths():
        return None
    known = catalog.load_adapter(name)
    if tensors_digest(known.model.state_dict()) == tensors_digest(adapter.model.state_dict()):
        return name
    raise AdapterError(
        f"{name}: another adapter has this name; rename the file, or delete that adapter first"
    )


@editors_only
def take(path: str) -> None:
    """Import an adapter file.

    Raises:
        AdapterError: If it is not an adapter file.
    """
    caching.workspace().import_adapter(Path(path).expanduser())


def is_shipped(name: str) -> bool:
    """Return whether an adapter came with the package."""
    return caching.workspace().adapter_paths()[name].parent == ASSETS_FOLDER


def obstacle(name: str) -> str:
    """Return why the reference package cannot load an adapter; empty if it can."""
    return reference_obstacle(catalog.load_adapter(name).model.config)


@shared(16)
def exported(data: str, adapter_name: str, suffix: str) -> bytes:
    """Return an adapter as the content of a file with this suffix, .safetensors or .pt.

    A sentence memory that fits the data set has all of its documents.

    Raises:
        AdapterError: If the reference package cannot load the adapter.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{adapter_name}{suffix}"
        fits = adapter_name in catalog.fitting_adapters(data)
        adapter = catalog.ranker(data, adapter_name).adapter if fits else None
        export_adapter(adapter or catalog.load_adapter(adapter_name), path)
        return path.read_bytes()


@editors_only
def delete(name: str) -> None:
    """Move an adapter of the workspace aside.

    Raises:
        AdapterError: If the adapter came with the package.
    """
    remove_adapter(caching.workspace().root, name)


def deleted() -> list[str]:
    """Return the names of the deleted adapters, the last deleted first."""
    return list(removed_adapters(caching.workspace().root))


@editors_only
def undo(name: str) -> None:
    """Bring a deleted adapter back.

    Raises:
        AdapterError: If another adapter has got its name since.
    """
    restore_adapter(caching.workspace().root, name)
