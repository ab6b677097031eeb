"""The training loop of an adapter over batches of examples."""

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
    """Endless iterator that trains a model in place: each step is one epoch, and its mean loss.

    Args:
        model: The adapter.
        documents: (N, n) base embeddings of the corpus.
        examples: The training queries.
        recipe: Loss, settings of the optimiser and frozen parameters.
        seed: Seed of the order of the examples.
    """

    def __init__(
        self, model: IMRNN, documents: Tensor, examples: Examples, recipe: Recipe, seed: int
    ) -> None:
        self.model, self.documents, self.examples, self.recipe = model, documents, examples, recipe
        for name, parameter in model.named_parameters():
            # only the names of the two adapters contain "adapter"
            parameter.requires_grad_(not recipe.modulation_only or "adapter" in name)
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(
            trained, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        # base scores never change, so they are computed once
        self.base = base_scores(documents, examples) if recipe.loss == "improvement" else None
        self.generator = torch.Generator().manual_seed(seed)

    def __iter__(self) -> Iterator[float]:
        return self

    def __next__(self) -> float:
        self.model.train()
        losses = []
        for batch in torch.split(
            torch.randperm(len(self.examples), generator=self.generator), self.recipe.batch_size
        ):
            loss = batch_loss(
                self.model, self.documents, self.examples, batch, self.recipe, self.base
            )
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            losses.append(loss.detach() * len(batch))
        self.model.eval()
        return float(torch.stack(losses).sum()) / len(self.examples)

    def state(self) -> dict[str, Any]:
        """Return the state of model, optimiser and random generator."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])


def interpolate(initial: IMRNN, trained: IMRNN, share: float) -> IMRNN:
    """Return a model with the weights (1 − share) · initial + share · trained."""
    weights, model = initial.state_dict(), copy.deepcopy(trained)
    model.load_state_dict(
        {
            name: torch.lerp(weights[name], value, share)
            for name, value in trained.state_dict().items()
        }
    )
    return model.eval()
