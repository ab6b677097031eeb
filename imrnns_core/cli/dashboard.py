"""The command `imrnns-lens dashboard`."""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
from pathlib import Path
from typing import Annotated

import typer

from imrnns_core.cli.options import (
    Embeddings,
    EncoderName,
    WorkspaceFolder,
    open_collection,
    resolve,
)
from imrnns_core.errors import MissingExtraError

PACKAGES = ("pandas", "plotly", "starlette", "streamlit")
"""Packages that the extra `dashboard` installs."""


def dashboard(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA", help="Data set to open: a name, folder or zip (default: the sample)."
        ),
    ] = None,
    adapter: Annotated[
        str | None,
        typer.Option("--adapter", help="Name of an adapter, or a file to import."),
    ] = None,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8501,
    workspace: WorkspaceFolder = None,
) -> None:
    """Open the dashboard in a browser."""
    _check_installed()
    from imrnns_core.storage.workspace import Workspace

    space = Workspace(workspace)
    # the server and its map jobs read these variables
    os.environ["IMRNNS_WORKSPACE"] = str(space.root)
    if data is not None:
        space, registration = resolve(data, embeddings, encoder, None, None, workspace)
        # here and not in the first page: encoding takes long, and the terminal shows its progress
        open_collection(space, registration)
        space.register(registration)
        os.environ["IMRNNS_DATA"] = registration.name
    if adapter is not None:
        os.environ["IMRNNS_ADAPTER"] = (
            adapter
            if adapter in space.adapter_paths()
            else space.import_adapter(Path(adapter)).stem
        )
    # also named here, so that nothing listens on all interfaces whatever settings the folder has
    address = ("--server.address", "127.0.0.1", "--server.port", str(port))
    sys.argv = ["streamlit", "run", _page(), *address]
    # The server runs in this process, so a signal that ends the command also ends the server
    runpy.run_module("streamlit", run_name="__main__")


def _check_installed() -> None:
    """Check that the packages of the dashboard are installed.

    Raises:
        MissingExtraError: A package is missing.
    """
    # `find_spec` does not import the packages, which would take long
    if not all(importlib.util.find_spec(name) for name in PACKAGES):
        raise MissingExtraError("the dashboard", "dashboard")


def _page() -> str:
    """Return the file of the dashboard's server, which is next to the engine's package."""
    return str(Path(__file__).resolve().parents[2] / "dashboard" / "app.py")
