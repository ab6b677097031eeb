"""One training run of an adapter over batches of examples."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from imrnns_core.model.imrnn import IMRNN
from imrnns_core.training.config import Recipe
from imrnns_core.training.examples import Examples
from imrnns_core.training.losses import base_scores, batch_loss


class TrainingLoop:
    """One optimiser at work on a model, in place.

    Iterate for ever: each step is a pass over the examples, its mean loss.

    Args:
        model: The adapter.
        documents: (N, n) base embeddings that the rows of the examples point to.
        examples: The queries.
        recipe: Loss, optimiser and what may change.
        seed: Of the order of the examples.
    """

    def __init__(
        self, model: IMRNN, documents: Tensor, examples: Examples, recipe: Recipe, seed: int
    ) -> None:
        self.model, self.documents, self.examples, self.recipe = model, documents, examples, recipe
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not recipe.modulation_only or "adapter" in name)
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(
            trained, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        self.base = (
            base_scores(documents, examples) if recipe.loss == "improvement" else None
        )  # the same in every pass
        self.generator = torch.Generator().manual_seed(seed)

    def __iter__(self) -> Iterator[float]:
        return self

    def __next__(self) -> float:
        self.model.train()
        losses = []
        for chosen in torch.split(
            torch.randperm(len(self.examples), generator=self.generator), self.recipe.batch_size
        ):
            loss = batch_loss(
                self.model, self.documents, self.examples, chosen, self.recipe, self.base
            )
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            losses.append(loss.detach() * len(chosen))
        self.model.eval()
        return float(torch.stack(losses).sum()) / len(self.examples)

    def state(self) -> dict[str, Any]:
        """Return all that the next pass depends on, but the examples."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])


def interpolate(first: IMRNN, tuned: IMRNN, share: float) -> IMRNN:
    """Return the model that lies `share` of the way from the first to the tuned weights."""
    start, model = first.state_dict(), copy.deepcopy(tuned)
    model.load_state_dict(
        {name: torch.lerp(start[name], value, share) for name, value in tuned.state_dict().items()}
    )
    return model.eval()
