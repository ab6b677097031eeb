"""A corpus of a hundred thousand documents in the real app."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.model.checkpoint import save_adapter
from imrnns_core.projection.clusters import Clusters
from imrnns_core.projection.corpus_map import CorpusMap, map_key, save_map
from imrnns_core.storage.workspace import Workspace
from tests import toys
from tests.browser.app import chart, open_page, serving, settle
from tests.browser.test_pages import draw_around_all, saved

pytestmark = pytest.mark.browser
DOCUMENTS, DIMENSION = 100_000, 32


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve documents in twelve clumps.

    Their map is drawn at random: UMAP would take an hour, and is not what is tested.
    """
    folder = tmp_path_factory.mktemp("large")
    generator = np.random.default_rng(0)
    labels = np.sort(generator.integers(0, 12, DOCUMENTS))
    centres = generator.standard_normal((12, DIMENSION))
    vectors = centres[labels] + generator.standard_normal((DOCUMENTS, DIMENSION))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    documents = [
        {"_id": f"d{i}", "title": f"title {i}", "text": f"text {i}"} for i in range(DOCUMENTS)
    ]
    data = toys.write_dataset(
        folder / "large",
        documents,
        [{"_id": f"q{i}", "text": f"question {i}"} for i in range(3)],
        "query-id\tcorpus-id\tscore\nq0\td0\t1\n",
    )
    embeddings = folder / "embeddings"
    embeddings.mkdir()
    save_embeddings(
        EmbeddingMatrix(tuple(d["_id"] for d in documents), unit),
        embeddings,
        "documents",
        "document",
    )
    save_embeddings(
        EmbeddingMatrix(("q0", "q1", "q2"), unit[[0, 50_000, 99_999]]),
        embeddings,
        "queries",
        "query",
    )
    workspace = Workspace(folder / "workspace")
    registration = workspace.resolve(str(data), embeddings)
    workspace.register(registration)
    adapter = toys.adapter(toys.random_model(0, DIMENSION, DIMENSION))
    save_adapter(adapter, workspace.root / "adapters" / "toy.safetensors")
    places = {
        d: (
            (centres[labels, :d] + 0.5 * generator.standard_normal((DOCUMENTS, d))) / 8 + 0.5
        ).astype(np.float32)
        for d in (2, 3)
    }
    clusters = Clusters(labels, tuple(f"subject {n}" for n in range(12)))
    axes = np.eye(3, DIMENSION, dtype=np.float32)
    made = CorpusMap(
        places,
        np.zeros(DIMENSION, np.float32),
        axes,
        np.array([0.2, 0.1, 0.1], np.float32),
        clusters,
    )
    save_map(made, workspace.map_path(map_key(adapter, workspace.open(registration).fingerprint)))
    with serving(workspace.root) as url:
        yield f"{url}/map?data=large&adapter=toy&query=q0"


def cloud(page: Page, key: str) -> int:
    """Return how many documents the cloud of a plot holds."""
    count: int = chart(page, key).evaluate(
        "plot => plot._fullData.filter(t => t.type === 'scattergl').reduce((n, t) => n + "
        "t.x.length, 0)"
    )
    return count


@pytest.mark.parametrize("view", ["neighbourhood", "linear"])
def test_every_document_is_drawn_and_the_next_query_moves_only_the_marks(
    page: Page, large: str, view: str
) -> None:
    open_page(page, f"{large}&view={view}&colour=cluster")
    key = f"map_{view}_2-D"
    assert cloud(page, key) == DOCUMENTS
    read = "plot => Array.from(plot._fullData.find(t => t.name === 'modulated').x)"
    before = chart(page, key).evaluate(read)
    page.keyboard.press("j")
    page.wait_for_function("() => new URLSearchParams(location.search).get('query') === 'q1'")
    settle(page)
    assert chart(page, key).evaluate(read) != before
    assert cloud(page, key) == DOCUMENTS


def test_the_lasso_lists_a_hundred_thousand_documents(page: Page, large: str) -> None:
    open_page(page, f"{large}&view=neighbourhood&drag=lasso")
    count = draw_around_all(page, "map_neighbourhood_2-D")
    assert count > 90_000
    assert len(saved(page)) == count


def test_three_dimensions_say_that_they_draw_a_part_of_the_cloud(page: Page, large: str) -> None:
    open_page(page, f"{large}&view=neighbourhood&axes=3-D")
    drawn = page.locator(".js-plotly-plot").evaluate(
        "plot => plot._fullData.find(t => t.name === 'corpus').x.length"
    )
    assert drawn == 20_000
    expect(
        page.get_by_text("The map shows 20,000 of 100,000 documents, drawn at random.")
    ).to_be_visible()
