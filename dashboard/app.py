"""IMRNNs Lens: `streamlit run dashboard/app.py`. Each session runs `script.py`."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).absolute().parent
if str(FOLDER.parent) not in sys.path:  # `streamlit run` puts only this folder on the path
    sys.path.insert(0, str(FOLDER.parent))

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402

from dashboard.gate import Gate  # noqa: E402

app = st.App(FOLDER / "script.py", middleware=[Middleware(Gate)])
