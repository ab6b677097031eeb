"""Judging: which documents are relevant?"""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import catalog, judging
from dashboard.views.judging import exchange, queries
from dashboard.widgets import notices, progress_panel, role_note
from dashboard.widgets.judging_desk import component as judging_desk
from imrnns_core.data.dataset import Dataset

QUESTION = "Which documents are relevant?"
READING = (
    "Documents without a judgment from the top 10 of every ranking of the query: base, modulated, "
    "BM25 and, if the base is a run, the ranking by the vectors. The order is random. The page "
    "does not say which system ranked a document, so that you judge the text alone. Grades 1 to 3 "
    "count as relevant. Keys: 0 1 2 3 for a grade, s to skip, u to undo."
)
NO_QUERIES = (
    "This data set has no queries",
    "Type a question in the sidebar of Compare, and say there which document should answer it.",
)
ALL_JUDGED = (
    "Every document of these queries is judged",
    "Choose other queries. To change a grade, open the document in Compare.",
)
NO_POOL = "The documents to judge could not be found"
ALL_SKIPPED = ("Only skipped documents are left", "Judge them now, or choose other queries.")


def show() -> None:
    """Draw the page."""
    notices.heading(QUESTION, READING)
    dataset = catalog.dataset(state.current().data)
    if not dataset.queries:
        notices.show("info", *NO_QUERIES)
    elif not role_note.refuses("Judging"):
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        with left:
            query_ids = queries.choose(dataset)
        right.text_input("Your name, stored with each judgment", max_chars=80, **state.bound_who())
        _desk(dataset, query_ids)
    exchange.show()


def _desk(dataset: Dataset, query_ids: list[str]) -> None:
    """Draw the document to judge, or say that none is left."""
    data, system = state.current().data, state.current().system
    own = judging_desk.sitting(data)
    documents = progress_panel.await_result(
        judging.pool(data, system, query_ids), NO_POOL, "rank_again"
    )
    if documents is None:
        return
    pool = judging.shuffled(documents, state.session())
    judged = judging.judged_pairs(data)
    own.forget_unless(lambda pair: pair[0] in dataset.queries and pair[1] in dataset.document)
    queue = own.queue(pool, judged)
    if queue or own.done:
        judging_desk.show(
            own,
            queue,
            dataset,
            lambda: judging.writer(data, state.who()),
            key="judging_desk",
        )
    if own.error:
        notices.show("error", "The last judgment is not stored yet", own.error)
    if queue:
        return
    if own.skipped:
        notices.show("info", *ALL_SKIPPED)
        st.button("Show the skipped documents", key="show_skipped", on_click=own.offer_skipped)
    else:
        notices.show("good", *ALL_JUDGED)
