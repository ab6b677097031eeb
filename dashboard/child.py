"""`imrnns-lens` as a child process of the server: `python -m dashboard.child prepare …`.

It ends when the server ends, even if the server is killed.
"""

from __future__ import annotations

import os
import sys
import threading


def _end_with_parent() -> None:
    """Wait for the end of the standard input, then end this process."""
    # The input is a pipe from the server. The system closes it even after `kill -9`
    os.read(sys.stdin.fileno(), 1)
    # `sys.exit` would end only this thread
    os._exit(1)


if __name__ == "__main__":
    # before the import, which takes seconds on a busy machine
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from imrnns_core import logs
    from imrnns_core.cli.app import main

    try:
        main()
    except Exception as error:
        with os.fdopen(int(os.environ["IMRNNS_LOG_FILE"]), "w") as log:
            logs.configure(stream=log)
            print(logs.SHORT.format(logs.report("process failed", error)), file=sys.stderr)
        # without the traceback, which quotes texts
        raise SystemExit(1) from None
