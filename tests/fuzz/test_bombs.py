"""Small files that unpack to endless data are refused before they take the memory."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from imrnns_core.config import AdapterConfig
from imrnns_core.data.embedding_files import read_embeddings
from imrnns_core.data.readers import unpacked_size
from imrnns_core.data.readers.files import list_files
from imrnns_core.data.readers.load import load_dataset
from imrnns_core.errors import LensError
from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.model.reference_package import REFERENCE_FORMATS
from imrnns_core.storage.data_sets.uploads import save_uploaded_folder
from tests.data.readers.files import write
from tests.fuzz import inputs
from tests.fuzz.limits import limited, refusal

FILLER = 60_000_000
GROWS = "unpacks to more than 100 times its size"


def zeros(name: str, size: int = FILLER, line: bytes = b"") -> bytes:
    """Return a zip of one file of zeros, or of one line again and again."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w") as file,
    ):
        part = (line or b"\0") * (1_000_000 // len(line or b"\0"))
        for _ in range(size // len(part)):
            file.write(part)
    return stream.getvalue()


def test_a_zip_bomb_is_refused(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(zeros("corpus.jsonl"))
    assert GROWS in refusal(load_dataset, tmp_path / "a.zip")


def test_a_zip_that_understates_its_sizes_is_refused(tmp_path: Path):
    content = bytearray(zeros("corpus.jsonl", 300_000_000))
    for mark, at in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        start = content.index(mark) + at
        content[start : start + 4] = (1000).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(content)
    assert "a.zip" in refusal(load_dataset, tmp_path / "a.zip")


def test_many_members_are_refused_together(tmp_path: Path):
    content = zeros("x/corpus.jsonl", 20_000_000)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        one = archive.read("x/corpus.jsonl")
    many = inputs.zipped({f"{i}.md": one for i in range(10)})
    (tmp_path / "a.zip").write_bytes(many)
    assert GROWS in refusal(load_dataset, tmp_path / "a.zip")


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unpacked_size, "MAX_MEMBERS", 10)
    (tmp_path / "a.zip").write_bytes(inputs.zipped({f"{i}.md": b"x" for i in range(11)}))
    assert "has 11 files, more than 10" in refusal(load_dataset, tmp_path / "a.zip")


@pytest.mark.parametrize("line", [b"{}\n", b'{"a":1}\n', b"a\n"])
def test_endless_small_records_are_refused(tmp_path: Path, line: bytes):
    (tmp_path / "corpus.jsonl.gz").write_bytes(
        gzip.compress((b'{"text":"a"}\n' if line == b"{}\n" else line) * 6_000_000)
    )
    assert len(refusal(load_dataset, tmp_path)) > 20


def test_endless_objects_of_an_array_are_refused(tmp_path: Path):
    whole = b"[" + b'{"a":1},' * 5_000_000 + b"{}]"
    (tmp_path / "corpus.json.gz").write_bytes(gzip.compress(whole))
    assert "more than" in refusal(load_dataset, tmp_path)


def test_endless_objects_in_an_object_are_refused(tmp_path: Path):
    (tmp_path / "corpus.json").write_bytes(b'{"a":[' + b"{}," * 3_000_000 + b"{}]}")
    assert "write JSON lines" in refusal(load_dataset, tmp_path)


@pytest.mark.parametrize("name", ["../up.jsonl", "/etc/up.jsonl", "C:\\up.jsonl", "a/../../b.md"])
def test_climbing_paths_are_left_out(tmp_path: Path, name: str):
    (tmp_path / "a.zip").write_bytes(
        inputs.zipped({name: b'{"text": "secret"}', "corpus.jsonl": inputs.CORPUS})
    )
    listing = list_files(tmp_path / "a.zip")
    assert [file.name for file in listing.files] == ["corpus.jsonl"]
    assert listing.ignored == {name.replace("\\", "/"): "its path leads out of the zip"}


def test_a_nested_archive_is_left_out(tmp_path: Path):
    inner = inputs.zipped({"corpus.jsonl": inputs.CORPUS})
    (tmp_path / "a.zip").write_bytes(inputs.zipped({"b.zip": inner, "corpus.jsonl": inputs.CORPUS}))
    listing = list_files(tmp_path / "a.zip")
    assert listing.ignored == {"b.zip": "an archive in the folder or zip; unpack it"}
    assert len(load_dataset(tmp_path / "a.zip").documents) == 3


def test_a_tar_is_no_data_set(tmp_path: Path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo("corpus.jsonl")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert "root:" not in refusal(load_dataset, tmp_path / "a.tar.gz")


def test_links_lead_out_of_a_folder_only_into_the_cache_of_a_hub(tmp_path: Path):
    secret = tmp_path / "secret.md"
    secret.write_text("secret")
    folder = write(tmp_path / "pages", {"a.md": b"one", "c/d.md": b"two"})
    (folder / "link.md").symlink_to(secret)
    (folder / "up").symlink_to(tmp_path)
    (folder / "own.md").symlink_to(folder / "c" / "d.md")
    listing = list_files(folder)
    assert [file.name for file in listing.files] == ["a.md", "c/d.md", "own.md"]
    assert listing.ignored == {"link.md": "a symbolic link that leads out of the folder"}
    hub = write(tmp_path / "datasets--a--b", {"blobs/1": inputs.CORPUS, "snapshots/r/x": b""})
    (hub / "snapshots" / "r" / "corpus.jsonl").symlink_to(hub / "blobs" / "1")
    assert len(load_dataset(hub / "snapshots" / "r").documents) == 3


def sheet(cells: str) -> bytes:
    """Return an Excel file whose only sheet has these cells."""
    with zipfile.ZipFile(io.BytesIO(inputs.workbook())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    own = f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'
    return inputs.zipped({**files, "xl/worksheets/sheet1.xml": own.encode()})


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="9"><c r="XFD1048576"><v>2</v></c></row>',
        "<row r='1'><c r = 'A1'><v>1</v></c></row><row r='1048576'><c r='XFD1048576'/></row>",
        '<row r="1"><c r="ZZZ1"/></row><row r="1048576"><c/></row>',
    ],
)
def test_a_sheet_with_far_cells_is_refused(tmp_path: Path, cells: str):
    (tmp_path / "corpus.xlsx").write_bytes(sheet(cells))
    assert "cells, more than 10,000,000" in refusal(load_dataset, tmp_path)


def test_an_open_document_with_repeated_cells_is_refused(tmp_path: Path):
    content = inputs.open_document(rows=1_048_576, columns=16_384)
    (tmp_path / "corpus.ods").write_bytes(content)
    assert "cells, more than 10,000,000" in refusal(load_dataset, tmp_path)


def test_a_sheet_that_unpacks_to_much_is_refused(tmp_path: Path):
    (tmp_path / "corpus.xlsx").write_bytes(zeros("xl/worksheets/sheet1.xml"))
    assert GROWS in refusal(load_dataset, tmp_path)


def test_endless_values_of_a_parquet_file_are_refused(tmp_path: Path):
    table = pa.table(
        {"id": pa.array([1]).take(pa.array([0] * 5_000_000)), "text": ["a"] * 5_000_000}
    )
    (tmp_path / "corpus.parquet").write_bytes(inputs.parquet(table, compression="zstd"))
    assert "10,000,000 values in" in refusal(load_dataset, tmp_path)


def test_one_long_text_in_many_rows_of_a_parquet_file_takes_its_memory_once(tmp_path: Path):
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000), pa.array(["long " * 200_000]))
    table = pa.table({"text": texts})
    content = inputs.parquet(table, compression="zstd")
    assert len(content) < 5_000_000
    (tmp_path / "corpus.parquet").write_bytes(content)

    with limited(seconds=30):
        assert len(load_dataset(tmp_path).documents) == 50_000


@pytest.mark.parametrize("name", ["documents.npy", "a.npz"])
def test_a_header_that_names_more_than_the_file_has_is_refused(tmp_path: Path, name: str):
    array = inputs.npy(inputs.VECTORS, inputs.HEADERS[3])
    write(tmp_path, {"documents.npy": array, "document_ids.txt": b"d1\n"})
    (tmp_path / "a.npz").write_bytes(inputs.zipped({"documents.npy": array}))
    path = tmp_path if name == "documents.npy" else tmp_path / name
    assert "its header names 40,000,000,000 bytes" in refusal(read_embeddings, path)


def test_an_npz_bomb_is_refused(tmp_path: Path):
    (tmp_path / "a.npz").write_bytes(zeros("documents.npy"))
    assert GROWS in refusal(read_embeddings, tmp_path / "a.npz")


def test_tensors_larger_than_their_file_are_refused(tmp_path: Path):
    state = {"projector.weight": torch.zeros(1).expand(60_000, 60_000)}
    payload = {"metadata": {"checkpoint_format": REFERENCE_FORMATS[0]}, "model_state": state}
    torch.save(payload, tmp_path / "a.pt")
    assert "larger than the file" in refusal(load_adapter, tmp_path / "a.pt")


def test_a_dimension_without_bytes_is_refused(tmp_path: Path):
    header = {
        "projector.weight": {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]},
        **{
            f"{own}.layers.{i}.weight": {
                **{"dtype": "F32", "shape": [10**9, 0], "data_offsets": [64, 64]}
            }
            for own in ("query_adapter", "document_adapter")
            for i in (0, 2)
        },
    }
    (tmp_path / "a.safetensors").write_bytes(inputs.safetensors(header, bytes(64)))
    assert "fewer values" in refusal(load_adapter, tmp_path / "a.safetensors")


def test_billion_laughs_in_front_matter_stay_small(tmp_path: Path):
    laughs = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    page = f"---\na0: &a0 [lol]\n{laughs}title: *a11\n---\ntext"
    (tmp_path / "a.md").write_text(page)

    with limited():
        (document,) = load_dataset(tmp_path).documents
    assert (document.title, document.text) == ("a", "text")


def test_endless_tags_are_left_out(tmp_path: Path):
    write(tmp_path, {"a.html": b"<b>" * 2_000_000, "b.html": inputs.HTML})

    with limited():
        report = load_dataset(tmp_path).report
    assert [kind.problem for kind in report.files[0].irregularities] == [
        "with more than 100,000 tags"
    ]


def test_an_uploaded_folder_is_bounded(tmp_path: Path):
    files = [(f"a/{i}", io.BytesIO()) for i in range(10_001)]
    with pytest.raises(LensError, match="at most 10,000 files"):
        save_uploaded_folder(tmp_path, files)


def test_a_file_without_a_name_in_a_zip_is_left_out(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"text")
        archive.writestr("corpus.jsonl", inputs.CORPUS)
    assert [file.name for file in list_files(tmp_path / "a.zip").files] == ["corpus.jsonl"]


def test_the_number_of_weights_is_that_of_the_model():
    for config in (AdapterConfig(7, 5, (4, 3)), AdapterConfig(4, 4, (4, 3), (9, 2))):
        assert config.parameters == sum(w.numel() for w in IMRNN(config).parameters())
