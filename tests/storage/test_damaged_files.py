"""A damaged file of any kind: one clear line or a new computation, and never other results."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import faiss
import numpy as np
import pytest

from imrnns_core.cli.app import main
from imrnns_core.errors import LensError
from imrnns_core.explanation.deletion_records import DeletionSummary
from imrnns_core.io import write_checked_json
from imrnns_core.projection.corpus_map import load_map
from imrnns_core.storage.file_states import file_states
from imrnns_core.storage.judgments import JudgmentStore
from imrnns_core.storage.layout import ASSETS_FOLDER, SAMPLE_FOLDER
from imrnns_core.storage.repair import repair_workspace
from imrnns_core.storage.sentences import stored_sentences
from imrnns_core.storage.workspace import Workspace

WORDS = [
    "river",
    "stone",
    "cloud",
    "engine",
    "paper",
    "violin",
    "market",
    "winter",
    "forest",
    "sea",
]
KINDS = (
    "datasets.json",
    "runs.json",
    "vectors/tiny/*/documents.npy",
    "vectors/tiny/*/queries.npy",
    "vectors/tiny/*/documents-texts.npy",
    "vectors/tiny/*/document_ids.txt",
    "vectors/tiny/*/query_ids.txt",
    "vectors/tiny/*/manifest.json",
    "lexical/tiny/*.npy",
    "lexical/tiny/vocab*.json",
    "lexical/tiny/manifest.json",
    "sentences/*.npz",
    "asked/*.npz",
    "maps/*.npz",
    "faithfulness/*.json",
    "adapters/kept.safetensors",
    "judgments.sqlite",
    "stores/wiki/documents/corpus.jsonl",
    "stores/wiki/embeddings/documents.npy",
    "stores/wiki/embeddings/document_ids.txt",
    "stores/wiki/manifest.json",
)
MADE_AGAIN = ("vectors", "lexical", "sentences", "asked", "maps", "faithfulness")


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run the command line, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["imrnns-lens", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with files of all kinds, as the commands write them."""
    folder = tmp_path_factory.mktemp("complete")
    tiny, root = folder / "tiny", folder / "workspace"
    (tiny / "qrels").mkdir(parents=True)
    texts = [f"The {word} is near the {WORDS[i - 3]}. It is old." for i, word in enumerate(WORDS)]
    corpus = [{"_id": f"d{i}", "title": WORDS[i], "text": t} for i, t in enumerate(texts)]
    queries = [{"_id": f"q{i}", "text": f"where is the {WORDS[i]}"} for i in range(4)]
    (tiny / "corpus.jsonl").write_text("".join(json.dumps(r) + "\n" for r in corpus))
    (tiny / "queries.jsonl").write_text("".join(json.dumps(r) + "\n" for r in queries))
    rows = "".join(f"q{i}\td{i}\t1\n" for i in range(4))
    (tiny / "qrels" / "train.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}")
    (folder / "judged.tsv").write_text("query-id\tcorpus-id\tscore\nq0\td3\t2\nq1\td4\t1\n")
    (folder / "other.trec").write_text("q0 Q0 d5 1 2.0 x\nq0 Q0 d1 2 1.0 x\n")
    shutil.copy(next(ASSETS_FOLDER.glob("*.safetensors")), folder / "kept.safetensors")
    index = faiss.IndexFlatIP(8)
    index.add(np.random.default_rng(0).normal(size=(10, 8)).astype(np.float32))
    faiss.write_index(index, str(folder / "i.faiss"))
    rows = "".join(json.dumps({"id": f"s{i}", "text": t}) + "\n" for i, t in enumerate(texts))
    (folder / "i.jsonl").write_text(rows)
    store = f"faiss:{folder}/i.faiss#{folder}/i.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        run = partial(command, patch)
        end = ("--workspace", root)
        assert run("prepare", "wiki", "--store", store, *end) == 0
        assert run("prepare", tiny, "--run", folder / "other.trec", "--sentences", *end) == 0
        assert run("adapters", "import", folder / "kept.safetensors", *end) == 0
        assert run("judgments", "import", tiny, folder / "judged.tsv", *end) == 0
        JudgmentStore(root).keep("tiny", "which winter sea", "anna")
        assert run("search", tiny, "the violin", *end) == 0
    # real maps and deletion tests take minutes; these are the files of the sample
    for kind in ("maps", "faithfulness"):
        (root / kind).mkdir()
    shutil.copy(next((SAMPLE_FOLDER / "maps").glob("*.npz")), root / "maps")
    record = next((SAMPLE_FOLDER / "faithfulness").glob("*.json"))
    write_checked_json(root / "faithfulness" / record.name, json.loads(record.read_text()))
    return root


def _of_data_set(root: Path) -> object:
    space = Workspace(root)
    collection = space.open("tiny")
    ranked = [space.ranker(collection, name) for name in ("none", "kept")]
    compared = [ranker.compare(query) for ranker in ranked for query in ("q0", "q2")]
    found = [comparison.ranking(comparison.final, 5) for comparison in compared]
    vectors = [collection.documents.vectors.tobytes(), collection.queries.vectors.tobytes()]
    return vectors, found, collection.dataset.people, list(collection.dataset.queries)


def _of_words(root: Path) -> object:
    space = Workspace(root)
    dataset = space.open("tiny").dataset
    return space.lexical_index(dataset).search(["the violin", "winter"], 5).tobytes()


def _of_sentences(root: Path) -> object:
    stored = stored_sentences(root, Workspace(root).open("tiny"))
    return None if stored is None else stored.vectors.tobytes()


def _of_map(root: Path) -> object:
    (path,) = (root / "maps").glob("*.npz")
    stored = load_map(path)
    return stored.umap[2].tobytes(), stored.pca_mean.tobytes(), stored.clusters.names


def _of_test(root: Path) -> object:
    (path,) = (root / "faithfulness").glob("*.json")
    try:
        return DeletionSummary.read(path)
    except (OSError, KeyError, TypeError, ValueError):  # what its readers take as missing
        return None


def _of_run(root: Path) -> object:
    space = Workspace(root)
    return space.runs.load("other", space.open("tiny").dataset).ranked_ids


PARTS: dict[str, Callable[[Path], object]] = {
    "data set": _of_data_set,
    "words": _of_words,
    "sentences": _of_sentences,
    "map": _of_map,
    "deletion test": _of_test,
    "judgments": lambda root: tuple(JudgmentStore(root).current("tiny")),
    "run": _of_run,
    "store": lambda root: Workspace(root).open("wiki").documents.vectors.tobytes(),
}


def _results(root: Path) -> dict[str, object]:
    """Return the result of each part; a line in a list if it cannot be read."""
    results = dict[str, object]()
    for name, part in PARTS.items():
        try:
            results[name] = part(root)
        except LensError as error:
            results[name] = str(error).splitlines()
    return results


@pytest.fixture(scope="module")
def expected(complete: Path) -> dict[str, object]:
    results = _results(complete)
    assert not [value for value in results.values() if value is None or isinstance(value, list)]
    return results


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_changes_no_result(
    complete: Path, expected: dict[str, object], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sorted(complete.glob(kind))[0]
    content, saved = path.read_bytes(), complete.with_name("saved")
    shutil.copytree(complete, saved)
    randomness = random.Random(kind)
    damages = [content[: len(content) // 2], content[:-1]]
    for _ in range(4):
        flipped = bytearray(content)
        flipped[randomness.randrange(len(content))] ^= 1 << randomness.randrange(8)
        damages.append(bytes(flipped))
    try:
        for damage in damages:
            path.write_bytes(damage)
            problems = [state for state in file_states(complete) if state.problem]
            results = _results(complete)
            for name, value in results.items():
                assert not isinstance(value, list) or len(value) == 1
                failed = value is None or (isinstance(value, list) and value != expected[name])
                assert failed or value == expected[name], (name, kind)
                assert not failed or problems, (name, "the doctor does not find it")
            # most damage is found; a few bits, such as those of a time in an archive, say nothing
            repair_workspace(complete, [state for state in file_states(complete) if state.problem])
            assert not [state for state in file_states(complete) if state.problem]
            if kind.startswith(MADE_AGAIN):
                for name in ("data set", "words"):
                    assert PARTS[name](complete) == expected[name]
                assert not (complete / "damaged").exists()
            shutil.rmtree(complete)
            shutil.copytree(saved, complete)
    finally:
        shutil.rmtree(complete, ignore_errors=True)
        shutil.move(saved, complete)
