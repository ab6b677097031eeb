"""Other vectors and adapters of a data set: what is encoded, kept, read again and ranked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.cli.app import app as cli
from imrnns_core.config import EncoderSpec
from imrnns_core.data.records import Document
from imrnns_core.remedies.remedy import Alternatives, Search, all_remedies
from imrnns_core.remedies.vectors import PASSAGES, TITLES_TWICE, WITHOUT_TITLES
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.alternatives import (
    alternatives_of,
    encode_alternatives,
    number_to_encode,
    own_adapters,
    stored_alternatives,
)
from imrnns_core.storage.workspace import Workspace

PAGES = {
    "vpn": ("Connect to the network", "Open the client, choose Berlin and sign in."),
    "leave": ("", "Sixteen weeks of paid leave are granted to both parents."),
    "long": (
        "Travel",
        f"Trains first. {'Keep every receipt of the journey. ' * 90}Bees buzz.",
    ),
}


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    rows = [f'{i},{title},"{text}"' for i, (title, text) in PAGES.items()]
    (tmp_path / "pages.csv").write_text("id,title,text\n" + "\n".join(rows) + "\n")
    (tmp_path / "asked.csv").write_text("query,docs\nHow long is parental leave?,leave\n")
    workspace = tmp_path / "workspace"
    files = (tmp_path / "pages.csv", "--queries", tmp_path / "asked.csv")
    command = ["prepare", *files, "--no-passages", "--workspace", workspace]
    assert not cli([str(own) for own in command], standalone_mode=False)
    return Workspace(workspace)


def test_titles_and_passages_are_encoded_once_and_rank_the_documents(space: Workspace) -> None:
    registration = space.resolve("pages")
    collection = space.open(registration)
    assert alternatives_of(space, collection) == Alternatives()
    assert number_to_encode(space, registration, collection) == 4  # two titles, twice
    encode_alternatives(space, registration, collection)
    assert number_to_encode(space, registration, collection) == 0
    found = {own.name: own.collection for own in alternatives_of(space, collection).vectors}
    assert list(found) == [WITHOUT_TITLES, TITLES_TWICE, PASSAGES]

    def encoded(title: str, text: str) -> np.ndarray:
        return collection.encoder.encode_documents([Document("x", title, text)])[0]

    title, text = PAGES["vpn"]
    for name, changed in ((WITHOUT_TITLES, ""), (TITLES_TWICE, f"{title} {title}")):
        vectors = found[name].documents.vectors
        assert vectors[0] == pytest.approx(encoded(changed, text), abs=2e-3)
        # a document without a title keeps its vector
        assert (vectors[1] == collection.documents.vectors[1]).all()
    assert len(found[PASSAGES].ranked.documents) > 3

    query = replace(next(iter(collection.dataset.queries.values())), id="", text="bees that buzz")
    alternatives = alternatives_of(space, collection)
    lexical, vector = BM25Index(collection.dataset.documents), collection.encode(query.text)[None]
    search = Search.of(Ranker(collection), lexical, [query], vector, alternatives)
    ranked = {own.name: own.rank(search, 0.0)[0].tolist() for own in all_remedies(search)}
    assert ranked[PASSAGES][0] == 2  # only its last passage has the bees
    scores = found[WITHOUT_TITLES].documents.vectors @ vector[0]
    assert ranked[WITHOUT_TITLES] == np.argsort(-scores).tolist()


def test_changed_documents_have_no_stale_vectors(space: Workspace, tmp_path: Path) -> None:
    registration = space.resolve("pages")
    encode_alternatives(space, registration, space.open(registration))
    pages = tmp_path / "pages.csv"
    pages.write_text(pages.read_text().replace("Berlin", "Rome"))
    collection = space.open(registration)
    assert stored_alternatives(space, registration, collection, []) == Alternatives()
    assert number_to_encode(space, registration, collection) == 4


def test_the_vectors_of_another_prefix_are_found_again(space: Workspace) -> None:
    registration = space.resolve("pages")
    other = replace(registration, encoder=EncoderSpec(query_prefix="question: "))
    space.open(other)
    (found,) = alternatives_of(space, space.open(registration)).vectors
    assert found.name == "query prefix “question: ”"
    assert found.collection.encoder.spec.query_prefix == "question: "


def test_only_adapters_of_the_data_set_are_tried(space: Workspace) -> None:
    assert own_adapters(space, space.open("pages")) == []
    names = [ranker.adapter_name for ranker in own_adapters(space, space.open("sample"))]
    assert names == ["sample-adapter", "sample-paper"]
