"""Initial models that need no judgments: the identity, and whitening of the corpus."""

from __future__ import annotations

import torch
from torch import Tensor

from imrnns_core.config import AdapterConfig
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.training.config import PretrainConfig


def identity_adapter(dimension: int) -> IMRNN:
    """Return the adapter whose every stage ranks as the base does, to float32 rounding.

    A LayerNorm takes the mean of a vector away, and so one of its dimensions. The projector
    therefore maps n → n + 1 dimensions, isometrically, onto the vectors whose mean is zero (columns
    of the Householder reflection that takes the last axis to (1, …, 1)); all scales are ½, all
    biases 0.
    """
    model = IMRNN(AdapterConfig(dimension, dimension + 1))
    m = dimension + 1
    normal = torch.full((m,), -(m**-0.5), dtype=torch.float64)
    normal[-1] += 1.0
    reflection = torch.eye(m, dtype=torch.float64) - 2 * torch.outer(normal, normal) / (
        normal @ normal
    )
    with torch.no_grad():
        model.projector.weight.copy_(reflection[:, :dimension])
        for adapter in (model.query_adapter, model.document_adapter):
            for parameter in adapter.parameters():
                parameter.zero_()
    return model


@torch.no_grad()
def whiten(
    model: IMRNN, documents: Tensor, config: PretrainConfig, power: float | None = None
) -> None:
    """Set a square projector to the soft whitening of (N, n) documents.

    Directions in which all documents spread tell little about one of them: they count less. The
    shrinkage keeps directions without spread, as in a corpus smaller than its dimensions, from
    being blown up. (A half-way form of Su et al. 2021, "Whitening sentence representations", arXiv
    2103.15316.)
    """
    mean = documents.mean(0)
    centred = (documents - mean).double()
    variance, axes = torch.linalg.eigh(centred.T @ centred / len(documents))
    variance = variance.clamp_min(0)
    shrunk = (variance + config.shrinkage * variance.mean()).clamp_min(1e-12)
    weight = axes @ torch.diag(shrunk ** -(config.power if power is None else power)) @ axes.T
    weight *= weight.shape[0] ** 0.5 / torch.linalg.matrix_norm(weight)
    model.projector.weight.copy_(weight)
    model.projector.bias.copy_(-config.centring * (weight.float() @ mean))
