"""What a supervised run takes from a collection.

Queries to train and to validate on, and examples.
"""

from __future__ import annotations

from imrnns_core.errors import TrainingError
from imrnns_core.model.checkpoint import Shipped
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import Recipe, TrainConfig
from imrnns_core.training.examples import Examples, check_vectors, paired_examples, ranked_examples
from imrnns_core.training.splits import (
    HELD_OUT,
    Judged,
    TrainValidationSplit,
    judged_positive,
    split_queries,
)
from imrnns_core.training.validator import Validator
from imrnns_core.types import relevant_ids


def check_collection(collection: Collection) -> None:
    """Raise TrainingError if there is nothing to rank, or a vector that is no direction."""
    name = collection.dataset.name
    if len(collection.documents) < 2:
        raise TrainingError(f"{name}: one document cannot be ranked; add documents to the corpus")
    check_vectors(collection.documents.vectors, "document", name)
    check_vectors(collection.queries.vectors, "query", name)


def split_judged(
    collection: Collection, config: TrainConfig, train_split: str, valid_split: str | None
) -> TrainValidationSplit:
    """Return the queries to train and to validate on. Raises TrainingError if there are too few."""
    name, dataset = collection.dataset.name, collection.dataset
    qrels = judged_positive(dataset.qrels(train_split))
    if valid_split is None:
        both = config.resolved().refit
        parts = split_queries(qrels, config.validation_share, config.seed, both=both)
    else:
        parts = TrainValidationSplit(qrels, judged_positive(dataset.qrels(valid_split)))
    if not parts.train or not parts.valid:
        raise TrainingError(
            f"{name}: {len(parts.train)} training and {len(parts.valid)} validation queries have a "
            "relevant document; judge more queries, or name another split with --train-split or "
            "--valid-split"
        )
    count = len(collection.documents)
    if all(len(relevant_ids(judged)) >= count for judged in qrels.values()):
        raise TrainingError(
            f"{name}: all documents are relevant to every query, there is no negative; add "
            "documents"
        )
    return parts


def validators(collection: Collection, parts: TrainValidationSplit) -> list[Validator]:
    """Return the validation on unseen documents and, where there are enough, that on seen ones."""
    enough = len(parts.held) >= min(HELD_OUT / 2, len(parts.valid))
    held = [parts.held] if enough else []
    return [Validator.of_judged(collection, qrels) for qrels in (parts.valid, *held)]


def judged_examples(collection: Collection, qrels: Judged, recipe: Recipe) -> Examples:
    """Return what a recipe trains on."""
    if recipe.negatives_from == "batch":
        return ranked_examples(collection, qrels, 1 + recipe.negatives)
    return paired_examples(collection, qrels, recipe.negatives, recipe.negatives_from == "lexical")


def trained_positives(shipped: Shipped, parts: TrainValidationSplit, recipe: Recipe) -> list[str]:
    """Return the ids of the documents that were training positives of the model that is shipped."""
    if shipped not in ("trained", "refit"):
        return []
    qrels = parts.all if shipped == "refit" else parts.train
    if recipe.negatives_from == "batch":
        return sorted({d for judged in qrels.values() for d in relevant_ids(judged)})
    return sorted(
        {min(relevant_ids(judged), key=lambda d: (-judged[d], d)) for judged in qrels.values()}
    )
