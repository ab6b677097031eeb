"""The sidebar works with what can be read."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from dashboard.services import caching, catalog
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from tests import toys


def test_one_unreadable_adapter_or_list_of_data_sets_leaves_the_rest_working(fresh: None) -> None:
    space = caching.workspace()
    (space.root / "adapters").mkdir(parents=True)
    (space.root / "adapters" / "broken.safetensors").write_bytes(b"rubbish")
    (space.root / "datasets.json").write_text("{")
    app = AppTest.from_function(sidebar_alone, default_timeout=60).run()
    assert not app.exception
    shown = " ".join(str(box.proto) for box in app.get("html"))
    assert "broken" in shown
    assert "not a safetensors file" in shown
    assert "datasets.json: not a list of data sets" in shown
    assert [box.value for box in app.selectbox][:2] == ["sample", "sample-adapter"]
    assert catalog.data_names() == ["sample"]
    (space.root / "adapters" / "broken.safetensors").unlink()
    assert catalog.unreadable_adapters() == {}


def sidebar_alone() -> None:
    from dashboard import state
    from dashboard.shell import sidebar

    state.start()
    sidebar.show()


def test_a_data_set_without_an_adapter_ends_the_run_with_a_remedy(
    fresh: None, tmp_path: Path
) -> None:
    space, vectors = caching.workspace(), tmp_path / "vectors"
    vectors.mkdir()
    for stem, plural, ids in (
        ("document", "documents", ("d1", "d2")),
        ("query", "queries", ("q1",)),
    ):
        save_embeddings(EmbeddingMatrix(ids, toys.letters(ids)), vectors, plural, stem)
    space.register(space.resolve(str(toys.write_dataset(tmp_path / "mine")), vectors))
    app = AppTest.from_function(sidebar_alone, default_timeout=60)
    app.query_params["data"] = "mine"
    app.run()
    assert not app.exception
    shown = " ".join(str(box.proto) for box in app.get("html"))
    assert "No adapter for 4 dimensions" in shown
    assert [box.value for box in app.selectbox] == ["mine"]
