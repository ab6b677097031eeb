"""Losses of the recipes; tensors in, a scalar out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.model.imrnn import IMRNN
from imrnns_core.model.scoring import closed_form
from imrnns_core.training.config import Recipe
from imrnns_core.training.examples import Examples


def base_scores(documents: Tensor, examples: Examples) -> Tensor:
    """Return (Q, K) base cosines of the queries with their documents."""
    queries = F.normalize(examples.vectors, dim=-1)
    pairs = zip(queries, examples.documents, strict=True)
    return torch.stack([F.normalize(documents[rows], dim=-1) @ query for query, rows in pairs])


def batch_loss(
    model: IMRNN,
    documents: Tensor,
    examples: Examples,
    chosen: Tensor,
    recipe: Recipe,
    base: Tensor | None = None,
) -> Tensor:
    """Return the loss of the queries `chosen` (B,), the mean over them.

    `base` are the base scores, for the improvement margin.
    """
    lists, relevant = examples.documents[chosen], examples.relevant[chosen]  # (B, K), (B, R)
    # (U,), (B, K + R)
    rows, local = torch.unique(torch.cat([lists, relevant], dim=1), return_inverse=True)
    lists, relevant = local[:, : lists.shape[1]], local[:, lists.shape[1] :]
    query = model.project(examples.vectors[chosen])  # (B, m)
    docs = model.project(documents[rows])  # (U, m)
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
        loss = _list_loss(scores, recipe, None if base is None else base[chosen])
    if recipe.neutrality:
        loss = loss + recipe.neutrality * (
            neutrality_penalty(scale, bias) + neutrality_penalty(*effect.chunk(2, dim=-1))
        )
    return loss


def _list_loss(scores: Tensor, recipe: Recipe, base: Tensor | None) -> Tensor:
    """Return the recipe's loss of (B, K) scores, the positive first."""
    if recipe.loss == "softmax":
        first = torch.zeros(len(scores), dtype=torch.long)
        return F.cross_entropy(scores / recipe.temperature, first)
    if recipe.loss == "margin":
        return hinge_margin(scores, recipe.margin)
    assert base is not None  # the improvement margin is against the base scores
    return improvement_margin(scores, base, recipe.margin)


def improvement_margin(scores: Tensor, base: Tensor, margin: float) -> Tensor:
    """Return mean relu(margin + base margin − modulated margin).

    Scores (B, 1 + negatives), the positive first.

    The reference package's loss: the modulated ranking must beat the base one by a margin, pair by
    pair.
    """
    return torch.relu(margin + (base[:, :1] - base[:, 1:]) - (scores[:, :1] - scores[:, 1:])).mean()


def hinge_margin(scores: Tensor, margin: float) -> Tensor:
    """Return mean max(0, margin − cos⁺ + cos⁻), the paper's loss.

    Scores (B, 1 + negatives), the positive first.
    """
    return torch.relu(margin - scores[:, :1] + scores[:, 1:]).mean()


def listwise(scores: Tensor, positive: Tensor, temperature: float) -> Tensor:
    """Return the mean cross-entropy of softmax(scores / temperature), positives (B, U) bool.

    The positives have equal shares.
    """
    likelihood = torch.log_softmax(scores / temperature, dim=1)
    return -((likelihood * positive).sum(1) / positive.sum(1)).mean()


def neutrality_penalty(scale: Tensor, bias: Tensor) -> Tensor:
    """Return how far the mean of scales and biases (B, m) lies from neutral (½, 0).

    What is the same for every query.
    """
    return 4 * ((scale.mean(0) - 0.5) ** 2).sum() + (bias.mean(0) ** 2).sum()
