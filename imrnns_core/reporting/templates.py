"""The templates of the HTML reports, which escape every value, and their style."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from imrnns_core.reporting.formatting import signed

_FOLDER = Path(__file__).parent
MARK_CSS = (_FOLDER / "marks.css").read_text(encoding="utf-8")
# StrictUndefined makes a misspelt name an error; Jinja would print nothing for it
ENVIRONMENT = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
ENVIRONMENT.filters["signed"] = signed


def style() -> Markup:
    """Return the style sheet of the reports.

    It is not escaped, because in a style sheet the escapes of “>” and quotes have no meaning.
    """
    return Markup((_FOLDER / "style.css").read_text(encoding="utf-8") + MARK_CSS)
