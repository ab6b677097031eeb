"""Where things lie on disk: what ships with the package, and names of files."""

from __future__ import annotations

import re
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_SHIPPED = _PACKAGE / "shipped"
"""In an installed package; in a checkout the same folders lie beside the package."""
_ROOT = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent
SAMPLE_FOLDER = _ROOT / "sample_data"
ASSETS_FOLDER = _ROOT / "assets"


def file_name(text: str) -> str:
    """Return a name for a file or folder that any file system takes.

    It is made of letters, digits, dots, dashes and underscores.
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._") or "data"
