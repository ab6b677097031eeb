"""One plot for the life of a page: a figure that changes is drawn into the existing plot.

Streamlit's own element makes a new plot for each figure that differs, with GL contexts of its own,
and draws it twice, first at a width that it does not know yet; `Plotly.react` draws it once.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import plotly
import streamlit as st
from streamlit.components.v1 import declare_component

_FILES = Path(__file__).parent
_component = st.components.v2.component(
    "imrnns_lens.plot",
    html='<div class="plot"></div>',
    css=(_FILES / "chart.css").read_text("utf-8"),
    js=(_FILES / "chart.js").read_text("utf-8"),
    isolate_styles=False,
)
# never drawn: it makes Streamlit serve plotly.min.js, so that charts need no other host
_library = declare_component("plotly", path=Path(plotly.__file__).parent / "package_data")


def show(
    figure: str, height: int, key: str, config: dict[str, Any], alt: str = "", clicks: bool = False
) -> list[dict[str, Any]]:
    """Draw a figure (JSON).

    Return the marks that are selected in it: `trace`, `index` and `custom`.

    A selection names marks of one figure: it ends where the figure changes.
    """
    name = hashlib.blake2b(figure.encode(), digest_size=8).hexdigest()
    library = f"component/{_library.name}/plotly.min.js"
    data = {
        "figure": figure,
        "name": name,
        "height": height,
        "config": config,
        "alt": alt,
        "clicks": clicks,
        "library": library,
    }
    # without a callback, even an empty one, the result may have no `picked`
    made: Any = _component(key=key, data=data, height=height, on_picked_change=lambda: None)
    picked = made.picked or {}
    return list(picked["marks"]) if picked.get("figure") == name else []
