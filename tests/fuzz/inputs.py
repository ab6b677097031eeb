"""Well-formed and damaged inputs of every kind, as the files of a folder."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import faiss
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet
import torch
from hypothesis import strategies as st
from safetensors.torch import save

from imrnns_core.config import AdapterConfig
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.model.adapter_card import AdapterCard, TrainingOutcome, TrainingTexts
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.model.reference_package import reference_payload
from imrnns_core.retrieval.collection import Collection
from tests.fuzz.mutation import ODD_VALUES, TOKENS, damaged, damaged_json, damaged_records
from tests.toys import FakeEncoder, letters, random_model

Files = Mapping[str, bytes]

RECORDS = [
    {"_id": "d1", "title": "One", "text": "The first text, “quoted”.", "metadata": {"url": "a/d1"}},
    {"_id": "d2", "title": "", "text": "A second text;\nwith two lines | and marks"},
    {"_id": "3", "title": "Drei", "text": "ähnlich", "year": 2024},
]
QUESTIONS = [{"_id": "q1", "text": "which one?"}, {"_id": "2", "text": "what, and “why”?"}]
JUDGED = b"query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n2\t3\t0.5\n"
TREC_QRELS = b"q1 0 d1 2\nq1 0 d2 0\n2 0 3 1\n"
RUN = b"q1 Q0 d1 1 0.9 x\nq1 Q0 d2 2 0.5 x\n2 Q0 3 1 1e-3 x\n"
TOPICS = b"<top>\n<num> Number: q1\n<title> which one?\n<desc> Description:\nSay which.\n</top>\n"
XML = b'<topics><topic number="2"><query>what &amp; why</query><![CDATA[<a>]]></topic></topics>'
CSV = b'id,title,text\nd1,One,"The first, text"\nd2,,"two\nlines"\n'
MARKDOWN = b"---\ntitle: A page\nurl: https://a.b/c\n---\n# A page\n\nIts text & more.\n"
HTML = b"<html><head><title>T</title></head><body><main><h1>H</h1><p>Text &lt;b&gt;</p></main>"


def _lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:"
CORPUS, QUERIES = _lines(RECORDS), _lines(QUESTIONS)


def workbook() -> bytes:
    """Return an Excel file of two documents."""
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in (("id", "title", "text"), ("d1", "One", "first"), (2, None, 3.5)):
        book.active.append(row)
    book.save(stream)
    return stream.getvalue()


def open_document(cells: str = "<text:p>d1</text:p>", rows: int = 1, columns: int = 1) -> bytes:
    """Return an OpenDocument sheet with one cell."""
    stream = io.BytesIO()
    names = " ".join(f'xmlns:{n}="{NAMESPACE}{n}:1.0"' for n in ("office", "table", "text"))
    content = (
        f"<?xml version='1.0'?><office:document-content {names}><office:body><office:spreadsheet>"
        f'<table:table table:name="a"><table:table-row table:number-rows-repeated="{rows}">'
        f'<table:table-cell table:number-columns-repeated="{columns}" office:value-type="string">'
        f"{cells}</table:table-cell></table:table-row>"
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{NAMESPACE}manifest:1.0"/>',
        )
        archive.writestr("content.xml", content)
    return stream.getvalue()


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def parquet(table: pa.Table | dict[str, Any], **options: Any) -> bytes:
    """Return a Parquet file."""
    stream = io.BytesIO()
    table = table if isinstance(table, pa.Table) else pa.table(table)
    pyarrow.parquet.write_table(table, stream, **options)
    return stream.getvalue()


@st.composite
def one_damaged(draw: st.DrawFn, files: Files) -> dict[str, bytes]:
    """Draw the files, of which one or two are damaged."""
    result = dict(files)
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(sorted(files)))
        result[name] = draw(damaged(result[name], list(files.values())))
    return result


@st.composite
def repacked(draw: st.DrawFn, packed: bytes) -> bytes:
    """Draw a zip whose members are damaged, or renamed, and that may be damaged itself."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    changed = draw(one_damaged(members))
    names = st.sampled_from(("../up.csv", "/etc/x.csv", "C:\\x.csv", "a\nb.csv", "corpus.jsonl"))
    if draw(st.integers(0, 3)) == 0 and changed:
        changed[draw(names)] = changed.pop(draw(st.sampled_from(sorted(changed))))
    whole = zipped(changed, draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))))
    return draw(damaged(whole)) if draw(st.booleans()) else whole


def tables() -> st.SearchStrategy[Files]:
    """Draw a table of documents of any type, with queries and judgments beside it."""
    texts = {
        "corpus.jsonl": CORPUS,
        "corpus.json": json.dumps({"docs": RECORDS}).encode(),
        "corpus.csv": CSV,
        "corpus.tsv": CSV.replace(b",", b"\t"),
        "corpus.csv.gz": CSV,
        "pages.jsonl": CORPUS,
        "corpus.parquet": parquet(pa.Table.from_pylist([{**r, "metadata": None} for r in RECORDS])),
    }
    beside = {"queries.jsonl": QUERIES, "qrels/test.tsv": JUDGED}
    own = [one_damaged({name: content, **beside}) for name, content in texts.items()]
    odd = damaged_records(RECORDS).map(lambda text: {"corpus.json": text, **beside})
    topics = one_damaged({"corpus.jsonl": CORPUS, "topics.xml": XML, "queries.txt": TOPICS})
    return st.one_of(*own, odd, topics, odd_tables().map(lambda t: {"corpus.parquet": t}))


def sheets() -> st.SearchStrategy[Files]:
    """Draw an Excel or OpenDocument file."""
    excel = repacked(workbook()).map(lambda content: {"corpus.xlsx": content})
    return st.one_of(excel, repacked(open_document()).map(lambda c: {"corpus.ods": c}))


@st.composite
def odd_tables(draw: st.DrawFn) -> bytes:
    """Draw a Parquet file with columns of unusual types."""
    values = {
        "binary": pa.array([b"\xff\0", b"b", None]),
        "decimal": pa.array([1, 2, None], pa.decimal128(5, 2)),
        "time": pa.array([0, 2**62, None], pa.timestamp("ns")),
        "lists": pa.array([["a", None], [], None]),
        "numbers": pa.array([[1.0, 2.0], [float("nan"), 1.0], [0.0, 0.0]], pa.list_(pa.float32())),
        "records": pa.array([{"url": "u", "subject": 1}, None, {}]),
        "dates": pa.array([0, -(2**31), None], pa.date32()),
        "spans": pa.array([1, 2**62, None], pa.duration("ns")),
        "texts": pa.array(["a", "", "\x1b[31m\u202e\n"]),
        "words": pa.array(["a", "a", None]).dictionary_encode(),
    }
    names = ("id", "title", "text", "metadata", "vector", "query", "score", "")
    columns = draw(st.lists(st.sampled_from(names), min_size=1, max_size=5, unique=True))
    table = pa.table({name: values[draw(st.sampled_from(sorted(values)))] for name in columns})
    return draw(damaged(parquet(table))) if draw(st.booleans()) else parquet(table)


def pages() -> st.SearchStrategy[Files]:
    """Draw a folder of Markdown, text and HTML files."""
    return one_damaged({"a.md": MARKDOWN, "b/c.html": HTML, "d.txt": b"plain\n=====\ntext"})


def archives() -> st.SearchStrategy[Files]:
    """Draw a zip of a data set."""
    beir = {"x/corpus.jsonl": CORPUS, "x/queries.jsonl": QUERIES, "x/qrels/test.tsv": JUDGED}
    return repacked(zipped(beir)).map(lambda content: {"data.zip": content})


def judgments() -> st.SearchStrategy[Files]:
    """Draw a file of judgments."""
    table = [{"query-id": "q1", "corpus-id": "d1", "score": 1}]
    kinds: list[st.SearchStrategy[Files]] = [
        one_damaged({"qrels.tsv": JUDGED}),
        one_damaged({"qrels.trec": TREC_QRELS}),
        one_damaged({"qrels.csv": JUDGED.replace(b"\t", b",")}),
        one_damaged({"qrels.parquet": parquet(pa.Table.from_pylist(table))}),
        damaged_records(table).map(lambda text: {"qrels.json": text}),
    ]
    return st.one_of(*kinds)


def runs() -> st.SearchStrategy[Files]:
    """Draw a run."""
    table = [{"query": "q1", "document": "d1", "score": 0.5, "rank": 1}]
    kinds: list[st.SearchStrategy[Files]] = [
        one_damaged({"run.trec": RUN}),
        one_damaged({"run.csv": b"query,document,score\nq1,d1,0.5\n2,3,7\n"}),
        damaged_records(table).map(lambda text: {"run.json": text}),
        odd_tables().map(lambda content: {"run.parquet": content}),
    ]
    return st.one_of(*kinds)


def npy(vectors: np.ndarray[Any, Any], header: bytes | None = None) -> bytes:
    """Return a .npy file, with another header if one is given."""
    stream = io.BytesIO()
    np.save(stream, vectors)
    content = stream.getvalue()
    if header is None:
        return content
    body = content[10 + struct.unpack("<H", content[8:10])[0] :]
    header = header[:60_000]
    return content[:6] + b"\2\0" + struct.pack("<I", len(header)) + header + body


VECTORS = np.arange(12, dtype=np.float32).reshape(3, 4) / 7
IDS = b"d1\nd2\n3\n"
HEADER = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\n"
HEADERS = (
    HEADER,
    HEADER.replace(b"(3, 4)", b"(30000000000, 4)"),
    HEADER.replace(b"(3, 4)", b"(-1, 4)"),
    HEADER.replace(b"(3, 4)", b"(100000, 100000)"),
    HEADER.replace(b"<f4", b"|O"),
    HEADER.replace(b"'<f4'", b"'<f4', 'x': __import__('os')"),
    HEADER.replace(b"'<f4'", b"[('a', '<f4', (1000000, 1000000))]"),
    b"(" * 9_000,
)


@st.composite
def vectors(draw: st.DrawFn) -> Files:
    """Draw precomputed embeddings: .npy, .npz or Parquet."""
    headers = st.sampled_from(HEADERS) | damaged(HEADER)
    matrix = draw(damaged(npy(VECTORS)) | headers.map(lambda header: npy(VECTORS, header)))
    kind = draw(st.sampled_from(("folder", "npz", "parquet", "odd")))
    if kind == "folder":
        return {"documents.npy": matrix, "document_ids.txt": draw(damaged(IDS))}
    if kind == "npz":
        ids = io.BytesIO()
        np.save(ids, np.array(["d1", "d2", "3"]))
        packed = zipped(
            {"documents.npy": matrix, "document_ids.npy": draw(damaged(ids.getvalue()))}
        )
        return {"vectors.npz": draw(damaged(packed)) if draw(st.booleans()) else packed}
    if kind == "odd":
        return {"vectors.parquet": draw(odd_tables())}
    rows = draw(damaged_json([["d1", [0.5, 1.0]], ["d2", [0.1, 2.0]]]))
    try:
        table = pa.table({"id": [r[0] for r in rows], "vector": [r[1] for r in rows]})
        return {"vectors.parquet": draw(damaged(parquet(table)))}
    except (TypeError, IndexError, KeyError, pa.ArrowException, OverflowError):
        return {"vectors.parquet": draw(odd_tables())}


def _indexes() -> dict[str, bytes]:
    flat, hnsw = faiss.IndexFlatIP(4), faiss.IndexHNSWFlat(4, 2)
    quantizer = faiss.IndexFlatL2(4)
    ivf, mapped = faiss.IndexIVFFlat(quantizer, 4, 1), faiss.IndexIDMap(faiss.IndexFlatIP(4))
    ivf.train(VECTORS)
    for index in (flat, hnsw, ivf):
        index.add(VECTORS)
    mapped.add_with_ids(VECTORS, np.arange(3))
    own = {"flat": flat, "hnsw": hnsw, "ivf": ivf, "mapped": mapped}
    return {name: faiss.serialize_index(index).tobytes() for name, index in own.items()}


INDEXES = _indexes()
TABLE = _lines([{"id": i, "text": f"text {i}"} for i in range(3)])


@st.composite
def indexes(draw: st.DrawFn) -> Files:
    """Draw a FAISS index and its table."""
    index = draw(damaged(INDEXES[draw(st.sampled_from(sorted(INDEXES)))], list(INDEXES.values())))
    return {
        "a.faiss": index,
        "table.jsonl": _lines([{"id": i, "text": f"text {i}"} for i in range(3)]),
    }


CARD = asdict(
    AdapterCard(
        *("toy", 4, 3, "fake", "supervised", "data", "digest", "train"),
        texts=TrainingTexts(["aa"], ["bb"], ["negatives"], ["cc"]),
        config={"seed": 1, "memory": {"sentences": 3}},
        history=[{"epoch": 1, "loss": 0.5}],
        outcome=TrainingOutcome(
            *("trained", 2, 0.5, 0.4, {"sentences": 3}),
            notes=["a note"],
        ),
    )
) | {"schema": 3}
CARD["outcome"]["left_out"] = {
    **{"queries": 3, "base": 0.1, "complete": 0.2, "left_out": 0.1, "extended": 0.2},
    **{"change_ci95": [0.1, 0.2], "p": 0.5},
}
CARD["outcome"]["selection"] = {
    **{"recipe": "supervised", "queries": 3, "folds": 5, "base": 0.1},
    "recipes": {"supervised": {"ndcg": 0.5, "gain_error": 0.1}},
}


def tensors() -> dict[str, torch.Tensor]:
    """Return the tensors of a small adapter."""
    return dict(random_model(1, 4, 3).state_dict())


def safetensors(header: dict[str, Any] | bytes, body: bytes) -> bytes:
    """Return a safetensors file with this header."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + body


@st.composite
def adapters(draw: st.DrawFn) -> Files:
    """Draw an adapter file with its card inside or beside it, or one of the reference package."""
    kind = draw(st.sampled_from(("card inside", "card beside", "header", "reference", "odd")))
    if kind in ("reference", "odd"):
        return {"a.pt": draw(reference_files(kind == "odd"))}
    card = draw(damaged_records(CARD))
    if kind == "card beside":
        return {"a.safetensors": save(tensors()), "a.json": card}
    text = card.decode(errors="replace")
    whole = save(tensors(), {"card": text} if kind == "card inside" else None)
    if kind == "card inside":
        return {"a.safetensors": whole}
    length = struct.unpack("<Q", whole[:8])[0]
    header, body = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    return {"a.safetensors": safetensors(draw(damaged_records(header)), body)}


REFERENCE = {
    name: torch.linspace(-1, 1, weights.numel()).reshape(weights.shape)
    for name, weights in IMRNN(AdapterConfig(4, 4)).state_dict().items()
}
"""The tensors of an adapter that the reference package can load."""


@st.composite
def reference_files(draw: st.DrawFn, odd: bool) -> bytes:
    """Draw a `.pt` file, whose tensors or metadata may be odd."""
    payload = reference_payload(REFERENCE, AdapterConfig(4, 4), AdapterCard("a", 4, 4))
    if odd:
        names = sorted(payload["model_state"])
        wrong = (torch.zeros(1).expand(60_000, 60_000), torch.zeros(2, 0), torch.tensor(1), None)
        payload["model_state"][draw(st.sampled_from(names))] = draw(st.sampled_from(wrong))
        payload["metadata"]["dataset"] = draw(st.sampled_from(ODD_VALUES))
    stream = io.BytesIO()
    torch.save(payload, stream)
    return draw(damaged(stream.getvalue())) if not odd else stream.getvalue()


def records_of(value: Any, name: str) -> Callable[[], st.SearchStrategy[Files]]:
    """Return a strategy of a JSON file with damaged values."""
    return lambda: damaged_records(value).map(lambda text: {name: text})


REGISTRY = {
    "data": {
        **{"path": "/a/b", "embeddings": None, "queries": None, "columns": {"text": "t"}},
        "encoder": {"name": "fake", "revision": None, "query_prefix": "", "document_prefix": ""},
    }
}
BASELINE = {
    **{"dataset": "toy", "split": "test", "adapter": None, "scope": "candidates", "top_k": 10},
    "queries": [
        {"query_id": "q1", "best_relevant_rank": {"base": 1, "modulated": 2}},
        {"query_id": "gone", "best_relevant_rank": {"base": None}},
    ],
}
LINK_VALUES = st.one_of(
    st.text(max_size=50),
    st.sampled_from(TOKENS).map(lambda token: token.decode(errors="replace")),
    st.sampled_from(("10", "-1", "nan", "1e999", "yes", "all", "only:d1,d2", "%", "%00", "none")),
)


def toy_collection(dataset: Dataset) -> Collection:
    """Return a collection with vectors for these texts."""
    documents, queries = (
        [t.text for t in texts] for texts in (dataset.documents, dataset.queries.values())
    )
    return Collection(
        dataset,
        EmbeddingMatrix(dataset.document_ids, letters(documents)),
        EmbeddingMatrix(tuple(dataset.queries), letters(queries)),
        FakeEncoder(),
    )
