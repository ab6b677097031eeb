"""The height of tables and of their rows."""

from __future__ import annotations

TABLE_ROW = 62
"""Pixels of a table's row of three lines, so that titles and queries can be read.

Streamlit wraps texts in rows above 4 rem.
"""


def table_height(rows: int, most: int) -> int:
    """Return the pixels of a table with its head, at most `most` of them."""
    return min(most, 38 + TABLE_ROW * max(1, rows))
