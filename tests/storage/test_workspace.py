"""The workspace: results are computed once, and stale ones are never used."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.config import EncoderSpec, workspace_root
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.data.readers.load import load_dataset
from imrnns_core.data.records import Query
from imrnns_core.encoding.sharded import SHARD, encode_shards
from imrnns_core.errors import AdapterError, DataError, EncoderError
from imrnns_core.explanation.deletion_records import DeletionSummary
from imrnns_core.explanation.deletion_test import record_key
from imrnns_core.io import first_readable
from imrnns_core.model.checkpoint import save_adapter
from imrnns_core.projection.corpus_map import load_map
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage import lexical
from imrnns_core.storage.layout import SAMPLE_FOLDER
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.workspace import Workspace
from imrnns_core.text.words import SEGMENTATION
from imrnns_core.types import FloatArray
from tests.toys import (
    FakeEncoder,
    adapter,
    collection,
    document,
    letters,
    random_model,
    write_dataset,
)

DOCUMENTS = [{"_id": f"d{i}", "title": f"t{i}", "text": f"text number {i}"} for i in range(10)]
QUERIES = [{"_id": f"q{i}", "text": f"question {i}"} for i in range(3)]
TEXTS = [f"t{i}|text number {i}" for i in range(10)]
SPEC = EncoderSpec("fake")

Opened = tuple[Collection, FakeEncoder]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "mine", DOCUMENTS, QUERIES)


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def opened(space: Workspace, data: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Opened]:
    """Open the data set; return the collection and the encoder that was created for it."""
    monkeypatch.setattr("imrnns_core.encoding.sharded.SHARD", 4)

    def open_with(spec: EncoderSpec = SPEC, stop_after: int | None = None, progress=None) -> Opened:
        encoder = FakeEncoder(spec, stop_after=stop_after)
        monkeypatch.setattr(
            "imrnns_core.storage.workspace.SentenceTransformerEncoder", lambda _: encoder
        )
        return space.open(space.resolve(str(data), encoder=spec), progress), encoder

    return open_with


def no_traces(space: Workspace) -> None:
    assert not [p for p in space.root.rglob("*") if p.name.endswith(".tmp") or p.name == "encoding"]


def test_vectors_are_encoded_once(space: Workspace, data: Path, opened: Callable[..., Opened]):
    steps = []
    collection, encoder = opened(progress=lambda *step: steps.append(step))
    assert encoder.texts == [*TEXTS, "question 0", "question 1", "question 2"]
    assert steps == [
        ("documents", 4, 10),
        ("documents", 8, 10),
        ("documents", 10, 10),
        ("queries", 3, 3),
    ]
    np.testing.assert_array_equal(collection.documents.vectors, letters(TEXTS))
    np.testing.assert_array_equal(collection.query_vectors(["q2"])[0], letters(["question 2"])[0])
    no_traces(space)
    reopened, encoder = opened()
    assert encoder.texts == []
    np.testing.assert_array_equal(reopened.documents.vectors, letters(TEXTS))


def test_an_interrupted_encode_resumes_at_the_last_finished_shard(
    space: Workspace, data: Path, opened: Callable[..., Opened]
):
    with pytest.raises(KeyboardInterrupt):
        opened(stop_after=2)
    assert not list(space.root.rglob("*.tmp"))
    collection, encoder = opened()
    assert encoder.texts == [*TEXTS[8:], "question 0", "question 1", "question 2"]
    np.testing.assert_array_equal(collection.documents.vectors, letters(TEXTS))
    np.testing.assert_array_equal(collection.queries.vectors, letters([q["text"] for q in QUERIES]))
    no_traces(space)


def test_an_interruption_before_the_queries_repeats_no_document(opened: Callable[..., Opened]):
    with pytest.raises(KeyboardInterrupt):
        opened(stop_after=3)
    assert opened()[1].texts == ["question 0", "question 1", "question 2"]


def test_a_changed_text_is_encoded_again(
    space: Workspace, data: Path, opened: Callable[..., Opened]
):
    opened()
    path = data / "corpus.jsonl"
    path.write_text(path.read_text().replace("number 7", "number seven"))
    collection, encoder = opened()
    changed = [t.replace("number 7", "number seven") for t in TEXTS]
    assert encoder.texts == ["t7|text number seven"]
    np.testing.assert_array_equal(collection.documents.vectors, letters(changed))


def test_neither_a_removed_document_nor_judgments_alone_need_the_encoder(
    data: Path, opened: Callable[..., Opened]
):
    opened()
    (data / "qrels" / "dev.tsv").write_text("q1\td3\t1\n")
    collection, encoder = opened()
    assert encoder.texts == []
    assert collection.dataset.splits["dev"] == {"q1": {"d3": 1}}
    path = data / "corpus.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    collection, encoder = opened()
    assert (collection.documents.ids, encoder.texts) == (tuple(f"d{i}" for i in range(9)), [])
    np.testing.assert_array_equal(collection.documents.vectors, letters(TEXTS[:9]))


def test_shards_of_other_texts_are_never_used(data: Path, opened: Callable[..., Opened]):
    with pytest.raises(KeyboardInterrupt):
        opened(stop_after=2)
    path = data / "corpus.jsonl"
    path.write_text(path.read_text().replace("number 0", "number zero"))
    collection, encoder = opened()
    assert len(encoder.texts) == 13
    np.testing.assert_array_equal(
        collection.documents.vectors[0], letters(["t0|text number zero"])[0]
    )


@pytest.mark.parametrize(
    "other",
    [
        EncoderSpec("other"),
        EncoderSpec("fake", query_prefix="q: "),
        EncoderSpec("fake", document_prefix="d: "),
        EncoderSpec("fake", "v2"),
    ],
)
def test_each_encoder_and_prefix_has_its_own_vectors(
    opened: Callable[..., Opened], other: EncoderSpec
):
    opened()
    assert len(opened(other)[1].texts) == 13
    assert opened()[1].texts == []  # the first vectors are still stored
    assert opened(other)[1].texts == []


def test_vectors_without_a_manifest_are_encoded_again(
    space: Workspace, opened: Callable[..., Opened]
):
    opened()
    next(space.root.rglob("manifest.json")).unlink()
    assert len(opened()[1].texts) == 13


# Registered data sets


def test_a_registration_is_saved_and_read(space: Workspace, data: Path):
    spec = EncoderSpec("e5", "v1", "query: ", "passage: ")
    for embeddings in (None, data / "embeddings"):
        registration = Registration("mine", data, embeddings, spec)
        space.register(registration)
        reopened = Workspace(space.root)
        assert reopened.registrations()["mine"] == registration
        assert reopened.resolve("mine") == registration
        assert reopened.resolve(str(data)) == registration  # the same folder again
    assert list(space.registrations()) == ["sample", "mine"]
    files = [p.name for p in space.root.iterdir() if p.suffix != ".lock"]
    assert sorted(files) == ["datasets.json", "workspace.json"]


def test_options_replace_registered_values(space: Workspace, data: Path, tmp_path: Path):
    space.register(Registration("mine", data, data / "embeddings", EncoderSpec("e5")))
    resolved = space.resolve("mine", tmp_path / "other", EncoderSpec("bge"))
    assert (resolved.path, resolved.embeddings, resolved.encoder) == (
        data,
        tmp_path / "other",
        EncoderSpec("bge"),
    )


def test_an_unregistered_folder_and_zip(space: Workspace, data: Path, tmp_path: Path):
    assert space.resolve(str(data)) == Registration("mine", data, None, EncoderSpec())
    (tmp_path / "packed.zip").write_bytes(b"")
    assert space.resolve(str(tmp_path / "packed.zip")).name == "packed"


def test_a_registered_name_has_priority_over_a_folder(
    space: Workspace, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    space.register(Registration("docs", data, None, SPEC))
    (tmp_path / "work" / "docs").mkdir(parents=True)
    (tmp_path / "work" / "docs.zip").write_bytes(b"")
    monkeypatch.chdir(tmp_path / "work")
    assert space.resolve("docs") == Registration("docs", data, None, SPEC)
    for path in ("./docs", "docs/", str(tmp_path / "work" / "docs")):
        assert space.resolve(path) == Registration(
            "work-docs", tmp_path / "work" / "docs", None, EncoderSpec()
        )
    assert space.resolve("docs.zip").path == tmp_path / "work" / "docs.zip"
    (tmp_path / "work" / "new").mkdir()
    assert space.resolve("new") == Registration(
        "new", tmp_path / "work" / "new", None, EncoderSpec()
    )


def test_folders_with_the_same_name_get_different_names(space: Workspace, tmp_path: Path):
    folders = [tmp_path / path for path in ("a/x/docs", "b/x/docs", "c/x/docs", "d/y/docs")]
    for folder in folders:
        folder.mkdir(parents=True)
    zipped = tmp_path / "a" / "x" / "docs.zip"
    zipped.write_bytes(b"")
    for path in (*folders, zipped):
        space.register(space.resolve(str(path)))
    names = {r.path: r.name for r in space.registrations().values() if r.name != "sample"}
    assert [names[path] for path in folders] == ["docs", "x-docs", "c-x-docs", "y-docs"]
    assert names[zipped] == "a-x-docs"
    assert all(
        space.resolve(str(path)).name == name for path, name in names.items()
    )  # registered again: the names do not change


def test_the_sample_is_always_registered(space: Workspace):
    assert space.resolve("sample") == Registration(
        "sample", SAMPLE_FOLDER, SAMPLE_FOLDER / "embeddings", EncoderSpec()
    )


def test_an_unknown_data_set_lists_the_registered_names(space: Workspace, data: Path):
    space.register(Registration("mine", data, None, SPEC))
    with pytest.raises(DataError) as caught:
        space.resolve("yours")
    assert (
        str(caught.value)
        == "yours: neither a folder, a file nor a registered name; registered names: sample, mine"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"x": 1}',
        '{"x": {"path": "a"}}',
        '{"x": {"path": "a", "embeddings": null, "encoder": {"size": 3}}}',
    ],
)
def test_a_damaged_list_of_data_sets_gives_a_one_line_error(space: Workspace, text: str):
    space.root.mkdir()
    (space.root / "datasets.json").write_text(text)
    for use in (lambda: space.resolve("mine"), lambda: space.register(space.resolve("sample"))):
        with pytest.raises(
            DataError,
            match=(
                r"datasets\.json: not a list of data sets; delete it and prepare your data sets "
                r"again$"
            ),
        ):
            use()
    assert (space.root / "datasets.json").read_text() == text  # the damaged file is not overwritten
    assert str(space.registry_error()).endswith("delete it and prepare your data sets again")
    assert list(space.registrations()) == ["sample"]  # the sample still opens


def test_a_data_set_called_sample_is_registered_or_refused(space: Workspace, tmp_path: Path):
    folder = write_dataset(tmp_path / "sample")
    try:
        space.register(space.resolve(str(folder)))
    except DataError:
        return
    assert any(r.path == folder for r in space.registrations().values())


def test_the_environment_sets_the_workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "here"))
    assert workspace_root() == tmp_path / "here"
    assert Workspace().root == tmp_path / "here"
    monkeypatch.delenv("IMRNNS_WORKSPACE")
    assert workspace_root().name == "imrnns-lens"


# Precomputed vectors


def precomputed(
    folder: Path, documents: list[str], queries: list[str], dimensions: tuple[int, int] = (4, 4)
) -> Path:
    folder.mkdir()
    save_embeddings(
        EmbeddingMatrix(tuple(documents), letters(documents, dimensions[0])),
        folder,
        "documents",
        "document",
        np.float16,
    )
    save_embeddings(
        EmbeddingMatrix(tuple(queries), letters(queries, dimensions[1])),
        folder,
        "queries",
        "query",
        np.float16,
    )
    return folder


IDS, QUERY_IDS = [f"d{i}" for i in range(10)], ["q0", "q1", "q2"]


def test_precomputed_vectors_follow_their_ids_and_nothing_is_encoded(
    space: Workspace, data: Path, tmp_path: Path
):
    vectors = precomputed(tmp_path / "vectors", ["extra", *reversed(IDS)], ["q2", "q0", "q1"])
    collection = space.open(space.resolve(str(data), vectors))
    assert collection.documents.ids == tuple(IDS)
    np.testing.assert_allclose(collection.documents.vectors, letters(IDS), atol=1e-3)
    np.testing.assert_allclose(collection.query_vectors(["q1"])[0], letters(["q1"])[0], atol=1e-3)
    assert not space.root.exists()


def test_precomputed_vectors_of_other_texts_are_refused(
    space: Workspace, data: Path, tmp_path: Path
):
    vectors = precomputed(tmp_path / "few", IDS[:8], QUERY_IDS)
    with pytest.raises(DataError) as caught:
        space.open(space.resolve(str(data), vectors))
    assert str(caught.value) == (
        f"{vectors}/document_ids.txt: 2 of 10 ids have no vector, first 'd8'; compute the "
        "embeddings again from this data set"
    )
    vectors = precomputed(tmp_path / "mixed", IDS, QUERY_IDS, (4, 3))
    with pytest.raises(DataError) as caught:
        space.open(space.resolve(str(data), vectors))
    assert str(caught.value) == (
        f"{vectors}: documents have 4 dimensions, queries 3; compute the embeddings again from "
        "this data set"
    )


def test_a_typed_query_is_encoded_by_the_encoder_that_made_the_vectors(
    opened: Callable[..., Opened],
):
    collection, encoder = opened()
    np.testing.assert_array_equal(collection.encode("hello"), letters(["hello"])[0])
    assert encoder.texts[-2:] == [
        TEXTS[0],
        "hello",
    ]  # the first document is encoded again as a check
    collection.encode("again")
    assert encoder.texts[-1:] == ["again"]
    assert encoder.texts[-2:] != [TEXTS[0], "again"]


def test_an_encoder_that_did_not_make_the_vectors_is_refused(opened: Callable[..., Opened]):
    collection, _ = opened()
    other = Collection(
        collection.dataset,
        collection.documents,
        collection.queries,
        FakeEncoder(EncoderSpec("wrong"), turn=0.7),
    )
    with pytest.raises(EncoderError) as caught:
        other.encode("hello")
    assert str(caught.value).startswith("wrong did not make the embeddings of mine (cosine ")
    assert str(caught.value).endswith(
        "for document 'd0'); name their encoder and its prefixes with --encoder, "
        "--query-prefix and --document-prefix"
    )
    wider = Collection(
        collection.dataset,
        collection.documents,
        collection.queries,
        FakeEncoder(EncoderSpec("wide"), dimension=6),
    )
    with pytest.raises(EncoderError) as caught:
        wider.encode("hello")
    assert str(caught.value) == (
        "wide makes 6 dimensions, the embeddings of mine have 4; name their encoder with --encoder"
    )


@pytest.mark.parametrize("identifier", ["a\nb", "a\rb"])
def test_an_id_with_a_line_break_is_changed_before_anything_is_encoded(
    data: Path, opened: Callable[..., Opened], identifier: str
):
    with (data / "corpus.jsonl").open("a") as handle:
        handle.write(json.dumps({"_id": identifier, "text": "x"}) + "\n")
    assert opened()[0].documents.ids[-1] == "a b"
    assert opened()[0].documents.ids[-1] == "a b"  # the stored ids have one line each


# Adapters and maps


def test_an_imported_adapter_loads_by_its_name(space: Workspace, tmp_path: Path):
    save_adapter(adapter(random_model(0, 8, 4), ["d1"], "mine"), tmp_path / "mine.safetensors")
    target = space.import_adapter(tmp_path / "mine.safetensors")
    assert target == space.root / "adapters" / "mine.safetensors"
    assert space.adapter_paths()["mine"] == target
    for name in ("mine", str(tmp_path / "mine.safetensors")):
        loaded = space.adapter(name)
        assert loaded.card.texts.positives == [document("d1").text_hash]
        assert (loaded.model.projector.weight == random_model(0, 8, 4).projector.weight).all()
    assert "sample-adapter" in space.adapter_paths()


def test_an_unknown_adapter_lists_the_available_ones(space: Workspace):
    with pytest.raises(
        AdapterError,
        match=(
            r"^yours: no adapter has this name; name a file or an available adapter: "
            r".*sample-adapter"
        ),
    ):
        space.adapter("yours")
    with pytest.raises(AdapterError, match=r"^yours\.safetensors: file not found"):
        space.adapter("yours.safetensors")


def test_maps_and_deletion_tests_are_written_to_the_workspace_and_also_read_from_the_sample(
    space: Workspace,
):
    assert space.map_paths("0123") == (space.map_path("0123"), SAMPLE_FOLDER / "maps" / "0123.npz")
    assert space.map_path("0123") == space.root / "maps" / "0123.npz"
    assert space.faithfulness_paths("0123") == (
        space.faithfulness_path("0123"),
        SAMPLE_FOLDER / "faithfulness" / "0123.json",
    )
    assert space.faithfulness_path("0123") == space.root / "faithfulness" / "0123.json"


# Derived files that are damaged are made again

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda raw: raw[: len(raw) // 2],
    "empty": lambda raw: b"",
    "rubbish": lambda raw: bytes(len(raw)),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "name", ["documents.npy", "document_ids.txt", "queries.npy", "query_ids.txt", "manifest.json"]
)
def test_damaged_vectors_are_encoded_again(
    space: Workspace, opened: Callable[..., Opened], name: str, damage: str
):
    first, _ = opened()
    path = next(space.root.rglob(name))
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    reopened, encoder = opened()
    assert len(encoder.texts) == 13
    np.testing.assert_array_equal(reopened.documents.vectors, first.documents.vectors)
    _, encoder = opened()
    assert encoder.texts == []  # repaired


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_lexical_index_is_built_again(tmp_path: Path, damage: str):
    space, dataset = Workspace(tmp_path / "space"), load_dataset(write_dataset(tmp_path / "toy"))
    space.lexical_index(dataset)
    folder = tmp_path / "space" / "lexical" / "toy"
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        path.write_bytes(DAMAGES[damage](content))
        assert [rows.tolist() for rows in space.lexical_index(dataset).matches(["second"], 5)] == [
            [1]
        ], path.name
        assert path.read_bytes() == content


def test_a_lexical_index_with_one_changed_byte_is_built_again(tmp_path: Path):
    """Such an index loads but ranks by wrong weights; only the checksum detects it."""
    space, dataset = Workspace(tmp_path / "space"), load_dataset(write_dataset(tmp_path / "toy"))
    space.lexical_index(dataset)
    path = tmp_path / "space" / "lexical" / "toy" / "data.csc.index.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    space.lexical_index(dataset)
    assert path.read_bytes() == content


def test_a_lexical_index_of_other_words_is_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    space, dataset = Workspace(tmp_path / "space"), load_dataset(write_dataset(tmp_path / "toy"))
    with monkeypatch.context() as patch:
        patch.setattr(lexical, "SEGMENTATION", "0")
        space.lexical_index(dataset)
    manifest = tmp_path / "space" / "lexical" / "toy" / "manifest.json"
    assert json.loads(manifest.read_text())["words"] == "0"
    space.lexical_index(dataset)
    assert json.loads(manifest.read_text())["words"] == SEGMENTATION


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_shard_is_encoded_again(tmp_path: Path, damage: str):
    texts = [str(n) for n in range(SHARD + 3)]
    first = encode_shards(tmp_path, "titles", texts, letters, None)
    shards = sorted(tmp_path.iterdir())
    assert len(shards) == 2
    shards[0].write_bytes(DAMAGES[damage](shards[0].read_bytes()))
    encoded: list[str] = []

    def encode(shard: Sequence[str]) -> FloatArray:
        encoded.extend(shard)
        return letters(shard)

    np.testing.assert_array_equal(encode_shards(tmp_path, "titles", texts, encode, None), first)
    assert encoded == texts[:SHARD]


def test_a_shard_with_the_wrong_number_of_texts_is_encoded_again(tmp_path: Path):
    encode_shards(tmp_path, "titles", ["a", "b"], letters, None)
    assert len(encode_shards(tmp_path, "titles", ["a", "b", "c"], letters, None)) == 3


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b"null", b'{"schema": 2, "dataset": "toy"}', b"\xff"]
)
def test_a_damaged_deletion_test_counts_as_not_run(tmp_path: Path, raw: bytes):
    shipped = next((SAMPLE_FOLDER / "faithfulness").glob("*.json"))
    (tmp_path / "a.json").write_bytes(raw)
    assert first_readable([tmp_path / "a.json", tmp_path / "b.json"], DeletionSummary.read) is None
    summary = first_readable([tmp_path / "a.json", shipped], DeletionSummary.read)
    assert summary is not None
    assert (summary.dataset, summary.pairs) == ("sample", 60)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_map_counts_as_missing(tmp_path: Path, damage: str):
    shipped = next((SAMPLE_FOLDER / "maps").glob("*.npz"))
    (tmp_path / "a.npz").write_bytes(DAMAGES[damage](shipped.read_bytes()))
    assert first_readable([tmp_path / "a.npz"], load_map) is None
    assert first_readable([tmp_path / "a.npz", shipped], load_map) is not None


# BM25


def test_a_lexical_index_is_stored_and_built_again_for_other_texts(tmp_path: Path):
    space, first = (
        Workspace(tmp_path / "space"),
        load_dataset(write_dataset(tmp_path / "a" / "toy")),
    )
    other_texts = load_dataset(
        write_dataset(
            tmp_path / "b" / "toy",
            [{"_id": "d1", "text": "second"}, {"_id": "d2", "text": "third"}],
        )
    )
    assert [rows.tolist() for rows in space.lexical_index(first).matches(["second"], 5)] == [[1]]
    vocabulary = tmp_path / "space" / "lexical" / "toy" / "vocab.index.json"
    written = vocabulary.stat().st_mtime_ns
    assert [rows.tolist() for rows in space.lexical_index(first).matches(["second"], 5)] == [[1]]
    assert vocabulary.stat().st_mtime_ns == written
    assert [rows.tolist() for rows in space.lexical_index(other_texts).matches(["second"], 5)] == [
        [0]
    ]
    assert sorted(p.name for p in (tmp_path / "space" / "lexical").iterdir()) == ["toy"]


def test_a_lexical_index_is_built_even_if_it_cannot_be_stored(tmp_path: Path):
    (tmp_path / "file").write_text("")
    index = Workspace(tmp_path / "file").lexical_index(
        load_dataset(write_dataset(tmp_path / "toy"))
    )
    assert [rows.tolist() for rows in index.matches(["second"], 5)] == [[1]]


def test_a_relative_workspace_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    workspace = Workspace(Path("here"))
    monkeypatch.setenv("IMRNNS_WORKSPACE", "there")
    assert (workspace.root, Workspace().root) == (tmp_path / "here", tmp_path / "there")


# Keys of results depend on all content of a collection


def test_the_fingerprint_depends_on_every_vector_and_text():
    vectors = np.random.default_rng(0).normal(size=(5_000, 4)).astype(np.float32)
    world = collection(vectors)
    same = collection(vectors.copy())
    assert same.fingerprint == world.fingerprint
    for row in (0, 1, 4_095, 4_096, 4_999):
        changed = vectors.copy()
        changed[row, 2] += 1e-3
        assert collection(changed).fingerprint != world.fingerprint, row
    texts = list(world.dataset.documents)
    texts[777] = replace(texts[777], text="another text")
    retold = replace(world, dataset=replace(world.dataset, documents=tuple(texts)))
    assert retold.fingerprint != world.fingerprint
    with_query = replace(
        world, dataset=replace(world.dataset, queries={"q": Query("q", "a new question")})
    )
    assert with_query.fingerprint == world.fingerprint  # a new query does not change the map
    assert collection(vectors[:-1]).fingerprint != world.fingerprint


def test_the_key_of_a_deletion_test_depends_on_every_text_vector_and_query():
    rng = np.random.default_rng(0)
    documents, queries = rng.normal(size=(2_000, 8)), rng.normal(size=(3, 8))
    model = adapter(random_model(0, 8, 8))
    key = record_key(Ranker(collection(documents, queries), model))
    assert key == record_key(Ranker(collection(documents, queries), model))
    for changed in (documents, queries):
        original = changed[1].copy()
        changed[1] *= -1
        assert record_key(Ranker(collection(documents, queries), model)) != key
        changed[1] = original
    other_adapter = adapter(random_model(1, 8, 8))
    assert record_key(Ranker(collection(documents, queries), other_adapter)) != key
