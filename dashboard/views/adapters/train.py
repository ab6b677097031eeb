"""Train an adapter: choose a recipe, watch the curves, stop and continue."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard import navigation, state
from dashboard.formatting import count
from dashboard.services import catalog
from dashboard.services.adapters import trainings
from dashboard.services.adapters.training_job import Request, TrainingJob
from dashboard.views.adapters import progress
from dashboard.widgets import notices, progress_panel, role_note
from imrnns_core.errors import LensError
from imrnns_core.training.config import RECIPE_PURPOSES, RECIPES
from imrnns_core.training.splits import MIN_VALIDATION_QUERIES

UNLABELED = "unlabeled"
READING = (
    "Training runs in the background: you can use other pages, reload this one, or close it. It "
    "learns from the judged queries of one split, and keeps an epoch only if validation shows a "
    "gain over the base ranking."
)
NO_JUDGMENTS = (
    "This data set has no judgments",
    "Only the recipe “unlabeled” works without them: it uses the documents and their titles.",
)
ELSEWHERE = "“{}” is being trained by another process"
ELSEWHERE_READING = (
    "{} It was started in a terminal or by another dashboard, and can be stopped there."
)
ELSEWHERE_SECONDS = 2.0
SENDS = "The encoder of this data set is an endpoint, and training encodes texts"
SEED_HELP = "On the same machine, the same seed gives the same adapter."
SPLIT_HELP = (
    "The split whose judgments are learned. On its queries, the adapter looks better than it is: "
    "measure it on another split."
)


def show() -> None:
    """Draw the section."""
    data = state.current().data
    st.header("Train an adapter", anchor=False)
    _elsewhere(data)
    job, waits = trainings.job()
    if role_note.refuses("Training"):
        if job is not None and not job.error:
            notices.show("info", f"“{job.request.name}” is trained", progress.text(job, data))
        return
    if job is not None and not job.error:
        progress_panel.show(
            progress.panel(data), job, waits, lambda: trainings.start(job.request), trainings.leave
        )
        return
    if job is not None:
        _failed(job)
    if name := trainings.finished(data):
        _finished(name)
    for stopped in trainings.unfinished(data):
        _unfinished(stopped)
    _form(data)


def _failed(job: TrainingJob) -> None:
    notices.show("error", f"“{job.request.name}” could not be trained", job.error)


def _finished(name: str) -> None:
    card = catalog.load_adapter(name).card
    notes = " ".join(
        f"{n[0].upper()}{n[1:]}." for n in (card.outcome.notes if card.outcome else [])
    )
    notices.show("good", f"“{name}” is trained", f"You find it in the sidebar. {notes}")
    if st.button("Open Overview with it", key="train_open"):
        state.update(adapter=name)
        navigation.go("overview")


def _elsewhere(data: str) -> None:
    """Draw the trainings that other processes run; draw the page again when one ends."""

    def names() -> list[str]:
        return [training.request.name for training in trainings.elsewhere(data)]

    def draw() -> None:
        for training in trainings.elsewhere(data):
            name, far = training.request.name, _far(training)
            notices.show("info", ELSEWHERE.format(name), ELSEWHERE_READING.format(far))

    if first := names():
        progress_panel.poll(draw, lambda: names() != first, ELSEWHERE_SECONDS)


def _far(training: trainings.Unfinished) -> str:
    """Return what is trained, and how far it is."""
    request, epochs = training.request, training.epochs
    far = f"{epochs[-1].done} of at most {epochs[-1].total} epochs are done" if epochs else ""
    return f"Recipe {request.recipe}, seed {request.seed}. {far or 'No epoch is done yet'}."


def _unfinished(stopped: trainings.Unfinished) -> None:
    request, epochs = stopped.request, stopped.epochs
    with st.container(border=True, key=f"unfinished_{request.name}"):
        notices.show(
            "info",
            f"“{request.name}” is not finished",
            f"{_far(stopped)} Continue after the last one, or discard it.",
        )
        if epochs:
            with st.expander("Curves so far"):
                progress.curves(epochs, f"curves_{request.name}")
        agreed = _agreed(request)
        with st.container(horizontal=True):
            st.button(
                "Continue",
                key=f"continue_{request.name}",
                on_click=trainings.start,
                args=(agreed,),
                disabled=agreed is None,
            )
            st.button(
                "Discard",
                key=f"discard_{request.name}",
                on_click=trainings.discard,
                args=(request,),
                help="Deletes what was trained so far. This cannot be undone.",
            )


def _form(data: str) -> None:
    splits = trainings.train_splits(data)
    st.caption(READING)
    if not splits:
        notices.show("info", *NO_JUDGMENTS)
    recipes = list(RECIPE_PURPOSES) if splits else [UNLABELED]
    left, right = st.columns(2)
    with left:
        st.selectbox("Recipe", recipes, **state.bound("recipe", recipes))
        recipe = state.current().recipe
        st.caption(f"{recipe}: {RECIPE_PURPOSES[recipe]}.")
    with right:
        name = st.text_input(
            "Name", trainings.free_name(data, recipe), key=f"train_name_{data}_{recipe}"
        ).strip()
    supervised = recipe not in RECIPES or RECIPES[recipe].supervised
    split = splits[0] if supervised else None
    with left:
        if supervised and len(splits) > 1:
            split = st.selectbox(
                "Learn from split", splits, key=f"train_split_{data}", help=SPLIT_HELP
            )
    with right:
        seed = st.number_input("Seed", 0, 2**31 - 1, 42, help=SEED_HELP, key="train_seed")
    _start(Request(data, name, recipe, int(seed), split))


def _start(request: Request) -> None:
    """Draw the button, or why nothing can be trained; warn if few judgments are there."""
    if reason := trainings.taken(request.name):
        notices.show("warning", f"The name “{request.name}” cannot be used", reason)
        return
    try:
        warning = _warning(request)
    except LensError as error:
        notices.show("warning", "Nothing can be trained", str(error))
        return
    if warning:
        notices.show("warning", "Few judgments", warning)
    agreed = _agreed(request)
    disabled = agreed is None
    st.button("Train", key="train", on_click=trainings.start, args=(agreed,), disabled=disabled)


def _agreed(request: Request) -> Request | None:
    """Return a training that may send its texts; None if the reader must agree first."""
    try:
        sent = trainings.transfer(request.data, request.recipe, request.seed, request.train_split)
    except LensError as error:
        notices.show("warning", "Nothing can be trained", str(error))
        return None
    if sent is None:
        return request
    texts, tokens = count(sent.texts, "text", "texts"), count(sent.tokens, "token", "tokens")
    where = f"to {sent.endpoint}, model {sent.model}"
    notices.show("warning", SENDS, f"It sends at most {texts} (about {tokens}) {where}.")
    agrees = st.checkbox("Send these texts", key=f"send_{request.name}")
    return replace(request, send=True) if agrees else None


def _warning(request: Request) -> str:
    """Return one sentence about what too few judgments prevent; empty if they are enough."""
    foreseen = trainings.foresee(request.data, request.recipe, request.train_split)
    if request.train_split is None:
        return ""
    queries = count(foreseen.train + foreseen.valid, "judged query is", "judged queries are")
    if not foreseen.trains:
        return (
            f"{queries} too few to learn from, because fewer than {MIN_VALIDATION_QUERIES} could "
            "validate, so the adapter will be an initial model that needs no training on "
            "judgments, or the identity."
        )
    if foreseen.obstacle:
        return f"{queries} too few to compare the recipes, so “best” will train with “fine-tuned”."
    return ""
