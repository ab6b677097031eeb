"""The IMRNN: two small adapter networks on top of a frozen retriever.

Source: Saxena et al., Findings of EACL 2026, section 3.1; docs/method.md, "The two adapters".

Shapes: B queries, K candidates, n encoder dimensions, m working dimensions.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrnns_core.config import AdapterConfig
from imrnns_core.model.modulation import Modulation

INIT_STD = 0.01  # as in the reference package: initial scales are about ½ and biases about 0


def feedback_weights(feedback: Tensor) -> Tensor:
    """Return equal weights (…, K) of the feedback documents, which sum to 1.

    `feedback` (…, K) is True for the candidates that refine the query.
    """
    weights = feedback if feedback.is_floating_point() else feedback.float()
    return weights / feedback.sum(-1, keepdim=True)


class HyperNet(nn.Module):
    """MLP from an embedding (…, m) to a scale in (0, 1) and a bias in (−1, 1), both (…, m)."""

    def __init__(self, config: AdapterConfig, hidden_dims: tuple[int, int] | None = None) -> None:
        super().__init__()
        m, (wide, narrow) = config.output_dim, hidden_dims or config.hidden_dims
        self.layers = nn.Sequential(
            nn.Linear(m, wide),
            nn.ReLU(),
            nn.Linear(wide, narrow),
            nn.ReLU(),
            nn.Linear(narrow, 2 * m),
        )
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=INIT_STD)
                nn.init.zeros_(layer.bias)

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Return scale and bias (…, m) for embeddings (…, m)."""
        scale, bias = self.layers(embedding).chunk(2, dim=-1)
        return torch.sigmoid(scale), torch.tanh(bias)


class IMRNN(nn.Module):
    """Projector, query adapter A_q, document adapter A_d and the two LayerNorms."""

    def __init__(self, config: AdapterConfig) -> None:
        super().__init__()
        self.config = config
        self.projector = nn.Linear(config.input_dim, config.output_dim)
        self.query_adapter = HyperNet(config, config.query_hidden_dims)  # moves documents
        self.document_adapter = HyperNet(config)  # refines the query
        self.query_norm = nn.LayerNorm(config.output_dim)
        self.document_norm = nn.LayerNorm(config.output_dim)
        with torch.no_grad():
            self.projector.bias.zero_()
            if config.input_dim == config.output_dim:
                self.projector.weight.copy_(torch.eye(config.input_dim))
            else:
                nn.init.orthogonal_(self.projector.weight)

    def project(self, embeddings: Tensor) -> Tensor:
        """Return norm(P x): (…, n) → (…, m)."""
        return F.normalize(self.projector(embeddings), dim=-1)

    def modulate_documents(self, documents: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
        """Return LN_d(s_q ∘ d_p + b_q) (B, K, m) for projected documents, scale and bias (B, m)."""
        shifted = torch.addcmul(bias.unsqueeze(1), documents, scale.unsqueeze(1))  # (B, K, m)
        return self.document_norm(shifted)  # type: ignore[no-any-return]

    def refine_query(self, query: Tensor, mean_scale: Tensor, mean_bias: Tensor) -> Tensor:
        """Return LN_q(s̄ ∘ q_p + b̄), all (B, m); the means are over the feedback documents."""
        return self.query_norm(mean_scale * query + mean_bias)  # type: ignore[no-any-return]

    def forward(
        self, queries: Tensor, documents: Tensor, feedback: Tensor | None = None
    ) -> Modulation:
        """Return all vectors of the four stages.

        Args:
            queries: (B, n) base embeddings.
            documents: (B, K, n) base embeddings of the candidates.
            feedback: (B, K) True for the candidates that refine the query; None means all.
        """
        query, docs = self.project(queries), self.project(documents)
        query_scale, query_bias = self.query_adapter(query)
        document_scale, document_bias = self.document_adapter(docs)  # (B, K, m)
        if feedback is None:
            mean_scale, mean_bias = document_scale.mean(1), document_bias.mean(1)
        else:
            weights = feedback_weights(feedback)
            mean_scale, mean_bias = (
                torch.einsum("bk,bkm->bm", weights, x) for x in (document_scale, document_bias)
            )
        return Modulation(
            query=F.normalize(queries, dim=-1),
            documents=F.normalize(documents, dim=-1),
            query_length=torch.linalg.vector_norm(queries, dim=-1),
            document_length=torch.linalg.vector_norm(documents, dim=-1),
            projected_query=query,
            projected_documents=docs,
            query_scale=query_scale,
            query_bias=query_bias,
            document_scale=document_scale,
            document_bias=document_bias,
            modulated_query=F.normalize(self.refine_query(query, mean_scale, mean_bias), dim=-1),
            modulated_documents=F.normalize(
                self.modulate_documents(docs, query_scale, query_bias), dim=-1
            ),
        )


@torch.no_grad()
def untrained_model(config: AdapterConfig, seed: int) -> IMRNN:
    """Return the model that `torch.manual_seed(seed)` and `IMRNN(config)` would give.

    A generator of its own keeps the global random state unchanged, which other threads use.
    """
    model, generator = IMRNN(config), torch.Generator().manual_seed(seed)

    # the draws of `nn.Linear` are repeated, so that the generator advances as the global one would
    def draw_as_torch_does(layer: nn.Linear) -> None:
        nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
        layer.bias.uniform_(
            -1 / math.sqrt(layer.in_features), 1 / math.sqrt(layer.in_features), generator=generator
        ).zero_()

    draw_as_torch_does(model.projector)
    for network in (model.query_adapter, model.document_adapter):
        layers = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
        for layer in layers:
            draw_as_torch_does(layer)
        for layer in layers:
            nn.init.normal_(layer.weight, std=INIT_STD, generator=generator)
    if config.input_dim == config.output_dim:
        model.projector.weight.copy_(torch.eye(config.input_dim))
    else:
        nn.init.orthogonal_(model.projector.weight, generator=generator)
    return model
