"""The adapter card: origin, dimensions and training of an adapter, as a JSON record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from imrnns_core.model.field_types import check_types

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CARD_SCHEMA = 4
"""Version of the card's record; `read_card` converts schemas 1 to 3."""
Shipped = Literal["identity", "initialization", "trained", "refit"]
_RENAMED = {
    "outcome": {"start": "initialization"},
    "config": {"start": "initialization", "kept": "weight_interpolation"},
    "memory": {"sentences": "max_sentences", "words": "min_words"},
    "pretrain": {"texts": "max_titles", "minimum": "min_titles"},
}
"""Part of the card → its keys up to schema 2 → their names today."""
_RENAMED_RECIPES = {"best": "fine-tuned"}
"""Until `best` compared all recipes, the recipe "fine-tuned" had this name."""

TextUse = Literal["sentence memory", "whitening", "titles", "negatives"]


@dataclass(frozen=True)
class TrainingTexts:
    """The documents and queries that training used, as hashes of their texts.

    Ids and names of data sets differ from copy to copy; texts differ little. The hashes of whole
    texts are `text_hash`, those of shingles `shingle_sketch`, those of sentences `sentence_hashes`
    (`data/recognition.py`). Older cards have no shingles, no sentences and no
    `queries`.

    Attributes:
        positives: Documents that were the positive of a training query.
        used: Documents whose text was used without a judgment.
        uses: What the texts in `used` were used for.
        validation_queries: Queries that selected the model or its epoch, and were not trained on.
        positive_shingles: Shingles of the documents in `positives`.
        used_shingles: Shingles of the documents in `used`.
        queries: Queries that the model was trained on.
        positive_sentences: Sentences of the documents in `positives`.
        used_sentences: Sentences of the documents in `used`.
    """

    positives: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    uses: list[TextUse] = field(default_factory=list)
    validation_queries: list[str] = field(default_factory=list)
    positive_shingles: list[str] = field(default_factory=list)
    used_shingles: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    positive_sentences: list[str] = field(default_factory=list)
    used_sentences: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LeftOutGain:
    """What a sentence memory does for documents that it was not built from.

    The memory is built five times, each time without one fifth of the documents. Each judged query
    is measured with the memory that was built without its relevant documents, before and after the
    missing documents are added.

    Attributes:
        queries: Number of judged queries.
        base: Mean nDCG@10 of the base ranking.
        complete: Mean nDCG@10 with the memory of all documents.
        left_out: Mean nDCG@10 with memories that lack the query's relevant documents.
        extended: The same after the missing documents were added to each memory.
        change_ci95: 95 % interval of the mean of left_out − base; None for fewer than 20
            independent queries.
        p: p value of left_out − base.
        others: Mean nDCG@10 with memories that had the query's relevant documents from the start,
            after the missing documents were added; None in older cards.
    """

    queries: int
    base: float
    complete: float
    left_out: float
    extended: float
    change_ci95: tuple[float, float] | None
    p: float
    others: float | None = None


@dataclass(frozen=True)
class RecipeMeasure:
    """How a recipe ranks queries that it was not trained on, in a cross-validation.

    Attributes:
        ndcg: Mean nDCG@10.
        gain_error: Standard error of the mean gain over the base ranking.
    """

    ndcg: float
    gain_error: float


@dataclass(frozen=True)
class RecipeSelection:
    """The recipe that `best` chose by cross-validation over the judged training queries.

    Attributes:
        recipe: The chosen recipe; "identity" if none was reliably better than the base.
        queries: Number of judged queries.
        folds: Number of random folds.
        base: Mean nDCG@10 of the base ranking.
        recipes: The measures of each recipe.
    """

    recipe: str
    queries: int
    folds: int
    base: float
    recipes: dict[str, RecipeMeasure]


@dataclass(frozen=True)
class TrainingOutcome:
    """The model that a training run selected, and its validation measures.

    Attributes:
        shipped: Which weights the adapter has: the identity, the initial model, the trained
            weights, or weights trained again on all judged queries ("refit").
        best_epoch: The epoch that validation selected; 0 is the initial model.
        validation: Validation measure of the shipped model, None if nothing was validated.
        base_validation: The same measure for the base ranking.
        initialization: Settings of the initial model, and the measures that selected it.
        left_out: The gain for documents that the sentence memory does not hold; None without a
            memory or judged queries.
        selection: How `best` chose the recipe; None if the user named a recipe, or there were too
            few judged queries to compare recipes.
        notes: Remarks for the reader of the card.
    """

    shipped: Shipped = "identity"
    best_epoch: int = 0
    validation: float | None = None
    base_validation: float | None = None
    initialization: dict[str, Any] = field(default_factory=dict)
    left_out: LeftOutGain | None = None
    selection: RecipeSelection | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class AdapterCard:
    """Origin, dimensions and training of an adapter.

    Attributes:
        name: The name of the adapter.
        input_dim: Encoder dimensions n.
        output_dim: Working dimensions m.
        encoder: The encoder whose embeddings the adapter expects.
        recipe: The recipe that trained the adapter. If `best` chose it, `outcome.selection` has the
            measures of all recipes.
        dataset: The data set that it was trained on.
        dataset_digest: The digest of the data set.
        train_split: The split that it was trained on, None without judgments.
        texts: The documents and queries that training used. None if unknown, as in files of the
            reference package and in cards up to schema 3.
        config: The settings of the training.
        history: One record per epoch.
        outcome: The result of the training.
        source: Where the file came from, if it was not trained here.
        schema: Version of the record.
    """

    name: str
    input_dim: int
    output_dim: int
    encoder: str | None = None
    recipe: str | None = None
    dataset: str | None = None
    dataset_digest: str | None = None
    train_split: str | None = None
    texts: TrainingTexts | None = None
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    outcome: TrainingOutcome | None = None
    source: str | None = None
    schema: int = CARD_SCHEMA

    @property
    def has_memory(self) -> bool:
        """Whether the query adapter is a sentence memory."""
        return self.outcome is not None and "sentences" in self.outcome.initialization


def newer_schema(card: str | None) -> int | None:
    """Return the schema of a card, as JSON, if a newer version wrote it, else None."""
    try:
        schema = json.loads(card or "{}").get("schema", CARD_SCHEMA)
    except (ValueError, AttributeError):
        return None  # a damaged card: who reads it says so
    return schema if isinstance(schema, int) and schema > CARD_SCHEMA else None


def read_card(record: Mapping[str, Any]) -> AdapterCard:
    """Return the card of a record of this or an earlier schema; unknown keys are ignored.

    Raises:
        TypeError: If a required key is missing, or a part of the record has the wrong type.
        ValueError: Likewise.
        AttributeError: Likewise.
    """
    outcome = record.get("outcome") or record.get("measures")  # "measures" in schema 1
    config = _renamed("config", record.get("config") or {})
    for part in ("memory", "pretrain"):
        if part in config:
            config[part] = _renamed(part, config[part])
    if "recipe" in config:
        config["recipe"] = _RENAMED_RECIPES.get(config["recipe"], config["recipe"])
    recipe = record.get("recipe")
    converted = _known_keys(AdapterCard, record) | {
        "recipe": _RENAMED_RECIPES.get(recipe, recipe) if recipe else recipe,
        "config": config,
        "history": [_converted_value("phase", epoch) for epoch in record.get("history") or []],
        "texts": TrainingTexts(**_known_keys(TrainingTexts, record["texts"]))
        if record.get("texts")
        else None,
        "outcome": _outcome(outcome) if outcome else None,
        "schema": CARD_SCHEMA,
    }
    card = AdapterCard(**converted)
    check_types(card)
    return card


def _outcome(record: Mapping[str, Any]) -> TrainingOutcome:
    converted = _converted_value("shipped", _renamed("outcome", record))
    if converted.get("left_out"):
        ends = converted["left_out"]["change_ci95"]
        ends = tuple(ends) if ends else None
        converted["left_out"] = LeftOutGain(**converted["left_out"] | {"change_ci95": ends})
    if converted.get("selection"):
        measures = converted["selection"]["recipes"].items()
        recipes = {name: RecipeMeasure(**measure) for name, measure in measures}
        converted["selection"] = RecipeSelection(**converted["selection"] | {"recipes": recipes})
    return TrainingOutcome(**_known_keys(TrainingOutcome, converted))


def _renamed(part: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of a card with the names of today's schema."""
    return {_RENAMED[part].get(key, key): value for key, value in record.items()}


def _converted_value(key: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record with the initial model named as in today's schema."""
    return {**record, key: "initialization"} if record.get(key) == "start" else dict(record)


def _known_keys(kind: type[DataclassInstance], record: Mapping[str, Any]) -> dict[str, Any]:
    names = {f.name for f in fields(kind)}
    return {key: value for key, value in record.items() if key in names}
