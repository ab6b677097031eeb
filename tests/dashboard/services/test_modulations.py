"""The ranges of an adapter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dashboard.services import (
    catalog,
    modulations,
)
from imrnns_core.data.embeddings import EmbeddingMatrix


@pytest.mark.parametrize("count", [0, 1])
def test_documents_stand_for_queries_where_there_are_none_to_average(
    fresh: None, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    whole = catalog.collection("sample")
    few = replace(
        whole, queries=EmbeddingMatrix(whole.queries.ids[:count], whole.queries.vectors[:count])
    )
    monkeypatch.setattr(catalog, "collection", lambda data: few)
    found = modulations.ranges("sample", "sample-adapter")
    assert np.isfinite(found.mean_shift).all()
    assert min(*found.shift, *found.scale, found.contribution) > 1e-6, (
        "one query less its own mean would be nothing"
    )
