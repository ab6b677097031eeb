from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import pytest

from dashboard.figures import theme


@pytest.fixture(autouse=True)
def valid_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app does not validate its figures, which would take most of their time.

    Every test that draws one does.
    """
    made = theme.figure

    def figure(*args: Any, **changes: Any) -> go.Figure:
        drawn = made(*args, **changes)
        go.Figure(drawn.to_dict())
        return drawn

    monkeypatch.setattr(theme, "figure", figure)
