"""Initial models that need no judgments: the identity, and whitening of the corpus."""

from __future__ import annotations

import torch
from torch import Tensor

from imrnns_core.config import AdapterConfig
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.training.config import PretrainConfig


def identity_adapter(dimension: int) -> IMRNN:
    """Return an adapter whose stages all rank as the base does, up to float32 rounding.

    A LayerNorm subtracts the mean of a vector, which removes one dimension. The projector therefore
    maps n to n + 1 dimensions, isometrically, onto the vectors with mean zero. Its columns come
    from the Householder reflection that maps the last axis to the direction (1, …, 1). All scales
    are ½ and all biases 0.
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
    """Set a square projector to a partial whitening of documents (N, n).

    Directions with high variance over the corpus get less weight, because they distinguish
    documents poorly. The shrinkage limits the weight of directions without variance, as in a corpus
    with fewer documents than dimensions. Full whitening: Su et al. 2021, "Whitening sentence
    representations", arXiv 2103.15316.

    Args:
        model: The model; its projector is changed in place.
        documents: (N, n) base embeddings.
        config: Power, shrinkage and centring.
        power: Replaces the power of `config`.
    """
    mean = documents.mean(0)
    centred = (documents - mean).double()
    variance, axes = torch.linalg.eigh(centred.T @ centred / len(documents))
    variance = variance.clamp_min(0)
    shrunk = (variance + config.shrinkage * variance.mean()).clamp_min(1e-12)
    weight = axes @ torch.diag(shrunk ** -(config.power if power is None else power)) @ axes.T
    # the Frobenius norm of the identity
    weight *= weight.shape[0] ** 0.5 / torch.linalg.matrix_norm(weight)
    model.projector.weight.copy_(weight)
    model.projector.bias.copy_(-config.centring * (weight.float() @ mean))
