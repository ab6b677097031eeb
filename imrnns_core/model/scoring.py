"""Scores of candidates at all four stages, and scores of a whole corpus in closed form.

Shapes: N documents in the corpus, B queries, K candidates, n encoder and m working dimensions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.model.corpus_transform import Transform, take
from imrnns_core.model.imrnn import IMRNN, feedback_weights

QUERY_BATCH = 16  # 16 × 100 × 384 floats stay in the processor's cache; 50 is 1.8 times slower


@torch.inference_mode()
def score_base(base: Tensor, queries: Tensor, rows: Tensor) -> Tensor:
    """Return (B, 1, K) dot products of queries (B, n) with the rows (B, K) of `base` (N, n)."""
    batches = []
    for i in range(0, len(queries), QUERY_BATCH):
        documents = take(base, rows[i : i + QUERY_BATCH])
        # (B, 1, n) @ (B, n, K) is six times faster than (B, K, n) @ (B, n, 1)
        batches.append(
            torch.bmm(queries[i : i + QUERY_BATCH].unsqueeze(1), documents.transpose(1, 2))
        )
    return torch.cat(batches)


@torch.inference_mode()
def score_candidates(
    model: IMRNN,
    corpus: Transform,
    base: Tensor,
    queries: Tensor,
    rows: Tensor,
    feedback: Tensor | None = None,
    base_rows: Tensor | None = None,
) -> Tensor:
    """Return (B, 4, K) scores (cosines) of the candidates at the four stages.

    Args:
        model: The adapter.
        corpus: Its transform of the corpus.
        base: (N, n) base embeddings, unit length; of equal ones, one is enough with `base_rows`.
        queries: (B, n) base embeddings.
        rows: (B, K) corpus rows of the candidates.
        feedback: (B, K) True for the candidates that refine the query; None means all.
        base_rows: (B, K) rows of the candidates in `base`; None means `rows`.
    """
    weights = None if feedback is None else feedback_weights(feedback)
    stored = rows if base_rows is None else base_rows
    base_score = score_base(base, F.normalize(queries, dim=-1), stored)
    batches = [
        _score_batch(
            model,
            corpus,
            queries[i : i + QUERY_BATCH],
            rows[i : i + QUERY_BATCH],
            weights if weights is None else weights[i : i + QUERY_BATCH],
        )
        for i in range(0, len(queries), QUERY_BATCH)
    ]
    return torch.cat([base_score, torch.cat(batches)], dim=1).clamp(-1.0, 1.0)


def _score_batch(
    model: IMRNN,
    corpus: Transform,
    queries: Tensor,
    rows: Tensor,
    weights: Tensor | None,
) -> Tensor:
    query = model.project(queries)  # (B, m)
    documents = corpus.documents(rows)  # (B, K, m)
    modulated = model.modulate_documents(documents, *model.query_adapter(query))  # (B, K, m)
    refined = refine(model, corpus, query, rows, weights)  # (B, m)
    projected_score = torch.bmm(query.unsqueeze(1), documents.transpose(1, 2))
    both = torch.bmm(torch.stack([query, refined], dim=1), modulated.transpose(1, 2))  # (B, 2, K)
    both /= (
        torch.linalg.vector_norm(modulated, dim=-1).clamp_min(1e-12).unsqueeze(1)
    )  # a vector of zeros scores 0
    return torch.cat([projected_score, both], dim=1)


def refine(
    model: IMRNN,
    corpus: Transform,
    query: Tensor,
    rows: Tensor,
    weights: Tensor | None = None,
) -> Tensor:
    """Return refined queries (B, m), unit vectors.

    Args:
        model: The adapter.
        corpus: Its transform of the corpus.
        query: (B, m) projected queries.
        rows: (B, K) corpus rows of the candidates.
        weights: (B, K) weights of the feedback documents, which sum to 1; None means equal weights.
    """
    mean_scale, mean_bias = corpus.mean_effect(rows, weights).chunk(2, dim=-1)
    return F.normalize(model.refine_query(query, mean_scale, mean_bias), dim=-1)


@torch.inference_mode()
def score_modulated(
    model: IMRNN, corpus: Transform, rows: Tensor, query: Tensor, target: Tensor
) -> Tensor:
    """Return (B, R) cosines of `target` with some documents modulated by `query`.

    Args:
        model: The adapter.
        corpus: Its transform of the corpus.
        rows: (B, R) corpus rows of the documents.
        query: (B, m) projected queries, which modulate the documents.
        target: (B, m) unit vectors to compare with, such as the refined queries.
    """
    scores = torch.empty(rows.shape)
    scale, bias = model.query_adapter(query)
    for i in range(0, len(rows), QUERY_BATCH):
        own = slice(i, i + QUERY_BATCH)
        documents = corpus.documents(rows[own])  # (b, R, m)
        modulated = model.modulate_documents(documents, scale[own], bias[own])
        dot = torch.bmm(target[own].unsqueeze(1), modulated.transpose(1, 2)).squeeze(1)
        # a vector of zeros scores 0
        scores[own] = dot / torch.linalg.vector_norm(modulated, dim=-1).clamp_min(1e-12)
    return scores.clamp(-1.0, 1.0)


@torch.inference_mode()
def score_corpus(model: IMRNN, corpus: Transform, query: Tensor, target: Tensor) -> Tensor:
    """Return (B, N) cosines of `target` with every document modulated by `query`.

    The closed form does not compute the modulated documents. The corpus is read in blocks, so its
    projected documents can be memory-mapped, also in float16.

    Args:
        model: The adapter.
        corpus: Its transform of the corpus.
        query: (B, m) projected queries, which modulate the documents.
        target: (B, m) unit vectors to compare with: the refined query, or the projected one.
    """
    scale, bias = model.query_adapter(query)
    scores = torch.empty(len(query), len(corpus))
    for block, projected in corpus.blocks():
        documents = projected.T  # (m, block)
        scores[:, block] = closed_form(model, documents, documents * documents, scale, bias, target)
    return scores.clamp_(-1.0, 1.0)


def closed_form(
    model: IMRNN, documents: Tensor, squares: Tensor, scale: Tensor, bias: Tensor, target: Tensor
) -> Tensor:
    """Return cosines (B, K) of `target` with LN_d(scale ∘ d + bias) for K documents d.

    `documents` are (m, K), the same for all queries, or (B, m, K); `squares` are their squares.
    `scale`, `bias` and the unit vectors `target` are (B, m). LN_d is the model's. Source:
    docs/method.md, "The score of a whole corpus in closed form".
    """
    norm = model.document_norm
    gamma, beta, m = norm.weight, norm.bias, scale.shape[1]
    g2, gs = gamma * gamma, gamma * scale
    linear = torch.stack(
        [scale, scale * bias, g2 * scale, gs * gamma * bias, beta * gs, target * gs], dim=1
    )  # (B, 6, m)
    a1, a2, a3, a4, a5, a6 = (linear @ documents).unbind(1)  # (B, K) each
    c1, c2 = (torch.stack([scale * scale, gs * gs], dim=1) @ squares).unbind(1)

    def total(x: Tensor) -> Tensor:
        return x.sum(-1, keepdim=True)

    # mean and standard deviation of scale ∘ d + bias inside the LayerNorm
    mean = (a1 + total(bias)) / m
    variance = (c1 + 2 * a2 + total(bias * bias)) / m - mean * mean + norm.eps
    std = variance.clamp_min(norm.eps).sqrt()
    numerator = a6 + total(target * gamma * bias) - mean * total(target * gamma)
    numerator = numerator + std * total(target * beta)
    squared = (
        c2
        + 2 * a4
        + total(g2 * bias * bias)
        - 2 * mean * (a3 + total(g2 * bias))
        + mean * mean * g2.sum()
        + 2 * std * (a5 + total(gamma * beta * bias) - mean * (gamma * beta).sum())
        + std * std * (beta * beta).sum()
    )
    return numerator / squared.clamp_min(1e-12).sqrt()
