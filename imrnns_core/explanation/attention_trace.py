"""The encoder seen from inside: token outputs, attention and what a target owes to them.

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
"""A reader that pays nearly all its attention to one word would be scaled up without bound."""
_POOLINGS = ("mean", "cls")
_recorder = threading.local()
Pool = Callable[[Tensor, Tensor], Tensor]
"""(T, h) token outputs, (B, T) their weights in the mean → (B, n) embeddings."""
Target = Callable[[Tensor], Tensor]
"""(B, n) embeddings → (B, G) scores."""
Gradients = list[tuple[Tensor, ...]]
"""For each of G scores, its gradient to the attention outputs of each layer, (1, H, T, c)."""


@dataclass(frozen=True)
class AttentionTrace:
    """One attention layer of one text of T tokens, H heads of width c."""

    weights: Tensor  # (H, T, T) row: the token that reads, column: the token that is read
    totals: Tensor  # (H, T, 1) logarithm of what the softmax divides by
    queries: Tensor  # (H, T, c) scaled
    keys: Tensor  # (H, T, c)
    values: Tensor  # (H, T, c)
    outputs: Tensor  # (1, H, T, c) weights @ values, part of the graph


@dataclass(frozen=True)
class Trace:
    """One text on its way through the encoder.

    Attributes:
        spans: (T,) start and end of each token in the text; (0, 0) for special tokens.
        outputs: (T, h) last hidden states.
        attention: One per layer.
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
    query = query * (query.size(-1) ** -0.5 if scaling is None else scaling)
    scores = query @ key.transpose(2, 3)
    scores = scores if attention_mask is None else scores + attention_mask
    weights = scores.softmax(-1)
    outputs = weights @ value  # (1, H, T, c)
    seen, totals, *parts = (
        tensor[0].detach()
        for tensor in (weights, scores.logsumexp(-1, keepdim=True), query, key, value)
    )
    _recorder.layers.append(AttentionTrace(seen, totals, parts[0], parts[1], parts[2], outputs))
    return outputs.transpose(1, 2).contiguous(), weights


class TracedEncoder:
    """A sentence-transformers encoder whose attention can be read.

    Weights are shared with the encoder.

    Raises ExplanationError for an encoder whose parts are not a transformer, a mean or CLS pooling,
    and layers after it, or whose attention cannot be replaced.
    """

    def __init__(self, encoder: SentenceTransformerEncoder) -> None:
        self.encoder = encoder
        modules = list(encoder.model)
        name = encoder.spec.name
        transformer = getattr(modules[0], "auto_model", None)
        pooling = getattr(modules[1], "pooling_mode", None) if len(modules) > 1 else None
        if transformer is None or pooling not in _POOLINGS:
            raise ExplanationError(
                f"words cannot be explained for the encoder {name!r}: it pools by "
                f"{pooling or 'something unknown'}, "
                f"and only {' and '.join(_POOLINGS)} pooling can be taken apart; the score "
                "accounting is available"
            )
        from transformers import AttentionInterface  # seconds to import: not before it is needed

        AttentionInterface.register(ATTENTION, _attend)
        shared = {id(t): t for t in [*transformer.parameters(), *transformer.buffers()]}
        self._whole, self._model = transformer, copy.deepcopy(transformer, shared).eval()
        try:
            self._model.set_attn_implementation(ATTENTION)
        except (AttributeError, ValueError) as error:
            raise ExplanationError(
                f"words cannot be explained for the encoder {name!r}: its attention cannot be "
                f"read ({error})"
            ) from None
        self.pooling: str = pooling
        self._tail = modules[2:]

    @property
    def sums(self) -> bool:
        """True where an embedding is the plain mean of token outputs, at unit length.

        Then accounts per word exist.
        """
        return self.pooling == "mean" and all(
            type(module).__name__ == "Normalize" for module in self._tail
        )

    @property
    def places(self) -> bool:
        """True where the encoder adds a vector to each token for its place, which can be asked for.

        Then words that move change.
        """
        table = getattr(getattr(self._model, "embeddings", None), "position_embeddings", None)
        return (
            table is not None
            and "position_ids" in inspect.signature(self._model.forward).parameters
        )

    def trace(self, text: str, earlier: int = 0) -> Trace:
        """Encode a text (as formatted for the encoder) and keep what happened.

        With `earlier`, every token but the first stands so many places earlier than it does, so
        that as many more are read of a text that is cut off; this pass is no part of a graph.
        """
        tokens = self.encoder.tokens(text, self.encoder.max_tokens + earlier)
        spans = [tuple(s) for s in tokens.pop("offset_mapping")[0].tolist()]
        embedded = self._model.get_input_embeddings()(tokens.pop("input_ids")).detach()
        tokens.pop("attention_mask")
        if earlier:
            place = torch.arange(len(spans))[None]
            tokens["position_ids"] = self._place_ids(
                torch.where(place == 0, 0, (place - earlier).clamp_min(1))
            )
        _recorder.layers = []
        with torch.set_grad_enabled(not earlier):
            outputs = self._model(
                inputs_embeds=embedded.requires_grad_(not earlier), **tokens
            ).last_hidden_state[0]  # (T, h)
        layers, _recorder.layers = _recorder.layers, []
        return Trace(spans, outputs, layers)

    @torch.no_grad()
    def hide(self, text: str, hidden: Tensor) -> Tensor:
        """Return (B, n) embeddings of a text with some tokens hidden, hidden (B, T) of 0 and 1.

        A hidden token is neither read nor pooled; all B passes are one batch.

        Tokens after a hidden one stand where they would without it, if the encoder can be told so
        (`places`).
        """
        tokens = self.encoder.tokens(text, self.encoder.max_tokens)
        del tokens["offset_mapping"]
        kept = 1 - hidden
        batch = {name: tensor.expand(len(hidden), -1) for name, tensor in tokens.items()}
        batch["attention_mask"] = kept.long()
        if self.places:
            batch["position_ids"] = self._place_ids((kept.long().cumsum(1) - 1).clamp_min(0))
        outputs = self._whole(**batch).last_hidden_state  # (B, T, h)
        return torch.cat(
            [self.pool(row, keep[None]) for row, keep in zip(outputs, kept, strict=True)]
        )

    def _place_ids(self, places: Tensor) -> Tensor:
        """Return the position ids of places counted from 0.

        Some encoders count them from behind a padding index on.
        """
        padding = self._model.embeddings.position_embeddings.padding_idx
        return places if padding is None else places + padding + 1

    def pool(self, outputs: Tensor, kept: Tensor) -> Tensor:
        """Return (B, n) embeddings of a text with only some tokens pooled, kept (B, T).

        They are as long as the model makes them.
        """
        mean = kept @ outputs / kept.sum(1, keepdim=True).clamp_min(1.0)
        pooled = mean if self.pooling == "mean" else outputs[:1].expand(len(kept), -1)
        features = {"sentence_embedding": pooled}
        for module in self._tail:
            features = module(features)
        return torch.as_tensor(features["sentence_embedding"])


def gradients(trace: Trace, target: Target, pool: Pool) -> Gradients:
    """Return how G targets of a text change with what its tokens read.

    `pool` at the length that is scored.
    """
    scores = target(pool(trace.outputs, torch.ones(1, len(trace.spans))))[0]  # (G,)
    outputs = [layer.outputs for layer in trace.attention]
    return [torch.autograd.grad(score, outputs, retain_graph=True) for score in scores]


def attention_drop(trace: Trace, slopes: Gradients, words: Tensor) -> Tensor:
    """Return (W, G) what G targets lose when no token reads a word any more.

    It is of first order in what the readers output.

    In every layer and head, the attention a reader pays to the word's tokens is taken away and its
    other attention
    scaled up to sum to one again: its output changes by (Σ_t p_t (o − v_t)) / (1 − Σ_t p_t),
    exactly; the target follows by its gradient to the output. Gated occlusion (docs/method.md,
    "Explanations that hold up") is this without the division, their derivative at 1.

    Args:
        trace: The text.
        slopes: `gradients` of the text.
        words: (T,) the word that a token belongs to, from 0; -1 for none.
    """
    count = int(words.max()) + 1
    others = (words[None, :] != torch.arange(count)[:, None]).float()  # (W, T) readers that stay
    drops = torch.zeros(count, len(slopes))
    for i, layer in enumerate(trace.attention):
        weights = layer.weights.transpose(1, 2).contiguous()  # (H, T read, T reader)
        share = _by_word(
            weights, words, count
        )  # (H, W, T) attention that each reader pays to each word
        factor = others / (1 - share).clamp_min(MIN_ATTENTION_LEFT)
        for g, gradient in enumerate(slopes):
            slope = gradient[i][0]  # (H, T, c)
            read = _by_word(
                weights * (layer.values @ slope.transpose(1, 2)), words, count
            )  # Σ_t∈word p_t g·v_t
            own = (slope * layer.outputs[0].detach()).sum(-1)[:, None]  # (H, 1, T) g·o
            drops[:, g] += ((read - share * own) * factor).sum((0, 2))
    return drops


def _by_word(values: Tensor, words: Tensor, count: int) -> Tensor:
    """Sum (H, T, …) over the tokens of each word: (H, W, …)."""
    sums = values.new_zeros(
        values.shape[0], count + 1, *values.shape[2:]
    )  # the last row takes tokens of no word
    return sums.index_add_(1, torch.where(words < 0, count, words), values)[:, :count]
