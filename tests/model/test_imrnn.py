"""The model on small vectors whose results are easy to compute by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from imrnns_core.config import AdapterConfig
from imrnns_core.model.imrnn import IMRNN, HyperNet, untrained_model
from tests.toys import random_model, still_model

S = 1 / math.sqrt(2)


def test_an_untrained_square_adapter_projects_to_the_same_direction():
    model = IMRNN(AdapterConfig(3, 3))
    torch.testing.assert_close(
        model.project(torch.tensor([[0.0, 3.0, 4.0]])), torch.tensor([[0.0, 0.6, 0.8]])
    )


def test_an_untrained_rectangular_projector_has_orthonormal_rows():
    weight = IMRNN(AdapterConfig(6, 3)).projector.weight
    torch.testing.assert_close(weight @ weight.T, torch.eye(3), atol=1e-6, rtol=0)


def test_an_untrained_adapter_has_scales_near_a_half_and_biases_near_zero():
    with torch.no_grad():
        scale, bias = IMRNN(AdapterConfig(8, 8)).query_adapter(
            torch.nn.functional.normalize(torch.ones(1, 8), dim=-1)
        )
    assert float((scale - 0.5).abs().max()) < 1e-3
    assert float(bias.abs().max()) < 1e-3


def test_scale_is_the_sigmoid_and_bias_the_tanh_of_the_last_layer():
    net = HyperNet(AdapterConfig(2, 2, (1, 1)))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.layers[0].weight.copy_(torch.tensor([[1.0, -1.0]]))  # x₁ − x₂
        net.layers[2].weight.fill_(1.0)
        net.layers[4].weight.copy_(torch.tensor([[1.0], [-1.0], [2.0], [0.0]]))
        scale, bias = net(torch.tensor([[3.0, 1.0], [1.0, 3.0]]))
    expected = torch.tensor([[1 / (1 + math.exp(-2)), 1 / (1 + math.exp(2))], [0.5, 0.5]])
    torch.testing.assert_close(scale, expected)
    torch.testing.assert_close(
        bias, torch.tensor([[math.tanh(4), 0.0], [0.0, 0.0]])
    )  # ReLU sets the second to 0


def test_documents_are_modulated_by_the_scale_and_bias_of_the_query():
    model = still_model(2)
    with torch.no_grad():
        model.document_norm.weight.copy_(torch.tensor([3.0, 1.0]))
        model.document_norm.bias.copy_(torch.tensor([0.0, 10.0]))
    documents = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    modulated = model.modulate_documents(
        documents, torch.tensor([[1.0, 1.0]]), torch.tensor([[2.0, 0.0]])
    )
    # (3, 0) and (2, 1): LayerNorm maps both to (1, −1); then γ and β
    torch.testing.assert_close(
        modulated, torch.tensor([[[3.0, 9.0], [3.0, 9.0]]]), atol=1e-4, rtol=0
    )
    modulated = model.modulate_documents(
        documents, torch.tensor([[1.0, 1.0]]), torch.tensor([[0.0, 0.0]])
    )
    torch.testing.assert_close(
        modulated, torch.tensor([[[3.0, 9.0], [-3.0, 11.0]]]), atol=1e-3, rtol=0
    )


def test_the_query_is_refined_by_the_mean_scale_and_bias():
    refined = still_model(2).refine_query(
        torch.tensor([[0.6, 0.8]]), torch.tensor([[2.0, 1.0]]), torch.tensor([[0.0, 0.3]])
    )
    torch.testing.assert_close(
        refined, torch.tensor([[1.0, -1.0]]), atol=5e-3, rtol=0
    )  # (1.2, 1.1)


def test_a_forward_pass_over_hand_set_vectors():
    modulation = still_model(2)(
        torch.tensor([[6.0, 8.0]]), torch.tensor([[[2.0, 0.0], [0.8, 0.6], [0.0, 1.0]]])
    )[0]
    expected = {
        "query": [0.6, 0.8],
        "documents": [[1, 0], [0.8, 0.6], [0, 1]],
        "query_scale": [0.5, 0.5],
        "query_bias": [0, 0],
        "document_scale": [[0.5, 0.5]] * 3,
        "document_bias": [[0, 0]] * 3,
        "modulated_query": [-S, S],
        "modulated_documents": [[S, -S], [S, -S], [-S, S]],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(
            getattr(modulation, name).detach().numpy(), values, atol=1e-6, err_msg=name
        )


@pytest.mark.parametrize(("n", "m"), [(8, 8), (12, 9)])
def test_only_feedback_documents_enter_the_mean(n: int, m: int):
    model = random_model(3, n, m)
    generator = torch.Generator().manual_seed(0)
    queries, documents = (
        torch.randn(2, n, generator=generator),
        torch.randn(2, 4, n, generator=generator),
    )
    feedback = torch.tensor([[True, False, True, False], [False, True, False, False]])
    out = model(queries, documents, feedback)
    first, second = (
        model(queries[:1], documents[:1, [0, 2]]),
        model(queries[1:], documents[1:, [1]]),
    )
    torch.testing.assert_close(
        out.modulated_query, torch.cat([first.modulated_query, second.modulated_query])
    )
    torch.testing.assert_close(out.modulated_documents[:1, [0, 2]], first.modulated_documents)
    torch.testing.assert_close(
        model(queries, documents, torch.ones(2, 4, dtype=torch.bool)).modulated_query,
        model(queries, documents).modulated_query,
    )


@pytest.mark.parametrize("output_dim", [12, 8])
def test_an_untrained_model_depends_only_on_its_seed(output_dim: int):
    config = AdapterConfig(12, output_dim)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        expected = IMRNN(config).state_dict()
    weights = untrained_model(config, 3).state_dict()
    assert all(torch.equal(weights[name], values) for name, values in expected.items())
