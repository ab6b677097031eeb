"""The adapter card: origin, dimensions and training of an adapter, as a JSON record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CARD_SCHEMA = 3
"""Version of the card's record; `read_card` converts schemas 1 and 2."""
Shipped = Literal["identity", "initialization", "trained", "refit"]
_RENAMED = {
    "outcome": {"start": "initialization"},
    "config": {"start": "initialization", "kept": "weight_interpolation"},
    "memory": {"sentences": "max_sentences", "words": "min_words"},
    "pretrain": {"texts": "max_titles", "minimum": "min_titles"},
}
"""Part of the card → its keys up to schema 2 → their names today."""


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
        notes: Remarks for the reader of the card.
    """

    shipped: Shipped = "identity"
    best_epoch: int = 0
    validation: float | None = None
    base_validation: float | None = None
    initialization: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class AdapterCard:
    """Origin, dimensions and training of an adapter.

    Attributes:
        name: The name of the adapter.
        input_dim: Encoder dimensions n.
        output_dim: Working dimensions m.
        encoder: The encoder whose embeddings the adapter expects.
        recipe: The training recipe.
        dataset: The data set that it was trained on.
        dataset_digest: The digest of the data set.
        train_split: The split that it was trained on, None without judgments.
        training_positives: Ids of the documents that were positives in training. A query with such
            a relevant document is seen. None if unknown, as in files of the reference package.
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
    training_positives: list[str] | None = None
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    outcome: TrainingOutcome | None = None
    source: str | None = None
    schema: int = CARD_SCHEMA


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
    converted = _known_keys(AdapterCard, record) | {
        "config": config,
        "history": [_converted_value("phase", epoch) for epoch in record.get("history") or []],
        "outcome": _outcome(outcome) if outcome else None,
        "schema": CARD_SCHEMA,
    }
    return AdapterCard(**converted)


def _outcome(record: Mapping[str, Any]) -> TrainingOutcome:
    converted = _converted_value("shipped", _renamed("outcome", record))
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
