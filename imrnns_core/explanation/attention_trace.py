"""Token outputs and attention inside the encoder, and how a score depends on them.

docs/method.md, "Explanations that hold up".
"""

from __future__ import annotations

import copy
import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import ExplanationError

ATTENTION = "imrnns_lens_traced"
MIN_ATTENTION_LEFT = 0.05
"""Smallest divisor when attention is scaled up to sum to one again. It bounds the scaling."""
_POOLINGS = ("mean", "cls")
_recorder = threading.local()
Pool = Callable[[Tensor, Tensor], Tensor]
"""(T, h) token outputs and (B, T) pooling weights → (B, n) embeddings."""
Scorer = Callable[[Tensor], Tensor]
"""(B, n) embeddings → (B, G) values of G targets, such as score and change."""
Gradients = list[tuple[Tensor, ...]]
"""For each of G targets, its gradient to the attention outputs of each layer, (1, H, T, c)."""


@dataclass(frozen=True)
class AttentionTrace:
    """One attention layer for one text of T tokens, with H heads of width c."""

    weights: Tensor  # (H, T, T) row: the token that reads, column: the token that is read
    totals: Tensor  # (H, T, 1) logarithm of the softmax denominator
    queries: Tensor  # (H, T, c) scaled
    keys: Tensor  # (H, T, c)
    values: Tensor  # (H, T, c)
    outputs: Tensor  # (1, H, T, c) weights @ values, part of the graph


@dataclass(frozen=True)
class Trace:
    """One encoder pass over one text.

    Attributes:
        spans: (T,) start and end of each token in the text; (0, 0) for special tokens.
        outputs: (T, h) last hidden states.
        attention: One trace per layer.
    """

    spans: list[tuple[int, int]]
    outputs: Tensor
    attention: list[AttentionTrace]


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    """Compute attention as the encoder does, and record it."""
    query = query * (query.size(-1) ** -0.5 if scaling is None else scaling)
    scores = query @ key.transpose(2, 3)
    scores = scores if attention_mask is None else scores + attention_mask
    weights = scores.softmax(-1)
    outputs = weights @ value  # (1, H, T, c)
    recorded, totals, *parts = (
        tensor[0].detach()
        for tensor in (weights, scores.logsumexp(-1, keepdim=True), query, key, value)
    )
    _recorder.layers.append(AttentionTrace(recorded, totals, parts[0], parts[1], parts[2], outputs))
    return outputs.transpose(1, 2).contiguous(), weights


class TracedEncoder:
    """A sentence-transformers encoder whose attention can be read.

    It shares its weights with the encoder.

    Raises:
        ExplanationError: The encoder is not a transformer with mean or CLS pooling, or its
            attention cannot be replaced.
    """

    def __init__(self, encoder: SentenceTransformerEncoder) -> None:
        self.encoder = encoder
        modules = list(encoder.model)
        name = encoder.spec.name
        transformer = getattr(modules[0], "auto_model", None)
        pooling = getattr(modules[1], "pooling_mode", None) if len(modules) > 1 else None
        if transformer is None or pooling not in _POOLINGS:
            raise ExplanationError(
                f"words cannot be explained for the encoder {name!r}: its pooling is "
                f"{pooling or 'unknown'}, and only {' and '.join(_POOLINGS)} pooling are "
                "supported; the score accounting is available"
            )
        from transformers import AttentionInterface  # takes seconds to import

        AttentionInterface.register(ATTENTION, _attend)
        shared = {id(t): t for t in [*transformer.parameters(), *transformer.buffers()]}
        self._original, self._model = transformer, copy.deepcopy(transformer, shared).eval()
        try:
            self._model.set_attn_implementation(ATTENTION)
        except (AttributeError, ValueError) as error:
            raise ExplanationError(
                f"words cannot be explained for the encoder {name!r}: its attention cannot be "
                f"read ({error})"
            ) from None
        self.pooling: str = pooling
        self._later_modules = modules[2:]

    @property
    def has_additive_pooling(self) -> bool:
        """True where an embedding is the mean of the token outputs, scaled to unit length.

        Only then can a score change be split over words.
        """
        return self.pooling == "mean" and all(
            type(module).__name__ == "Normalize" for module in self._later_modules
        )

    @property
    def has_absolute_positions(self) -> bool:
        """True where the encoder adds a vector for each position, and accepts position ids.

        Then deleting a word also changes all later tokens, because they shift.
        """
        table = getattr(getattr(self._model, "embeddings", None), "position_embeddings", None)
        return (
            table is not None
            and "position_ids" in inspect.signature(self._model.forward).parameters
        )

    def trace(self, text: str, shift: int = 0) -> Trace:
        """Encode a text and record every layer.

        Args:
            text: The text as it is formatted for the encoder.
            shift: Number of positions by which every token but the first is moved up, to earlier
                positions. If the text is cut off, this many more tokens are read. A shifted pass
                records no gradients.
        """
        tokens = self.encoder.tokens(text, self.encoder.max_tokens + shift)
        spans = [tuple(s) for s in tokens.pop("offset_mapping")[0].tolist()]
        embedded = self._model.get_input_embeddings()(tokens.pop("input_ids")).detach()
        tokens.pop("attention_mask")
        if shift:
            positions = torch.arange(len(spans))[None]
            tokens["position_ids"] = self._position_ids(
                torch.where(positions == 0, 0, (positions - shift).clamp_min(1))
            )
        _recorder.layers = []
        with torch.set_grad_enabled(not shift):
            outputs = self._model(
                inputs_embeds=embedded.requires_grad_(not shift), **tokens
            ).last_hidden_state[0]  # (T, h)
        layers, _recorder.layers = _recorder.layers, []
        return Trace(spans, outputs, layers)

    @torch.no_grad()
    def encode_masked(self, text: str, masked: Tensor) -> Tensor:
        """Return (B, n) embeddings of a text without its masked tokens, in one batch.

        A masked token is neither read nor pooled. Tokens after it get the positions that they
        would have without it, where the encoder accepts position ids (`has_absolute_positions`).

        Args:
            text: The text as it is formatted for the encoder.
            masked: (B, T) 1 for a masked token, else 0.
        """
        tokens = self.encoder.tokens(text, self.encoder.max_tokens)
        del tokens["offset_mapping"]
        visible = 1 - masked
        batch = {name: tensor.expand(len(masked), -1) for name, tensor in tokens.items()}
        batch["attention_mask"] = visible.long()
        if self.has_absolute_positions:
            batch["position_ids"] = self._position_ids((visible.long().cumsum(1) - 1).clamp_min(0))
        outputs = self._original(**batch).last_hidden_state  # (B, T, h)
        return torch.cat(
            [self.pool(row, weights[None]) for row, weights in zip(outputs, visible, strict=True)]
        )

    def _position_ids(self, positions: Tensor) -> Tensor:
        """Return the encoder's ids of positions (B, T) counted from 0.

        Some encoders start to count after the index of the padding token.
        """
        padding = self._model.embeddings.position_embeddings.padding_idx
        return positions if padding is None else positions + padding + 1

    def pool(self, outputs: Tensor, weights: Tensor) -> Tensor:
        """Return (B, n) embeddings, at the length that the encoder gives them.

        Args:
            outputs: (T, h) token outputs.
            weights: (B, T) weight of each token in the mean.
        """
        mean = weights @ outputs / weights.sum(1, keepdim=True).clamp_min(1.0)
        pooled = mean if self.pooling == "mean" else outputs[:1].expand(len(weights), -1)
        features = {"sentence_embedding": pooled}
        for module in self._later_modules:
            features = module(features)
        return torch.as_tensor(features["sentence_embedding"])


def attention_gradients(trace: Trace, scorer: Scorer, pool: Pool) -> Gradients:
    """Return the gradients of G targets to the attention outputs of each layer.

    Args:
        trace: The text.
        scorer: The targets.
        pool: Pooling at the length of the stored embeddings.
    """
    scores = scorer(pool(trace.outputs, torch.ones(1, len(trace.spans))))[0]  # (G,)
    outputs = [layer.outputs for layer in trace.attention]
    return [torch.autograd.grad(score, outputs, retain_graph=True) for score in scores]


def attention_drop(trace: Trace, gradients: Gradients, word_of_token: Tensor) -> Tensor:
    """Return (W, G) drops of G targets when no token reads a word any more.

    In every layer and head, the attention that a token pays to the word is removed, and the rest
    is scaled up to sum to one again. This changes the token's output by exactly
    (Σ_t p_t (o − v_t)) / (1 − Σ_t p_t). The gradient gives the effect on the target to first order.
    Gated occlusion (docs/method.md, "Explanations that hold up") is the same without the division.

    Args:
        trace: The text of T tokens.
        gradients: `attention_gradients` of the text.
        word_of_token: (T,) the word of each token, from 0; −1 for none.
    """
    count = int(word_of_token.max()) + 1
    remaining = (word_of_token[None, :] != torch.arange(count)[:, None]).float()  # (W, T)
    drops = torch.zeros(count, len(gradients))
    for i, layer in enumerate(trace.attention):
        weights = layer.weights.transpose(1, 2).contiguous()  # (H, T read, T reader)
        share = _sum_by_word(weights, word_of_token, count)  # (H, W, T) attention to each word
        factor = remaining / (1 - share).clamp_min(MIN_ATTENTION_LEFT)
        for g, layers in enumerate(gradients):
            gradient = layers[i][0]  # (H, T, c)
            read = _sum_by_word(
                weights * (layer.values @ gradient.transpose(1, 2)), word_of_token, count
            )  # (H, W, T) Σ_t∈word p_t g·v_t
            own = (gradient * layer.outputs[0].detach()).sum(-1)[:, None]  # (H, 1, T) g·o
            drops[:, g] += ((read - share * own) * factor).sum((0, 2))
    return drops


def _sum_by_word(values: Tensor, word_of_token: Tensor, count: int) -> Tensor:
    """Sum values (H, T, …) over the tokens of each word: (H, W, …)."""
    # the last row collects the tokens that belong to no word
    sums = values.new_zeros(values.shape[0], count + 1, *values.shape[2:])
    rows = torch.where(word_of_token < 0, count, word_of_token)
    return sums.index_add_(1, rows, values)[:, :count]
