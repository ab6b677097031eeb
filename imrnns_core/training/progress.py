"""Progress of a training run: its epochs and its best model so far."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import Tensor

from imrnns_core.config import AdapterConfig
from imrnns_core.model.adapter_card import LeftOutGain, Shipped, TrainingOutcome
from imrnns_core.model.imrnn import IMRNN

Phase = Literal["initialization", "pretrain", "train", "refit"]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training queries; epoch 0 is the initial model.

    Attributes:
        number: The number of the epoch.
        loss: The mean loss, None if nothing was trained.
        validation: The mean of nDCG@10, R@10 and RR@10 on the validation queries. A "refit" epoch
            trains on them, so it repeats the value of the epoch that validation selected.
        best: Whether the epoch is the best so far.
        phase: The phase of the run.
    """

    number: int
    loss: float | None
    validation: float
    best: bool
    phase: Phase = "train"


class BestModel:
    """The best model of a run so far; `state` and `restore` survive a killed process.

    Attributes:
        initial_model: The model at which training begins.
        model: The model that would be shipped.
        shipped: Which weights it has.
        measures: Validation measures and settings, by the fields of `TrainingOutcome`.
        notes: Remarks for the reader of the card.
        history: The epochs so far.
    """

    def __init__(self, untrained: IMRNN, notes: list[str]) -> None:
        self.initial_model = self.model = copy.deepcopy(untrained)
        self.shipped: Shipped = "identity"
        self.measures: dict[str, Any] = {}
        self.notes = notes
        self.history: list[Epoch] = []
        self._reason = "no epoch was better than the base on validation"

    def update(self, model: IMRNN, shipped: Shipped, value: float) -> None:
        """Copy a model as the best one; `value` is its validation measure."""
        self.model, self.shipped = copy.deepcopy(model), shipped
        self.measures["validation"] = value

    def reject(self, reason: str) -> None:
        """Ship the identity for this reason, and forget the trained model."""
        self.shipped, self.measures, self._reason = "identity", {}, reason
        del self.history[1:]

    def outcome(self, best_epoch: int) -> TrainingOutcome:
        """Return the outcome for the adapter card."""
        identity = [f"{self._reason}, so the adapter is the identity"]
        notes = [*self.notes, *(identity if self.shipped == "identity" else [])]
        measures = dict(self.measures)
        if "left_out" in measures:
            measures["left_out"] = LeftOutGain(**measures["left_out"])
        return TrainingOutcome(self.shipped, best_epoch, notes=notes, **measures)

    def state(self) -> dict[str, Any]:
        """Return everything in types that can be loaded without pickle."""
        return {
            "initial_model": [asdict(self.initial_model.config), self.initial_model.state_dict()],
            "model": [asdict(self.model.config), self.model.state_dict()],
            "shipped": self.shipped,
            "measures": self.measures,
            "notes": self.notes,
            "history": [asdict(epoch) for epoch in self.history],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.initial_model, self.model = (
            _load_model(*state[name]) for name in ("initial_model", "model")
        )
        self.shipped, self.measures = state["shipped"], state["measures"]
        self.notes[:] = state["notes"]  # in place, because `Initialization` appends to this list
        self.history[:] = [Epoch(**epoch) for epoch in state["history"]]


def _load_model(config: dict[str, Any], state: dict[str, Tensor]) -> IMRNN:
    model = IMRNN(AdapterConfig(**config))
    model.load_state_dict(state)
    return model.eval()
