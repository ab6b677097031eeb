"""One document after another to judge.

The browser has the next documents already and shows them without waiting for the server.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.services import caching
from dashboard.services.judging import Writer
from dashboard.widgets.judging_desk.sitting import Pair, Sitting
from imrnns_core.data.dataset import Dataset
from imrnns_core.storage.judgments import GRADE_NAMES

AHEAD = 12
"""Documents that the browser has in advance, and of those that were judged last."""
_SITTINGS = "sittings"
_FILES = Path(__file__).parent
_component = st.components.v2.component(
    "imrnns_lens.judging_desk",
    html=(_FILES / "desk.html").read_text("utf-8"),
    css=(_FILES / "desk.css").read_text("utf-8"),
    js=(_FILES / "desk.js").read_text("utf-8"),
)


def sitting(data: str, *task: str) -> Sitting:
    """Return what this session has judged of a data set, for the page Judging or a task apart."""
    sittings: dict[tuple[str, ...], Sitting] = st.session_state.setdefault(_SITTINGS, {})
    return sittings.setdefault((data, *task), Sitting())


def show(
    own: Sitting,
    queue: Sequence[Pair],
    dataset: Dataset,
    writer: Callable[[], Writer],
    key: str,
) -> None:
    """Draw the first document of the queue, with the grades.

    Args:
        own: What this session has judged.
        queue: What is left, the next one first.
        dataset: The texts.
        writer: Returns what stores the judgments.
        key: Key of the component.
    """

    def acted() -> None:
        # both before the first judgment: asking for them can end the run
        actions, into = st.session_state[key].actions or (), writer()
        own.carry_out(actions, into.store, into.undo)
        caching.notice_judgments()

    _component(
        key=key,
        data={
            "seen": own.seen,
            "queue": [_item(pair, dataset) for pair in queue[:AHEAD]],
            "done": [
                {**_item(pair, dataset), "kind": "skip" if number is None else "grade"}
                for pair, number in own.done[-AHEAD:]
            ],
            "left": len(queue),
            "judged": own.judged,
            "skipped": len(own.skipped),
            "grades": list(GRADE_NAMES),
        },
        on_actions_change=acted,
    )


def _item(pair: Pair, dataset: Dataset) -> dict[str, Any]:
    query, document = dataset.queries[pair[0]], dataset.document[pair[1]]
    return {
        "query": query.id,
        "document": document.id,
        "question": query.text,
        "title": document.title,
        "text": document.text,
    }
