"""The name of the value that the page explains."""

from __future__ import annotations

from dashboard import state


def name() -> str:
    """Return the name: the score change, the modulated score or, without an adapter, the base's."""
    if not state.has_adapter():
        return "base score"
    return "score change" if state.target() == "change" else "modulated score"
