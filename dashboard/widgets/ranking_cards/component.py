"""Rankings side by side as columns of cards.

Hovering over a card, or selecting it, highlights the cards of the same document on the whole page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from dashboard import theme
from dashboard.widgets.highlighting import Span
from dashboard.widgets.ranking_cards.content import CardContent, Column, Slider, payload

CARD_HEIGHT = 84
"""Height of a card with a title of one line, in pixels."""

SLIDER_HEIGHT = 84
"""Height of the slider above the columns, with its explanation, in pixels."""


# read once: a component is registered for the life of the server
_FILES = Path(__file__).parent
_component = st.components.v2.component(
    "imrnns_lens.ranking_cards",
    html=(_FILES / "cards.html").read_text("utf-8"),
    css=theme.css_variables(":host") + (_FILES / "cards.css").read_text("utf-8"),
    js=(_FILES / "cards.js").read_text("utf-8"),
)


def show(
    steps: Mapping[float, Sequence[Column]],
    contents: Mapping[str, CardContent],
    picked: str,
    on_pick: Callable[[str], None],
    key: str,
    spans: Mapping[str, Sequence[Span]] | None = None,
    slider: Slider | None = None,
) -> None:
    """Draw rankings side by side.

    Args:
        steps: value of the slider → the rankings at this value; without a slider a single entry.
        contents: document id → what its cards show.
        picked: Id of the selected document, or an empty text.
        on_pick: Called with the id of the document that the reader clicks.
        key: Key of the component.
        spans: document id → (start, end, weight) of words to mark, over the encoded text of the
            document: title + newline + text (only the text if it has no title). A positive weight
            raises the score change.
        slider: Selects one of the steps.
    """

    def clicked() -> None:
        document_id = st.session_state[key].picked
        if document_id:
            on_pick(str(document_id))

    def moved() -> None:
        value = st.session_state[key].moved
        if slider and value is not None:
            slider.on_move(float(value))

    _reserve_height(steps, slider is not None, key)
    _component(
        key=key,
        data=payload(steps, contents, picked, spans or {}, slider),
        on_picked_change=clicked,
        on_moved_change=moved,
    )


def _reserve_height(steps: Mapping[float, Sequence[Column]], has_slider: bool, key: str) -> None:
    """Reserve the height of the cards: the browser draws them last, and the page would jump."""
    columns = [column for columns in steps.values() for column in columns]
    tallest = max((len(column.cards) for column in columns), default=0)
    height = 60 + CARD_HEIGHT * tallest + (SLIDER_HEIGHT if has_slider else 0)
    # Streamlit gives no room on the page to HTML that is only a style sheet
    st.html(f"<style>.st-key-{key} {{ --height: {height}px; }}</style>")
