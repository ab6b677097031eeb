"""The measures of the validator agree with ir-measures."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest

from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.training.validator import Validator
from tests.toys import adapter, collection, random_model

MEASURES = ("nDCG@10", "R@10", "RR@10")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("documents", [4, 60, 150])
def test_values_agree_with_ir_measures(seed: int, documents: int):
    """There are more documents than candidates, so some relevant ones are not retrieved."""
    rng = np.random.default_rng(seed)
    qrels = {
        f"q{i}": {f"d{d}": int(rng.integers(0, 4)) for d in rng.permutation(documents)[: 1 + i % 4]}
        | {f"d{rng.integers(documents)}": 2}
        for i in range(12)
    }
    world = collection(rng.normal(size=(documents, 8)), rng.normal(size=(12, 8)), qrels)
    ranker = Ranker(world, adapter(random_model(seed, 8, 8)))
    validator = Validator.from_qrels(world, qrels)
    for stage, values in (
        ("base", validator.base_values()),
        ("modulated", validator.values(ranker.adapter.model)),
    ):
        run = {
            q: {hit.document_id: -float(hit.rank) for hit in ranker.compare(q).ranking(stage)}
            for q in qrels
        }
        measures = [ir_measures.parse_measure(name) for name in MEASURES]
        expected = dict.fromkeys(qrels, 0.0)
        for metric in ir_measures.iter_calc(measures, qrels, run):
            expected[metric.query_id] += metric.value / len(MEASURES)
        assert values.tolist() == pytest.approx(list(expected.values()), abs=1e-6), stage
