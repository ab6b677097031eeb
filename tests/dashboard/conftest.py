from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import plotly.graph_objects as go
import pytest
import streamlit as st

from dashboard.figures import canvas
from dashboard.services import caching
from imrnns_core.storage.workspace import Workspace


@pytest.fixture(autouse=True)
def valid_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app does not validate its figures, which would take most of their time.

    Every test that draws one does.
    """
    made = canvas.figure

    def figure(*args: Any, **changes: Any) -> go.Figure:
        drawn = made(*args, **changes)
        go.Figure(drawn.to_dict())
        return drawn

    monkeypatch.setattr(canvas, "figure", figure)


@pytest.fixture
def fresh(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    st.cache_resource.clear()
    space = Workspace(tmp_path_factory.mktemp("space"))
    monkeypatch.setattr(caching, "workspace", lambda: space)
    yield
    st.cache_resource.clear()
