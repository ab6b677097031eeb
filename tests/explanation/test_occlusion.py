"""The effect of a deleted word through the shift of later tokens, by value."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from imrnns_core.explanation import word_attribution as words
from imrnns_core.explanation.attention_trace import AttentionTrace, Trace, TracedEncoder
from imrnns_core.explanation.occlusion import pooling_weights, position_drop, token_spans
from imrnns_core.explanation.pair import Pair, reference_scores
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.text.words import without
from tests import toys


def test_spans_are_runs_of_tokens_of_one_word():
    assert token_spans(torch.tensor([-1, 0, 1, 1, -1, 0, 2])) == [
        [(1, 2), (5, 6)],
        [(2, 4)],
        [(6, 7)],
    ]
    assert token_spans(torch.tensor([-1, -1])) == []


def test_tokens_after_a_word_count_in_the_shifted_pass():
    # Passes of five and six tokens: one was cut off. Word one occurs once, word two twice
    found = pooling_weights(5, 6, [[(2, 3)], [(1, 2), (3, 4)]])
    assert found[:, :5].tolist() == [[1, 1, 0, 0, 0], [1, 0, 0.5, 0, 0]]
    assert found[:, 5:].tolist() == [[0, 0, 0, 1, 1, 1], [0, 0, 0.5, 0, 1, 1]]


def one_layer(tokens: int, seed: int) -> AttentionTrace:
    """A layer of two heads of width three, of tokens with random queries, keys and values."""
    generator = torch.Generator().manual_seed(seed)
    query, key, value = (torch.randn(2, tokens, 3, generator=generator) for _ in range(3))
    logits = query @ key.transpose(1, 2)
    weights = logits.softmax(-1)
    return AttentionTrace(
        weights, logits.logsumexp(-1, keepdim=True), query, key, value, (weights @ value)[None]
    )


@pytest.mark.parametrize("span", [(1, 2), (2, 4), (5, 6)])
def test_the_effect_of_a_shift_is_exact_in_one_layer(span: tuple[int, int]):
    """With a linear target, the drop equals that of attention over the tokens of both passes."""
    first, second = one_layer(6, 0), one_layer(7, 1)
    slope = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(2))
    traces = [
        Trace([(0, 0)] * len(layer.queries[0]), torch.empty(0), [layer])
        for layer in (first, second)
    ]
    found = position_drop(traces[0], traces[1], [(slope[None],)], [span])
    start, end = span
    behind = torch.cat([slope, slope[:, -1:]], 1)[
        :, end:
    ]  # the additional token has the gradient of the last one

    def read(
        layer: AttentionTrace, queries: torch.Tensor, *parts: tuple[AttentionTrace, slice]
    ) -> torch.Tensor:
        keys = torch.cat([part.keys[:, tokens] for part, tokens in parts], 1)
        values = torch.cat([part.values[:, tokens] for part, tokens in parts], 1)
        return (queries @ keys.transpose(1, 2)).softmax(-1) @ values

    front, back = slice(0, start), slice(end, None)
    alone = read(first, first.queries, (first, front), (first, back))
    staying = read(first, first.queries[:, front], (first, front), (second, back))
    moving = read(second, second.queries[:, back], (first, front), (second, back))
    gained = ((staying - alone[:, front]) * slope[:, front]).sum() + (
        (moving - second.outputs[0][:, back]) * behind
    ).sum()
    gained -= ((alone - first.outputs[0])[:, back] * slope[:, back]).sum()
    assert float(found[0, 0]) == pytest.approx(-float(gained), abs=1e-4)


@pytest.fixture(scope="module")
def ranker(sample: Collection) -> Ranker:
    return Ranker(sample, toys.adapter(toys.random_model(3, 384, 384)))


@pytest.fixture(scope="module")
def pair(ranker: Ranker) -> Pair:
    comparison = ranker.compare("q054")
    return Pair(comparison, ranker.adapter.model, comparison.position["the-hague"])


def test_a_shifted_pass_has_other_position_ids(ranker: Ranker, pair: Pair):
    explainer = WordExplainer(ranker)
    text = explainer.text(pair, "document")
    assert explainer.traced.has_absolute_positions
    trace, shifted = explainer.traced.trace(text), explainer.traced.trace(text, 2)
    tokens = explainer.encoder.model.tokenizer(text, return_tensors="pt")
    positions = torch.tensor([[0, *(max(1, i - 2) for i in range(1, len(trace.spans)))]])
    with torch.no_grad():
        expected = (
            explainer.encoder.model[0]
            .auto_model(**tokens, position_ids=positions)
            .last_hidden_state[0]
        )
    assert shifted.outputs == pytest.approx(expected, abs=1e-4)
    assert shifted.spans == trace.spans
    assert not shifted.outputs.requires_grad
    assert (shifted.outputs - trace.outputs).abs().max() > 0.05


def test_an_encoder_without_position_ids_has_no_shifted_pass(ranker: Ranker, pair: Pair):
    traced = WordExplainer(ranker).traced
    model = traced._model
    traced._model = torch.nn.Module()
    assert not traced.has_absolute_positions
    traced._model.embeddings = model.embeddings
    traced._model.forward = lambda input_ids=None, inputs_embeds=None: None
    assert not traced.has_absolute_positions  # it has position embeddings, but accepts no ids
    traced._model = model
    assert traced.has_absolute_positions


def test_a_shifted_pass_reads_more_tokens_of_a_truncated_text(ranker: Ranker):
    traced = WordExplainer(ranker).traced
    text = "peso " * 400
    assert (len(traced.trace(text).spans), len(traced.trace(text, 3).spans)) == (256, 259)


def test_the_shift_improves_the_order_of_document_words(
    ranker: Ranker, monkeypatch: pytest.MonkeyPatch
):
    explainer, found = WordExplainer(ranker), list[list[float]]()
    for query in ("q054", "q001", "q100"):
        comparison = ranker.compare(query)
        pair = Pair(comparison, ranker.adapter.model, 3)
        with_shift = explainer.estimate(pair, "document")
        with monkeypatch.context() as patch:
            patch.setattr(TracedEncoder, "has_absolute_positions", False)
            without_shift = explainer.estimate(pair, "document")
        lost = reference_scores(pair) - explainer.measure(
            pair, "document", [without(with_shift.text, [w]) for w in with_shift.words]
        )
        found.append(
            [
                float(spearmanr(drops.change, lost[:, 1]).statistic)
                for drops in (with_shift, without_shift)
            ]
        )
    with_shift_rho, without_shift_rho = np.mean(found, 0)
    assert with_shift_rho > 0.75
    assert with_shift_rho > without_shift_rho + 0.05


def test_words_of_a_short_text_are_masked_in_turn(ranker: Ranker, pair: Pair):
    """Compare with the encoder's own attention mask and position ids, and a mean by hand."""
    explainer = WordExplainer(ranker)
    drops = explainer.estimate(pair, "query")
    tokens = explainer.encoder.model.tokenizer(
        drops.text, return_offsets_mapping=True, return_tensors="pt"
    )
    spans = tokens.pop("offset_mapping")[0].tolist()
    for word, score, change in zip(drops.words, drops.score, drops.change, strict=True):
        (start, end), *_ = word.spans
        mask = torch.tensor(
            [[0 if left >= start and right <= end and right > 0 else 1 for left, right in spans]]
        )
        with torch.no_grad():
            inputs = {**tokens, "attention_mask": mask, "position_ids": mask.cumsum(1) - 1}
            outputs = explainer.encoder.model[0].auto_model(**inputs).last_hidden_state[0]
            vector = torch.nn.functional.normalize(
                outputs[mask[0] == 1].mean(0, keepdim=True), dim=-1
            )
            whole = pair.query_scores(torch.from_numpy(explainer.encode("query", [drops.text])))[0]
            left = pair.query_scores(vector)[0]
        assert float(score) == pytest.approx(float(whole[1] - left[1]), abs=2e-5)
        assert float(change) == pytest.approx(
            float((whole[1] - whole[0]) - (left[1] - left[0])), abs=2e-5
        )


def test_words_of_a_long_text_are_not_masked_in_turn(
    ranker: Ranker, pair: Pair, monkeypatch: pytest.MonkeyPatch
):
    explainer = WordExplainer(ranker)
    shapes = list[tuple[int, ...]]()
    encode_masked = TracedEncoder.encode_masked
    monkeypatch.setattr(
        TracedEncoder,
        "encode_masked",
        lambda self, text, masked: (
            shapes.append(tuple(masked.shape)),
            encode_masked(self, text, masked),
        )[1],
    )
    explainer.estimate(pair, "query")
    explainer.estimate(pair, "document")
    assert len(shapes) == 1
    assert shapes[0][0] * shapes[0][1] <= words.MASKED_TOKENS
