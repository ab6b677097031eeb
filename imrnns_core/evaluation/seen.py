"""Which queries an adapter has seen: those of which it met a relevant document in training."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.dataset import Dataset
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.types import Qrels, relevant_ids

Group = Literal["seen", "unseen"]


def training_positives(card: AdapterCard, dataset: Dataset) -> set[str] | None:
    """Return the documents of this data set that were training positives.

    None where the card names none.

    Ids of another data set may be the same by chance: an adapter that was trained there has seen
    nothing here.
    """
    if card.training_positives is None:
        return None
    elsewhere = card.dataset not in (None, dataset.name) and card.dataset_digest not in (
        None,
        dataset.digest,
    )
    return set() if elsewhere else set(card.training_positives)


def seen_groups(qrels: Qrels, training_positives: set[str] | None) -> NDArray[np.str_] | None:
    """Return (Q,) "seen" or "unseen" for each query; None where the training positives are unknown.

    A query is seen where one of its relevant documents was a training positive.
    """
    if training_positives is None:
        return None
    seen = [any(d in training_positives for d in relevant_ids(judged)) for judged in qrels.values()]
    return np.where(seen, "seen", "unseen")
