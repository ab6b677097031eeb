"""The SQLite file of the database of judgments: how it is opened, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from imrnns_core.errors import DataError
from imrnns_core.io import is_full

BUSY_SECONDS = 30.0
"""How long a writer waits for another one."""
DAMAGED = "keep all that is readable with: imrnns-lens doctor --repair"
_REMEDIES = {
    "SQLITE_FULL": "free some disk space; what was stored before is there",
    "SQLITE_READONLY": "make the workspace writable",
    "SQLITE_CANTOPEN": "make the workspace writable",
    "SQLITE_IOERR": "check the disk, and free some disk space",
    "SQLITE_BUSY": "another process writes; try again",
}


def file_address(file: Path, reading: bool) -> URL:
    """Return the address of a SQLite file.

    It can be read on a full disk and in a read-only folder, too.
    """
    if not reading or not file.exists() or (os.access(file.parent, os.W_OK) and not is_full(file)):
        return URL.create("sqlite", database=str(file))
    log = file.with_name(f"{file.name}-wal")
    # SQLite cannot make the files beside it that it needs for others to write meanwhile
    query = {"mode": "ro", "uri": "true"}
    if not log.exists() or not log.stat().st_size:
        query["immutable"] = "1"
    return URL.create("sqlite", database=file.absolute().as_uri(), query=query)


def wait_for_disk(connection: Any, _record: Any) -> None:
    """Let the system write to the disk before a transaction counts as done."""
    # a judgment that was shown as stored survives a loss of power
    connection.execute("PRAGMA synchronous=FULL")


def use_write_ahead_log(path: Path) -> None:
    """Let readers and a writer work at once, which stays with the file.

    SQLite does not wait for others in this step, so it is tried again while it is busy.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise DataError(path, str(error), remedy(error)) from None
            time.sleep(0.02)
        except sqlite3.DatabaseError as error:
            raise DataError(path, str(error), remedy(error)) from None
        finally:
            connection.close()


def remedy(error: BaseException) -> str:
    """Return what the user can do about an error of the file, as sqlite3 raises it."""
    name = getattr(error, "sqlite_errorname", "")
    return _REMEDIES.get("_".join(name.split("_")[:2]), DAMAGED)
