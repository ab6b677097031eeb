"""Paths of the files that ship with the package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_SHIPPED = _PACKAGE / "shipped"
"""Exists in an installed package only; a checkout has the same folders next to the package."""
_ROOT = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent
SAMPLE_FOLDER = _ROOT / "sample_data"
ASSETS_FOLDER = _ROOT / "assets"
