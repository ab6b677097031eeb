"""BEIR folders and zips, and the errors for faulty ones."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.readers.beir import LAYOUT, load_dataset
from imrnns_core.data.records import Document, Query
from imrnns_core.errors import DataError
from tests.toys import write_dataset

CORPUS = (
    b'{"_id": "d1", "title": "One", "text": "first"}\n{"_id": "d2", "text": "second", "metadata": '
    b'{"subject": "art"}}\n'
)
QUERIES = b'{"_id": "q1", "text": "which?"}\n{"_id": 2, "text": "why?"}\n'
QRELS = b"query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n2\td2\t3\n"
FILES = {"corpus.jsonl": CORPUS, "queries.jsonl": QUERIES, "qrels/test.tsv": QRELS}


def write(folder: Path, **changed: bytes | None) -> Path:
    """Write the files above; a keyword replaces the content of a file, and None omits the file."""
    keys = {"corpus": "corpus.jsonl", "queries": "queries.jsonl", "qrels": "qrels/test.tsv"}
    for name, content in {**FILES, **{keys[k]: v for k, v in changed.items()}}.items():
        if content is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder


def check(dataset: Dataset) -> None:
    assert dataset.documents == (
        Document("d1", "One", "first"),
        Document("d2", "", "second", "art"),
    )
    assert dataset.queries == {"q1": Query("q1", "which?"), "2": Query("2", "why?")}
    assert dataset.splits == {"test": {"q1": {"d1": 2, "d2": 0}, "2": {"d2": 3}}}


def test_a_folder(tmp_path: Path):
    dataset = load_dataset(write(tmp_path / "mine"))
    check(dataset)
    assert dataset.name == "mine"
    assert dataset.document_ids == ("d1", "d2")
    assert dataset.document["d2"].text == "second"
    assert dataset.judgments == {"q1": {"d1": 2, "d2": 0}, "2": {"d2": 3}}
    assert dataset.split_of == {"q1": "test", "2": "test"}


@pytest.mark.parametrize("top", ["", "mine/", "a/b/"])
def test_a_zip_with_and_without_a_folder_around_the_files(tmp_path: Path, top: str):
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__MACOSX/corpus.jsonl", "rubbish")
        for name, content in FILES.items():
            archive.writestr(top + name, content)
    dataset = load_dataset(path)
    check(dataset)
    assert dataset.name == "mine"


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path):
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    check(load_dataset(tmp_path))


@pytest.mark.parametrize(
    "qrels",
    [
        b"q1 0 d1 2\nq1 0 d2 0\n2 0 d2 3\n",  # TREC
        b"q1\t0\td1\t2\nq1\t0\td2\t0\n2\t0\td2\t3",
        b"q1\td1\t2\n\nq1\td2\t0\n   \n2\td2\t3\n",  # no header, blank lines
        b"q1 d1 2\r\nq1  d2  0\r\n2 d2 3\r\n",
    ],
)
def test_other_layouts_of_judgments(tmp_path: Path, qrels: bytes):
    check(load_dataset(write(tmp_path, qrels=qrels)))


def test_a_dataset_without_judgments(tmp_path: Path):
    dataset = load_dataset(write(tmp_path, qrels=None))
    assert dataset.splits == {}
    with pytest.raises(DataError, match=r"qrels/test\.tsv: no such split; available splits: none$"):
        dataset.qrels("test")


def test_an_unknown_split_lists_the_available_ones(tmp_path: Path):
    folder = write(tmp_path)
    (folder / "qrels" / "dev.tsv").write_text("q1\td1\t1\n")
    with pytest.raises(
        DataError, match=r"qrels/train\.tsv: no such split; available splits: dev, test$"
    ):
        load_dataset(folder).qrels("train")


BAD = {
    "no corpus": ({"corpus": None}, f"corpus.jsonl: file not found; {LAYOUT}"),
    "no queries": ({"queries": None}, f"queries.jsonl: file not found; {LAYOUT}"),
    "empty corpus": (
        {"corpus": b"\n \n"},
        (
            "corpus.jsonl: contains no document; write one JSON object per line with _id, title "
            "and text"
        ),
    ),
    "broken JSON": (
        {"corpus": CORPUS + b'{"_id": "d3", "text": \n'},
        "corpus.jsonl:3: broken JSON (Expecting value, column 23); correct or remove this line",
    ),
    "broken JSON of a query": (
        {"queries": b'\n{"_id": "q1" "text": "x"}\n'},
        (
            "queries.jsonl:2: broken JSON (Expecting ',' delimiter, column 14); correct or remove "
            "this line"
        ),
    ),
    "not an object": (
        {"corpus": b'["d1"]'},
        "corpus.jsonl:1: a JSON list, not an object; write one JSON object per line",
    ),
    "no id": (
        {"corpus": CORPUS + b'{"text": "x"}'},
        "corpus.jsonl:3: no _id; give every line its own _id",
    ),
    "blank id": (
        {"corpus": b'{"_id": " ", "text": "x"}'},
        "corpus.jsonl:1: no _id; give every line its own _id",
    ),
    "duplicate document": (
        {"corpus": CORPUS + b'{"_id": "d1", "text": "again"}'},
        "corpus.jsonl:3: _id 'd1' occurs twice; give every line its own _id",
    ),
    "duplicate query": (
        {"queries": QUERIES + b'{"_id": "2", "text": "again"}'},
        "queries.jsonl:3: _id '2' occurs twice; give every line its own _id",
    ),
    "empty text": (
        {"corpus": CORPUS + b'{"_id": "d3", "title": " ", "text": "\\n"}'},
        (
            "corpus.jsonl:3: document 'd3' has neither title nor text; give it a text or remove "
            "the line"
        ),
    ),
    "empty query": (
        {"queries": QUERIES + b'{"_id": "q3", "text": ""}'},
        "queries.jsonl:3: query 'q3' has an empty text; give it a text or remove the line",
    ),
    "text of another kind": (
        {"corpus": b'{"_id": "d1", "text": ["x"]}'},
        "corpus.jsonl:1: text is a list, not a text; write text as a JSON string",
    ),
    "not UTF-8": (
        {"queries": b'{"_id": "q1", "text": "caf\xe9"}'},
        "queries.jsonl: not UTF-8 at byte 26; save the file as UTF-8",
    ),
    "unknown document": (
        {"qrels": QRELS + b"q1\td9\t1\n"},
        (
            "qrels/test.tsv:5: judges the unknown document 'd9'; add it to corpus.jsonl or remove "
            "the line"
        ),
    ),
    "unknown query": (
        {"qrels": QRELS + b"\nq9\td1\t1\n"},
        (
            "qrels/test.tsv:6: judges the unknown query 'q9'; add it to queries.jsonl or remove "
            "the line"
        ),
    ),
    "grade of text": (
        {"qrels": b"q1\td1\thigh\n"},
        "qrels/test.tsv:1: grade 'high' is not a whole number; write a grade from 0 to 3",
    ),
    "grade too high": (
        {"qrels": b"q1\td1\t4\n"},
        "qrels/test.tsv:1: grade 4 is outside 0 to 3; map your grades to 0 (not relevant) to 3",
    ),
    "negative grade": (
        {"qrels": b"q1\td1\t-1\n"},
        "qrels/test.tsv:1: grade -1 is outside 0 to 3; map your grades to 0 (not relevant) to 3",
    ),
    "two columns": (
        {"qrels": QRELS + b"q1\td1\n"},
        "qrels/test.tsv:5: 2 columns; write query-id, corpus-id and score, separated by tabs",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_faulty_input_gives_one_line_with_file_line_and_remedy(tmp_path: Path, case: str):
    changed, expected = BAD[case]
    folder = write(tmp_path, **changed)
    with pytest.raises(DataError) as caught:
        load_dataset(folder)
    assert str(caught.value) == f"{tmp_path}/{expected}"


def test_faulty_input_in_a_zip_names_the_file_inside(tmp_path: Path):
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mine/corpus.jsonl", CORPUS + b"{\n")
        archive.writestr("mine/queries.jsonl", QUERIES)
    with pytest.raises(
        DataError,
        match=r"mine\.zip/mine/corpus\.jsonl:3: broken JSON \(.*\); correct or remove this line$",
    ):
        load_dataset(path)


def test_a_missing_path_and_a_file_that_is_not_a_zip(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path / "nowhere")
    assert str(caught.value) == f"{tmp_path}/nowhere: not found; {LAYOUT}"
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path / "text.zip")
    assert str(caught.value) == f"{tmp_path}/text.zip: neither a folder nor a zip; {LAYOUT}"


@pytest.mark.parametrize("metadata", [b'"art"', b'["art"]'])
def test_metadata_of_an_unexpected_type_does_not_crash(tmp_path: Path, metadata: bytes):
    folder = write(
        tmp_path, corpus=CORPUS + b'{"_id": "d3", "text": "x", "metadata": ' + metadata + b"}"
    )
    try:
        text = load_dataset(folder).document["d3"].text
    except DataError as error:
        text = "x" if error.line == 3 else ""
    assert text == "x"  # it is read, or the error names its line


def test_a_damaged_zip_gives_a_one_line_error(tmp_path: Path):
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b'"first"') + 1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"mine\.zip"):
        load_dataset(path)


def test_the_digest_depends_on_every_id_and_text_and_on_nothing_else(tmp_path: Path):
    digest = load_dataset(write(tmp_path / "a")).digest
    assert load_dataset(write(tmp_path / "b", qrels=b"q1\td2\t1\n")).digest == digest
    changes = [
        {"corpus": CORPUS.replace(b"first", b"First")},
        {"corpus": CORPUS.replace(b"One", b"Two")},
        {"corpus": CORPUS.replace(b'"d2"', b'"d3"'), "qrels": None},
        {"corpus": b"\n".join(reversed(CORPUS.splitlines())) + b"\n"},
        {"queries": QUERIES.replace(b"why", b"who")},
    ]
    digests = {
        load_dataset(write(tmp_path / f"c{i}", **changed)).digest
        for i, changed in enumerate(changes)
    }
    assert len(digests | {digest}) == len(changes) + 1


def test_texts_may_contain_unicode_line_separators(tmp_path: Path):
    folder = write_dataset(
        tmp_path / "x", [{"_id": "d1", "text": "one\u2028two\u0085three"}], qrels=""
    )
    (folder / "corpus.jsonl").write_text(
        '{"_id": "d1", "text": "one\u2028two\u0085three"}\n', encoding="utf-8"
    )
    assert load_dataset(folder).document["d1"].text == "one\u2028two\u0085three"
