"""Rankings side by side as columns of cards.

Pointing at a card, or picking it, marks its twins on the whole page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from dashboard import theme
from dashboard.widgets.highlighting import Span
from dashboard.widgets.ranking_cards.content import CardContent, Column, Slider, payload

CARD_HEIGHT = 84
"""Pixels of a card with a title of one line."""

SLIDER_HEIGHT = 46
"""Pixels of the slider above the columns."""


_FILES = Path(__file__).parent
_component = st.components.v2.component(
    "imrnns_lens.ranking_cards",
    html=(_FILES / "cards.html").read_text("utf-8"),
    css=theme.css_variables(":host") + (_FILES / "cards.css").read_text("utf-8"),
    js=(_FILES / "cards.js").read_text("utf-8"),
)


def show(
    steps: Mapping[float, Sequence[Column]],
    faces: Mapping[str, CardContent],
    picked: str,
    on_pick: Callable[[str], None],
    key: str,
    spans: Mapping[str, Sequence[Span]] | None = None,
    slider: Slider | None = None,
) -> None:
    """Draw rankings side by side; `on_pick` gets the id of a clicked document.

    Args:
        steps: place of the slider → the rankings there; without a slider the only ones.
        faces: document id → what its cards show.
        picked: Id of the picked document.
        on_pick: Called with the id of a clicked one.
        key: Key of the component.
        spans: document id → (start, end, weight) of words to mark, over the document's encoded
            text, title + newline + text (the text alone where there is no title). Positive weights
            raise.
        slider: Chooses among the steps.
    """

    def clicked() -> None:
        document_id = st.session_state[key].picked
        if document_id:
            on_pick(str(document_id))

    def moved() -> None:
        place = st.session_state[key].moved
        if slider and place is not None:
            slider.on_move(float(place))

    _keep_room(steps, slider is not None, key)
    _component(
        key=key,
        data=payload(steps, faces, picked, spans or {}, slider),
        on_picked_change=clicked,
        on_moved_change=moved,
    )


def _keep_room(steps: Mapping[float, Sequence[Column]], has_slider: bool, key: str) -> None:
    """Keep the cards' room: the browser draws them after the rest, and the page would jump."""
    columns = [column for columns in steps.values() for column in columns]
    tallest = max((len(column.cards) for column in columns), default=0)
    room = 60 + CARD_HEIGHT * tallest + (SLIDER_HEIGHT if has_slider else 0)
    st.html(f"<style>.st-key-{key} {{ --room: {room}px; }}</style>")
