"""Paths of the files that ship with the package, and safe names for new files."""

from __future__ import annotations

import re
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_SHIPPED = _PACKAGE / "shipped"
"""Exists in an installed package only; a checkout has the same folders next to the package."""
_ROOT = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent
SAMPLE_FOLDER = _ROOT / "sample_data"
ASSETS_FOLDER = _ROOT / "assets"


def file_name(text: str) -> str:
    """Return a name that is valid on any file system.

    It consists of letters, digits, dots, dashes and underscores.
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._") or "data"
