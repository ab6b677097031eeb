"""One training loop for all recipes. Tensors in, a mean loss an epoch out; nothing is read and nothing is printed.

A step is cheap without changing its maths: each document of a batch passes projector and document adapter
once, however many queries share it, and scores come from the closed form (METHOD, "Scoring a whole corpus
in closed form"), so that no modulated document is ever made.

Shapes: B queries, K documents of a query, U different documents in a batch, m working dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.adapter import IMRNN
from imrnns_core.config import Recipe
from imrnns_core.examples import Examples
from imrnns_core.scoring import closed_form


class Fit:
    """One optimiser at work on a model, in place. Iterate for ever: each step is a pass over the examples, its mean loss.

    Args:
        model: The adapter.
        documents: (N, n) base embeddings that the rows of the examples point to.
        examples: The queries.
        recipe: Loss, optimiser and what may change.
        seed: Of the order of the examples.
    """

    def __init__(self, model: IMRNN, documents: Tensor, examples: Examples, recipe: Recipe, seed: int) -> None:
        self.model, self.documents, self.examples, self.recipe = model, documents, examples, recipe
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not recipe.modulation_only or "adapter" in name)
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(trained, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
        self.base = base_scores(documents, examples) if recipe.loss == "improvement" else None  # the same in every pass
        self.generator = torch.Generator().manual_seed(seed)

    def __iter__(self) -> Iterator[float]:
        return self

    def __next__(self) -> float:
        self.model.train()
        losses = []
        for chosen in torch.split(torch.randperm(len(self.examples), generator=self.generator), self.recipe.batch_size):
            loss = batch_loss(self.model, self.documents, self.examples, chosen, self.recipe, self.base)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            losses.append(loss.detach() * len(chosen))
        self.model.eval()
        return float(torch.stack(losses).sum()) / len(self.examples)

    def state(self) -> dict[str, Any]:
        """Return all that the next pass depends on, but the examples."""
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "generator": self.generator.get_state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])


def base_scores(documents: Tensor, examples: Examples) -> Tensor:
    """Return (Q, K) base cosines of the queries with their documents."""
    queries = F.normalize(examples.vectors, dim=-1)
    pairs = zip(queries, examples.documents, strict=True)
    return torch.stack([F.normalize(documents[rows], dim=-1) @ query for query, rows in pairs])


def batch_loss(model: IMRNN, documents: Tensor, examples: Examples, chosen: Tensor, recipe: Recipe, base: Tensor | None = None) -> Tensor:
    """Return the loss of the queries `chosen` (B,), the mean over them; `base` are the base scores, for the improvement margin."""
    lists, relevant = examples.documents[chosen], examples.relevant[chosen]  # (B, K), (B, R)
    rows, local = torch.unique(torch.cat([lists, relevant], dim=1), return_inverse=True)  # (U,), (B, K + R)
    lists, relevant = local[:, : lists.shape[1]], local[:, lists.shape[1] :]
    query, docs = model.project(examples.vectors[chosen]), model.project(documents[rows])  # (B, m), (U, m)
    effect = torch.cat(model.document_adapter(docs), dim=-1)  # (U, 2m)
    mean_scale, mean_bias = F.embedding_bag(lists, effect, mode="mean").chunk(2, dim=-1)
    target = F.normalize(model.refine_query(query, mean_scale, mean_bias), dim=-1)
    scale, bias = model.query_adapter(query)
    if recipe.negatives_from == "batch":
        scores = closed_form(model, docs.T, (docs * docs).T, scale, bias, target)  # (B, U)
        positive = torch.zeros_like(scores, dtype=torch.bool).scatter_(1, relevant, True)
        loss = listwise(scores, positive, recipe.temperature)
    else:
        own = F.embedding(lists, docs).transpose(1, 2)  # (B, m, K)
        scores = closed_form(model, own, own * own, scale, bias, target)  # (B, K)
        if recipe.loss == "softmax":
            loss = F.cross_entropy(scores / recipe.temperature, torch.zeros(len(scores), dtype=torch.long))
        elif recipe.loss == "margin":
            loss = hinge_margin(scores, recipe.margin)
        else:
            assert base is not None
            loss = improvement_margin(scores, base[chosen], recipe.margin)
    if recipe.neutrality:
        loss = loss + recipe.neutrality * (departure(scale, bias) + departure(*effect.chunk(2, dim=-1)))
    return loss


def improvement_margin(scores: Tensor, base: Tensor, margin: float) -> Tensor:
    """Return mean relu(margin + base margin − modulated margin); scores (B, 1 + negatives), the positive first.

    The reference package's loss: the modulated ranking must beat the base one by a margin, pair by pair.
    """
    return torch.relu(margin + (base[:, :1] - base[:, 1:]) - (scores[:, :1] - scores[:, 1:])).mean()


def hinge_margin(scores: Tensor, margin: float) -> Tensor:
    """Return mean max(0, margin − cos⁺ + cos⁻), the paper's loss; scores (B, 1 + negatives), the positive first."""
    return torch.relu(margin - scores[:, :1] + scores[:, 1:]).mean()


def listwise(scores: Tensor, positive: Tensor, temperature: float) -> Tensor:
    """Return the mean cross-entropy of softmax(scores / temperature) with equal shares for the positives, (B, U) bool."""
    likelihood = torch.log_softmax(scores / temperature, dim=1)
    return -((likelihood * positive).sum(1) / positive.sum(1)).mean()


def departure(scale: Tensor, bias: Tensor) -> Tensor:
    """Return how far the mean of scales and biases (B, m) lies from neutral (½, 0): what is the same for every query."""
    return 4 * ((scale.mean(0) - 0.5) ** 2).sum() + (bias.mean(0) ** 2).sum()
