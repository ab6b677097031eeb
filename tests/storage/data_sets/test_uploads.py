"""Uploaded files in the workspace, and what is read of hostile ones."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from imrnns_core.data.readers.load import load_dataset
from imrnns_core.errors import DataError
from imrnns_core.storage.data_sets import uploads
from imrnns_core.storage.data_sets.uploads import save_upload, save_uploaded_folder

TABLE = b"id,text\n1,one\n"
MD = ".md"  # the documents of this project are checked by their names


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("pages.csv", "pages.csv"),
        ("../../etc/passwd", "etc_passwd"),
        ("..\\..\\my pages.CSV", "my_pages.CSV"),
        ("a\x1b[31m\n.csv.gz", "a_31m_.csv.gz"),
        (".csv", "csv"),
        ("", "data"),
        ("x" * 300 + ".csv", "x" * 80 + ".csv"),
    ],
)
def test_a_file_is_kept_under_a_safe_name(tmp_path: Path, name: str, kept: str) -> None:
    path = save_upload(tmp_path, name, io.BytesIO(TABLE))
    assert path == tmp_path / "uploads" / kept
    assert path.read_bytes() == TABLE


def test_no_file_is_replaced_and_none_is_kept_twice(tmp_path: Path) -> None:
    def keep(name: str, content: bytes, *taken: str) -> str:
        return save_upload(tmp_path, name, io.BytesIO(content), taken).name

    assert keep("pages.csv", b"a") == "pages.csv"
    assert keep("pages.csv", b"b") == "pages-2.csv"
    # the data set would have the same name
    assert keep("pages.jsonl", b"c") == "pages-3.jsonl"
    assert keep("pages.csv", b"b", "pages", "pages-2") == "pages-2.csv"
    assert keep("sample.csv", b"a", "sample") == "sample-2.csv"
    assert sorted(p.name for p in (tmp_path / "uploads").iterdir()) == [
        *("pages-2.csv", "pages-3.jsonl", "pages.csv", "sample-2.csv"),
    ]


def test_a_bomb_leaves_no_file(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(3):
            archive.writestr(f"{i}.csv", bytes(100_000_000))
    with pytest.raises(DataError, match=r"bomb\.zip: unpacks to more than 100 times its size"):
        save_upload(tmp_path, "bomb.zip", bomb)
    assert list(tmp_path.rglob("*")) == []


def test_climbing_paths_and_links_in_an_uploaded_zip_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_bytes(b"id,text\n9,secret\n")
    link = zipfile.ZipInfo("linked.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("corpus.csv", TABLE)
        archive.writestr("../../secret.csv", "id,text\n8,climbed\n")
        archive.writestr("/tmp/absolute.csv", "id,text\n7,absolute\n")
        archive.writestr(link, str(tmp_path / "secret.csv"))
    dataset = load_dataset(save_upload(tmp_path / "space", "wiki.zip", content))
    assert [(d.id, d.text) for d in dataset.documents] == [("1", "one")]
    assert dataset.report.ignored == {
        "../../secret.csv": "its path leads out of the zip",
        "/tmp/absolute.csv": "its path leads out of the zip",
        "linked.csv": "a symbolic link",
    }
    files = [p.name for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(files) == ["secret.csv", "wiki.zip"]


def folder_of(**pages: str) -> list[tuple[str, io.BytesIO]]:
    return [(name, io.BytesIO(text.encode())) for name, text in pages.items()]


def test_an_uploaded_folder_is_read_with_its_relative_paths_as_ids(tmp_path: Path) -> None:
    files = folder_of(
        **{
            f"my wiki/hr/leave{MD}": "# Leave\nSixteen weeks.",
            "my wiki/it.txt": "Open a ticket.",
            "my wiki/../../climbed.txt": "# Climbed\nA secret.",
            "my wiki/..\\..\\back.txt": "# Back\nA secret.",
            "my wiki//etc/absolute.txt": "# Absolute\nA secret.",
        }
    )
    path = save_uploaded_folder(tmp_path, files)
    assert path == tmp_path / "uploads" / "my_wiki.zip"
    dataset = load_dataset(path)
    assert {d.id: d.title for d in dataset.documents} == {f"hr/leave{MD}": "Leave", "it.txt": "it"}
    assert dataset.report.ignored == dict.fromkeys(
        ("../../climbed.txt", "../../back.txt", "/etc/absolute.txt"),
        "its path leads out of the zip",
    )
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["my_wiki.zip"]
    assert save_uploaded_folder(tmp_path, files[::-1]) == path, "it is not kept twice"
    assert save_uploaded_folder(tmp_path, files[:1], ["my_wiki-2"]).name == "my_wiki-3.zip"


def test_a_folder_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = folder_of(**{"wiki/a.txt": "one", "wiki/b.txt": "three"})
    for name, limit in (("FOLDER_FILES", 1), ("FOLDER_BYTES", 7)):
        with monkeypatch.context() as patch:
            patch.setattr(uploads, name, limit)
            with pytest.raises(DataError, match=r"^wiki: has 2 files with 0 MB; at most .* path"):
                save_uploaded_folder(tmp_path, files)
    assert list(tmp_path.iterdir()) == []
