"""Tables: the height of their rows, and intervals in them."""

from __future__ import annotations

import pandas as pd
from pandas.io.formats.style import Styler

from imrnns_core.reporting.formatting import interval

TABLE_ROW = 62
"""Height of a row of three lines in pixels. Streamlit wraps texts in rows above 4 rem."""
LOW, HIGH = "95 % low", "95 % high"
"""The ends of an interval. A file has a column for each, a page shows both in one."""
INTERVAL = "95 % interval"


def table_height(rows: int, most: int) -> int:
    """Return the height of a table with its header row, in pixels, at most `most`."""
    return min(most, 38 + TABLE_ROW * max(1, rows))


def with_thousands(frame: pd.DataFrame) -> Styler:
    """Return a table whose whole numbers are written as in texts: 100,000."""
    return frame.style.format("{:,}", subset=[*frame.select_dtypes("integer").columns])


def with_interval(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with one text column in place of the columns `LOW` and `HIGH`."""
    pairs = zip(frame[LOW], frame[HIGH], strict=True)
    texts = [interval(pair) for pair in pairs]
    return frame.rename(columns={LOW: INTERVAL}).assign(**{INTERVAL: texts}).drop(columns=HIGH)
