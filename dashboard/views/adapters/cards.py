"""What is known about each adapter that fits the data set, from its card."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.formatting import count, decimal, p_value, signed
from dashboard.services import catalog
from dashboard.services.adapters import files as adapter_files
from dashboard.views.adapters import files
from dashboard.widgets import notices, texts
from dashboard.widgets.row_table import component as row_table
from dashboard.widgets.row_table.component import Column
from imrnns_core.model.adapter_card import AdapterCard, LeftOutGain, TextUse, TrainingOutcome
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.reporting.formatting import interval

UNKNOWN = "not recorded"
USES: dict[TextUse, str] = {
    "sentence memory": "for the sentence memory",
    "whitening": "for a projector that gives all directions the same variance (whitening)",
    "titles": "for training with titles as queries",
    "negatives": "as negatives",
}
NO_TRAINING_QUERIES = (
    "0: the adapter has learned no judgment. The validation queries, if there are any, only chose "
    "among models that were built from the documents"
)
READING = (
    "All adapters with the dimensions of this data set. Click a row to choose an adapter for all "
    "pages, and to see its card below."
)
NONE = (
    "No adapter fits this data set",
    "An adapter needs {dimension} dimensions, as the vectors of this data set have. Train one "
    "above, or import one below.",
)
MEASURES = "mean of nDCG@10, R@10 and RR@10 on the validation queries"
UNLABELED_MEASURE = "nDCG@10 on keyword queries made from the documents"
SCORES = f"It is the {MEASURES}; for the recipe “unlabeled”, {UNLABELED_MEASURE}."
COLUMNS = [
    Column("Adapter", wide=True),
    Column("Kind", "How the adapter was made."),
    Column("Recipe", "The training recipe."),
    Column("Trained on", "The data set that it was trained on."),
    Column("Base", f"Validation score of the base ranking. {SCORES}", numeric=True),
    Column("Validation", f"Validation score of the adapter. {SCORES}", numeric=True),
    Column("File", "Yours: in the workspace. Shipped: came with the dashboard."),
]


def show() -> None:
    """Draw the section."""
    data = state.current().data
    st.header("Adapters for this data set", anchor=False)
    names = catalog.fitting_adapters(data)
    if not names:
        dimension = catalog.collection(data).documents.dimension
        notices.show("info", NONE[0], NONE[1].format(dimension=dimension))
    else:
        st.caption(READING)
        rows = [(name, _row(name)) for name in names]
        if opened := row_table.show(COLUMNS, rows, "Adapters", "adapter_list"):
            state.update(adapter=opened.id)
            st.rerun()
        if state.current().adapter in names:
            _card(data, state.current().adapter)
    files.show_deleted()


def _row(name: str) -> list[str]:
    card = catalog.load_adapter(name).card
    outcome = card.outcome or TrainingOutcome()
    return [
        name,
        catalog.adapter_kind(name),
        card.recipe or card.source or "—",
        card.dataset or "—",
        *("—" if v is None else decimal(v) for v in (outcome.base_validation, outcome.validation)),
        "shipped" if adapter_files.is_shipped(name) else "yours",
    ]


def _card(data: str, name: str) -> None:
    st.subheader("Card of the chosen adapter", anchor=False)
    adapter = catalog.load_adapter(name)
    for note in adapter.card.outcome.notes if adapter.card.outcome else []:
        notices.show("warning", "Note of the training", f"{note[0].upper()}{note[1:]}.")
    for warning in catalog.adapter_warnings(data, name):
        notices.show("warning", "Some documents are ranked too low", f"{warning}.")
    digest = catalog.dataset(data).digest
    rows = [("Adapter", name), ("Kind", catalog.adapter_kind(name)), *card_facts(adapter, digest)]
    texts.facts(rows, "adapter_card")
    files.show_export(name)


def card_facts(adapter: Adapter, digest: str) -> list[tuple[str, str]]:
    """Return what the card says; `digest` is that of the open data set."""
    card, config = adapter.card, adapter.model.config
    hidden = " and ".join(f"{units:,}" for units in config.query_hidden_dims or config.hidden_dims)
    found = [
        ("Recipe", _recipe(card)),
        ("Seed", str(card.config.get("seed", UNKNOWN))),
        ("Trained on", _trained_on(card, digest)),
        *_texts(card),
        ("Validation score", _validation(card)),
    ]
    if card.outcome and card.outcome.left_out:
        found.append(("Gain for new documents", _left_out(card.outcome.left_out)))
    found += [
        ("Dimensions", f"{config.input_dim} → {config.output_dim}"),
        ("Hidden layers of the query adapter", f"{hidden} units"),
        ("Encoder", card.encoder or UNKNOWN),
    ]
    return [*found, ("Source", card.source)] if card.source else found


def _recipe(card: AdapterCard) -> str:
    selection = card.outcome.selection if card.outcome else None
    if selection is None:
        return card.recipe or UNKNOWN
    gain = (
        selection.recipes[card.recipe].ndcg - selection.base
        if card.recipe in selection.recipes
        else 0
    )
    return (
        f"{card.recipe}, which “best” chose: in a cross-validation on "
        f"{count(selection.queries, 'judged query', 'judged queries')}, nDCG@10 − base was "
        f"{signed(gain)}"
    )


def _trained_on(card: AdapterCard, digest: str) -> str:
    if card.dataset is None:
        return UNKNOWN
    split = f", split {card.train_split}" if card.train_split else ""
    if card.dataset_digest is None:
        return f"{card.dataset}{split}"
    same = "the same texts" if card.dataset_digest == digest else "other texts"
    return f"{card.dataset}{split}. The data set in the sidebar has {same}"


def _texts(card: AdapterCard) -> list[tuple[str, str]]:
    texts = card.texts
    if texts is None:
        return [("Training texts", f"{UNKNOWN}, so it is unknown which queries are seen")]
    uses = f": {', and '.join(USES[use] for use in texts.uses)}" if texts.uses else ""
    documents = (
        f"{len(texts.positives):,} were relevant to a training query; of {len(texts.used):,} "
        f"others, training used the text without a judgment{uses}"
    )
    return [
        ("Documents", documents),
        ("Training queries", f"{len(texts.queries):,}" if texts.queries else NO_TRAINING_QUERIES),
        ("Validation queries", f"{len(texts.validation_queries):,}"),
    ]


def _validation(card: AdapterCard) -> str:
    outcome = card.outcome
    if outcome is None or outcome.base_validation is None:
        return UNKNOWN if outcome is None else "not validated"
    base = decimal(outcome.base_validation)
    if outcome.validation is None:
        return f"no model was better than the base ranking ({base})"
    change = signed(outcome.validation - outcome.base_validation)
    measure = UNLABELED_MEASURE if card.train_split is None else MEASURES
    selected = (
        "the model before its first training epoch"
        if outcome.shipped == "initialization"
        else f"epoch {outcome.best_epoch}"
    )
    return (
        f"{decimal(outcome.validation)}, base ranking {base} ({change}): {measure}. Selected: "
        f"{selected}"
    )


def _left_out(gain: LeftOutGain) -> str:
    return (
        f"change of nDCG@10 against base: {signed(gain.left_out - gain.base)} (95 % interval "
        f"{interval(gain.change_ci95)}, {p_value(gain.p)}) if the memory lacks the relevant "
        f"documents; {signed(gain.extended - gain.base)} after these documents were added to it"
    )
