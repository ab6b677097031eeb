"""Judge these ten: the documents whose judgment says most about which ranking is better."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import access, state
from dashboard.formatting import count, signed
from dashboard.services import catalog, judging, judging_ten
from dashboard.services.judging_ten import MODULATED, OpenTen, Task, Ten
from dashboard.widgets import notices, progress_panel
from dashboard.widgets.judging_desk import component as judging_desk
from dashboard.widgets.judging_desk.sitting import Sitting
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.informative_judgments import ChangeRange
from imrnns_core.remedies.bench import Bench, RemedyTest
from imrnns_core.reporting.formatting import interval

TITLE = "Judge these ten"
READING = (
    "All figures above count documents without a judgment as not relevant. If some of them are "
    "relevant, the figures change. Below are the ten pairs of query and document whose judgment "
    "narrows the range of possible changes most. The order is random, and the page does not say "
    "which ranking has a document. Grades 1 to 3 count as relevant. Keys: 0 1 2 3 for a grade, "
    "s to skip, u to undo."
)
QUESTION = "Is {} better than the base ranking on these {}?"
CERTAIN = {
    True: "Certain: it is better, whatever the unjudged documents are",
    False: "Certain: it is worse, whatever the unjudged documents are",
}
OPEN = "Not certain: unjudged documents can still change the sign"
FIGURES = (
    "Mean change of {}: {} if unjudged documents are not relevant; {}, whatever grades the {} in "
    "either top 10 get. Unjudged documents outside both top 10 count as not relevant."
)
BEFORE = " Before these ten: {}."
DONE = (
    "All of these are judged or skipped",
    "For the next ten, the whole page is measured again with your judgments.",
)
NOTHING_LEFT = (
    "No judgment can change this result",
    "Every document that has an effect on the change is judged.",
)
ALL_SKIPPED = ("Only skipped documents are left", "Judge them now, or choose another remedy above.")
_OPEN_TEN = "open_ten"


def show(split: str, bench: Bench | None, chosen: RemedyTest | None) -> None:
    """Draw the section, if people judge this split.

    Args:
        split: The split.
        bench: The remedies; None while they are measured again, because something was judged. Who
            is judging goes on with the same documents.
        chosen: The chosen remedy.
    """
    if not judging_ten.is_offered(state.current().data, split) or not access.may_edit():
        return
    opened = _opened(split, bench, chosen)
    if opened is None:
        return
    st.header(TITLE, anchor=False)
    st.caption(READING)
    failed = "The documents to judge could not be chosen"
    ten = progress_panel.await_result(opened.job, failed, "choose_again")
    if ten is None:
        return
    st.text_input(
        "Your name, stored with each judgment", max_chars=80, width=420, **state.bound_who()
    )
    _judge(ten)


def _opened(split: str, bench: Bench | None, chosen: RemedyTest | None) -> OpenTen | None:
    """Return the ten pairs of this session, or choose them."""
    selection = state.current()
    opened: OpenTen | None = state.kept(_OPEN_TEN)
    here = (selection.data, selection.system, split)
    if opened and (opened.task.data, opened.task.system, opened.task.split) != here:
        opened = None
    if bench is None or chosen is None:
        return opened
    other = MODULATED if state.has_adapter() else chosen.measured.remedy.name
    if opened and not selection.remedy:
        other = opened.task.other  # judgments can change which remedy comes first
    task = Task(*here, other)
    if opened is None or opened.task != task:
        opened = judging_ten.choose(task, bench, chosen.measured, _sitting(task).skipped)
        state.keep(_OPEN_TEN, opened)
    return opened


def _sitting(task: Task) -> Sitting:
    return judging_desk.sitting(task.data, task.system, task.split, task.other)


# a fragment: after a judgment, the rest of the page need not be measured before the next one
@st.fragment
def _judge(ten: Ten) -> None:
    """Draw the range, and the document to judge."""
    task, own = ten.task, _sitting(ten.task)
    dataset = catalog.dataset(task.data)

    def exists(pair: judging.Pair) -> bool:
        return pair[0] in dataset.queries and pair[1] in dataset.document

    own.forget_unless(exists)
    pairs = [pair for pair in ten.pairs if exists(pair)]
    queue = own.queue(pairs, judging.judged_pairs(task.data, task.split))
    with st.container(key="ten_range"):
        _answer(ten, ten.range())
    if queue or own.done:
        writer = partial(judging.writer, task.data, state.who())
        judging_desk.show(own, queue, dataset, writer, key="ten_desk")
    if own.error:
        notices.show("error", "The last judgment is not stored yet", own.error)
    if not queue:
        _go_on(own, ten)


def _answer(ten: Ten, ends: ChangeRange) -> None:
    other = "the modulated ranking" if ten.task.other == MODULATED else f"“{ten.task.other}”"
    question = QUESTION.format(other, count(len(ten.rankings.query_ids), "query", "queries"))
    figures = FIGURES.format(
        *(NDCG, signed(ends.now), interval((ends.low, ends.high))),
        count(ends.unjudged, "unjudged document", "unjudged documents"),
    )
    if ends != ten.before:
        figures += BEFORE.format(interval((ten.before.low, ten.before.high)))
    if ends.has_certain_sign:
        is_better = ends.low > 0
        notices.answer("good" if is_better else "warning", question, CERTAIN[is_better], figures)
    else:
        notices.answer("info", question, OPEN, figures)


def _go_on(own: Sitting, ten: Ten) -> None:
    """Offer the next ten, or say that none are left."""
    if ten.pairs:
        notices.show("good", *DONE)
        if st.button("Judge the next ten", key="next_ten"):
            _choose_again(ten)
    elif own.skipped:
        notices.show("info", *ALL_SKIPPED)
        if st.button("Show the skipped documents", key="show_skipped_ten"):
            own.offer_skipped()
            _choose_again(ten)
    else:
        notices.show("good", *NOTHING_LEFT)


def _choose_again(ten: Ten) -> None:
    state.keep(_OPEN_TEN, None)
    if ten.task.other != MODULATED:
        state.update(remedy=ten.task.other)
    st.rerun()
