"""The commands `imrnns-lens dashboard` and `imrnns-lens serve`, which start a server."""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from imrnns_core.cli.console import out
from imrnns_core.cli.options import (
    Data,
    DocumentPrefix,
    Embeddings,
    EncoderName,
    QueryPrefix,
    WorkspaceFolder,
    open_collection,
    open_ranker,
    resolve,
)
from imrnns_core.errors import MissingExtraError

PACKAGES = ("pandas", "plotly", "starlette", "streamlit")
"""Packages that the extra `dashboard` installs."""
SERVE_PACKAGES = ("fastapi", "fastapi_offline", "uvicorn")
"""Packages that the extra `serve` installs."""
MOST_CONNECTIONS = 64
"""Open connections, idle ones included; requests of others are refused with status 503."""
SHUTDOWN_SECONDS = 2
"""Requests that are not answered this long after a signal are given up."""


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
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. Without a login, whoever reaches it may edit."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.")] = 8501,
    workspace: WorkspaceFolder = None,
) -> None:
    """Open the dashboard in a browser."""
    _check_installed("the dashboard", "dashboard", PACKAGES)
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
    address = ("--server.address", host, "--server.port", str(port))
    sys.argv = ["streamlit", "run", _page(), *address]
    # The server runs in this process, so a signal that ends the command also ends the server
    runpy.run_module("streamlit", run_name="__main__")


def serve(
    data: Data,
    adapter: Annotated[
        str, typer.Option("--adapter", help="Name of an adapter of the workspace, or its file.")
    ],
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. Every program that reaches it can send queries."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.")] = 8510,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    query_prefix: QueryPrefix = None,
    document_prefix: DocumentPrefix = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Serve the modulated ranking of a whole corpus over HTTP.

    /search ranks the corpus, /effective_query returns a vector for your own
    vector store, /rerank ranks documents that another engine found, /healthz
    says what is served. /docs describes them. See docs/serving.md.
    """
    _check_installed("serving", "serve", SERVE_PACKAGES)
    import uvicorn

    from imrnns_core import logs
    from imrnns_core.serving.app import create_app

    space, registration = resolve(
        data, embeddings, encoder, query_prefix, document_prefix, workspace
    )
    app = create_app(open_ranker(space, registration, adapter))
    out.print(f"http://{host}:{port}/docs", soft_wrap=True)
    logs.configure()
    # uvicorn refuses at this number, not above it
    limit = MOST_CONNECTIONS + 1
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        log_level="warning",
        limit_concurrency=limit,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def _check_installed(feature: str, extra: str, packages: Sequence[str]) -> None:
    """Check that the packages of an extra are installed.

    Raises:
        MissingExtraError: A package is missing.
    """
    # `find_spec` does not import the packages, which would take long
    if not all(importlib.util.find_spec(name) for name in packages):
        raise MissingExtraError(feature, extra)


def _page() -> str:
    """Return the file of the dashboard's server, which is next to the engine's package."""
    return str(Path(__file__).resolve().parents[2] / "dashboard" / "app.py")
