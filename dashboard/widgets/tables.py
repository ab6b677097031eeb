"""The height of tables and of their rows."""

from __future__ import annotations

TABLE_ROW = 62
"""Height of a row of three lines in pixels. Streamlit wraps texts in rows above 4 rem."""


def table_height(rows: int, most: int) -> int:
    """Return the height of a table with its header row, in pixels, at most `most`."""
    return min(most, 38 + TABLE_ROW * max(1, rows))
