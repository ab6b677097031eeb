"""What a training run reports of each epoch."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import Tensor

from imrnns_core.config import AdapterConfig
from imrnns_core.model.checkpoint import Shipped, TrainingOutcome
from imrnns_core.model.imrnn import IMRNN

Phase = Literal["start", "pretrain", "train", "refit"]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training queries; epoch 0 is the start.

    `loss` is its mean, None where nothing was trained.

    `validation` is the mean of nDCG@10, R@10 and RR@10; of a "refit" epoch, whose queries include
    those of the validation, it is the value of the epoch that validation chose.
    """

    number: int
    loss: float | None
    validation: float
    best: bool
    phase: Phase = "train"


class BestModel:
    """The best model of a run so far, and what is known about it.

    Survives a kill through its state.

    Attributes:
        first: The model that training starts from.
        model: What would be shipped.
        shipped: What that is.
        measures: What validation measured, by the fields of `TrainingOutcome`.
        notes: What a reader of the card should know.
        history: The epochs so far.
    """

    def __init__(self, start: IMRNN, notes: list[str]) -> None:
        self.first = self.model = copy.deepcopy(start)
        self.shipped: Shipped = "identity"
        self.measures: dict[str, Any] = {}
        self.notes = notes
        self.history: list[Epoch] = []

    def keep(self, model: IMRNN, what: Shipped, value: float) -> None:
        """Take a copy of a model as the best one; `value` is its validation measure."""
        self.model, self.shipped = copy.deepcopy(model), what
        self.measures["validation"] = value

    def outcome(self, best_epoch: int) -> TrainingOutcome:
        """Return what the card says of the run."""
        identity = ["no epoch was better than the base on validation: this is the identity"]
        notes = [*self.notes, *(identity if self.shipped == "identity" else [])]
        return TrainingOutcome(self.shipped, best_epoch, notes=notes, **self.measures)

    def state(self) -> dict[str, Any]:
        """Return everything in types that are read without pickle."""
        return {
            "first": [asdict(self.first.config), self.first.state_dict()],
            "best": [asdict(self.model.config), self.model.state_dict()],
            "shipped": self.shipped,
            "measures": self.measures,
            "notes": self.notes,
            "history": [asdict(epoch) for epoch in self.history],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.first, self.model = (_rebuilt(*state[name]) for name in ("first", "best"))
        self.shipped, self.measures = state["shipped"], state["measures"]
        self.notes[:] = state["notes"]  # the same list: initialization adds to it
        self.history[:] = [Epoch(**epoch) for epoch in state["history"]]


def _rebuilt(config: dict[str, Any], state: dict[str, Tensor]) -> IMRNN:
    model = IMRNN(AdapterConfig(**config))
    model.load_state_dict(state)
    return model.eval()
