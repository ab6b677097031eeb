"""Training and validation queries of a run with judgments, and its training examples."""

from __future__ import annotations

import numpy as np

from imrnns_core.data.near_copies import copies_of_relevant
from imrnns_core.data.recognition import Fingerprints
from imrnns_core.errors import TrainingError
from imrnns_core.model.adapter_card import TextUse, TrainingOutcome, TrainingTexts
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import Recipe, TrainConfig
from imrnns_core.training.examples import Examples, check_vectors, paired_examples, ranked_examples
from imrnns_core.training.splits import (
    VALIDATION_QUERIES,
    QrelsDict,
    TrainValidationSplit,
    queries_with_relevant,
    split_queries,
)
from imrnns_core.training.validator import Validator
from imrnns_core.types import IntArray, Qrels, relevant_ids


def check_collection(collection: Collection) -> None:
    """Check that the collection can be trained on.

    Raises:
        TrainingError: If it has fewer than two documents, or a vector is not finite.
        AdapterError: If its documents are ranked by dot product.
        EncoderError: If it has no vectors.
    """
    collection.require_vectors()
    collection.require_cosine()
    name = collection.dataset.name
    if len(collection.documents) < 2:
        raise TrainingError(f"{name}: one document cannot be ranked; add documents to the corpus")
    check_vectors(collection.documents.vectors, "document", name)
    check_vectors(collection.queries.vectors, "query", name)


def split_judged(
    collection: Collection, config: TrainConfig, qrels: Qrels, valid_qrels: Qrels | None
) -> TrainValidationSplit:
    """Return the queries to train on and those to validate on.

    Args:
        collection: The documents.
        config: Settings of the split.
        qrels: The judgments to train on.
        valid_qrels: The judgments to validate on. None holds out queries of `qrels`.

    Raises:
        TrainingError: If no query has a relevant document in one of the two parts, or all documents
            are relevant to every query.
    """
    name, qrels = collection.dataset.name, queries_with_relevant(qrels)
    if valid_qrels is None:
        refit = config.resolved().refit
        dataset = collection.dataset
        near = copies_of_relevant(dataset.document, qrels, dataset.common_runs)
        split = split_queries(qrels, config.validation_share, config.seed, refit, near)
    else:
        split = TrainValidationSplit(qrels, queries_with_relevant(valid_qrels))
    if not split.train or not split.valid:
        raise TrainingError(
            f"{name}: {len(split.train)} training and {len(split.valid)} validation queries have a "
            "relevant document; judge more queries, or name another split with --train-split or "
            "--valid-split"
        )
    count = len(collection.documents)
    if all(len(relevant_ids(judged)) >= count for judged in qrels.values()):
        raise TrainingError(
            f"{name}: all documents are relevant to every query, so there is no negative; add "
            "documents"
        )
    return split


def validators(collection: Collection, split: TrainValidationSplit) -> list[Validator]:
    """Return a validator of unseen queries and, if there are enough, one of seen queries."""
    # a small group would decide the mean of groups by chance
    enough_seen = len(split.held_out) >= min(VALIDATION_QUERIES / 2, len(split.valid))
    groups = [split.valid, split.held_out] if enough_seen else [split.valid]
    return [Validator.from_qrels(collection, qrels) for qrels in groups]


def judged_examples(collection: Collection, qrels: QrelsDict, recipe: Recipe) -> Examples:
    """Return the examples that a recipe trains on.

    Raises:
        TrainingError: If all candidates of a query are relevant.
    """
    if recipe.negatives_from == "batch":
        return ranked_examples(collection, qrels, 1 + recipe.negatives)
    return paired_examples(collection, qrels, recipe.negatives, recipe.negatives_from == "lexical")


def training_texts(
    collection: Collection, split: TrainValidationSplit, recipe: Recipe, outcome: TrainingOutcome
) -> TrainingTexts:
    """Return the documents and queries that the shipped model was made from, and selected with."""
    uses = _uses_of_all_texts(outcome)
    positive = used = np.array([], dtype=np.int64)
    trained_on: QrelsDict = {}
    if outcome.shipped in ("trained", "refit"):
        # a refit also trains on the validation queries
        trained_on = split.all if outcome.shipped == "refit" else split.train
        examples = judged_examples(collection, trained_on, recipe)
        positive = np.unique(examples.relevant)
        # the judgments of validation queries chose the epoch
        used = np.union1d(examples.documents, _relevant_rows(collection, split))
        uses = [*uses, "negatives"]
    if _uses_of_all_texts(outcome):
        used = np.arange(len(collection.documents))
    queries = collection.dataset.queries
    positives = _fingerprints(collection, positive)
    others = _fingerprints(collection, np.setdiff1d(used, positive))
    return TrainingTexts(
        positives.whole,
        # a text can occur twice in a corpus
        sorted({*others.whole} - {*positives.whole}),
        uses,
        sorted({queries[q].letters_hash for q in split.all if q not in trained_on}),
        positives.shingles,
        others.shingles,
        sorted({queries[q].letters_hash for q in trained_on}),
        positives.sentences,
        others.sentences,
    )


def _relevant_rows(collection: Collection, split: TrainValidationSplit) -> IntArray:
    """Return the rows of the documents that are relevant to a validation query."""
    row = collection.documents.row
    judged = [*split.valid.values(), *split.held_out.values()]
    rows = {row[d] for qrels in judged for d in relevant_ids(qrels) if d in row}
    return np.array(sorted(rows), dtype=np.int64)


def _fingerprints(collection: Collection, rows: IntArray) -> Fingerprints:
    """Return by what some documents are recognised."""
    dataset = collection.dataset
    return Fingerprints.of((dataset.documents[int(row)] for row in rows), dataset.common_runs)


def _uses_of_all_texts(outcome: TrainingOutcome) -> list[TextUse]:
    """Return what the texts of all documents were used for by the initial model."""
    settings = outcome.initialization if outcome.shipped != "identity" else {}
    # every initial model but the untrained one has a projector that whitens the documents
    uses: list[TextUse] = ["whitening"] if settings else []
    if "sentences" in settings:
        uses.append("sentence memory")
    if "titles" in settings:
        uses.append("titles")
    return uses
