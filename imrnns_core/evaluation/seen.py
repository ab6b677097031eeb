"""Which queries an adapter has seen: one of their relevant documents was used in training."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.dataset import Dataset
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.types import Qrels, relevant_ids

Group = Literal["seen", "unseen"]


def training_positives(card: AdapterCard, dataset: Dataset) -> set[str] | None:
    """Return the ids of this data set's documents that were training positives.

    None if the card does not list them. Empty if the adapter was trained on another data set: its
    ids may be the same by chance.
    """
    if card.training_positives is None:
        return None
    # only if both differ: a data set may be renamed, or have a query added since
    other_dataset = card.dataset not in (None, dataset.name) and card.dataset_digest not in (
        None,
        dataset.digest,
    )
    return set() if other_dataset else set(card.training_positives)


def seen_groups(qrels: Qrels, training_positives: set[str] | None) -> NDArray[np.str_] | None:
    """Return (Q,) "seen" or "unseen" for each query, None if the training positives are unknown.

    A query is seen if one of its relevant documents was a training positive.
    """
    if training_positives is None:
        return None
    seen = [any(d in training_positives for d in relevant_ids(judged)) for judged in qrels.values()]
    return np.where(seen, "seen", "unseen")
