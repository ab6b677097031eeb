"""Loss functions of the recipes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.model.imrnn import IMRNN
from imrnns_core.model.scoring import closed_form
from imrnns_core.training.config import Recipe
from imrnns_core.training.examples import Examples


def base_scores(documents: Tensor, examples: Examples) -> Tensor:
    """Return (Q, K) base scores of the queries with their documents, from (N, n) embeddings."""
    queries = F.normalize(examples.vectors, dim=-1)
    pairs = zip(queries, examples.documents, strict=True)
    return torch.stack([F.normalize(documents[rows], dim=-1) @ query for query, rows in pairs])


def batch_loss(
    model: IMRNN,
    documents: Tensor,
    examples: Examples,
    batch: Tensor,
    recipe: Recipe,
    base: Tensor | None = None,
) -> Tensor:
    """Return the mean loss of an adapter over a batch of queries.

    Args:
        model: The adapter.
        documents: (N, n) base embeddings of the corpus.
        examples: The training queries.
        batch: (B,) positions of the batch in the examples.
        recipe: The loss and its settings.
        base: (Q, K) base scores of the examples; only the improvement margin needs them.
    """
    lists, relevant = examples.documents[batch], examples.relevant[batch]  # (B, K), (B, R)
    # each document is projected once per batch: rows (U,), local (B, K + R)
    rows, local = torch.unique(torch.cat([lists, relevant], dim=1), return_inverse=True)
    lists, relevant = local[:, : lists.shape[1]], local[:, lists.shape[1] :]
    query = model.project(examples.vectors[batch])  # (B, m)
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
        loss = _list_loss(scores, recipe, None if base is None else base[batch])
    if recipe.neutrality:
        penalty = neutrality_penalty(scale, bias) + neutrality_penalty(*effect.chunk(2, dim=-1))
        loss = loss + recipe.neutrality * penalty
    return loss


def _list_loss(scores: Tensor, recipe: Recipe, base: Tensor | None) -> Tensor:
    """Return the recipe's loss of scores (B, K), with the positive in column 0."""
    if recipe.loss == "softmax":
        first = torch.zeros(len(scores), dtype=torch.long)
        return F.cross_entropy(scores / recipe.temperature, first)
    if recipe.loss == "margin":
        return hinge_margin(scores, recipe.margin)
    assert base is not None  # TrainingLoop computes them for the improvement margin
    return improvement_margin(scores, base, recipe.margin)


def improvement_margin(scores: Tensor, base: Tensor, margin: float) -> Tensor:
    """Return mean relu(margin + base margin − modulated margin), the reference package's loss.

    Each modulated margin must exceed the base margin of the same pair. `scores` and `base` are
    (B, 1 + negatives), with the positive in column 0.
    """
    return torch.relu(margin + (base[:, :1] - base[:, 1:]) - (scores[:, :1] - scores[:, 1:])).mean()


def hinge_margin(scores: Tensor, margin: float) -> Tensor:
    """Return mean max(0, margin − cos⁺ + cos⁻), the paper's loss (section 3.2).

    `scores` are (B, 1 + negatives), with the positive in column 0.
    """
    return torch.relu(margin - scores[:, :1] + scores[:, 1:]).mean()


def listwise(scores: Tensor, positive: Tensor, temperature: float) -> Tensor:
    """Return the mean cross-entropy between softmax(scores / temperature) and the positives.

    `scores` are (B, U). The positives, where `positive` (B, U) is True, have equal target
    probability.
    """
    log_probability = torch.log_softmax(scores / temperature, dim=1)
    return -((log_probability * positive).sum(1) / positive.sum(1)).mean()


def neutrality_penalty(scale: Tensor, bias: Tensor) -> Tensor:
    """Return the squared distance of the mean scale and bias from neutral, ½ and 0.

    `scale` and `bias` are (B, m). The mean is the part of the modulation that all queries share.
    """
    return 4 * ((scale.mean(0) - 0.5) ** 2).sum() + (bias.mean(0) ** 2).sum()
