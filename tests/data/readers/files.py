"""Files of small data sets, written for the tests of the readers."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Mapping
from pathlib import Path

CORPUS = (
    b'{"_id": "d1", "title": "One", "text": "first"}\n'
    b'{"_id": "d2", "text": "second", "metadata": {"subject": "art"}}\n'
)
QUERIES = b'{"_id": "q1", "text": "which?"}\n{"_id": 2, "text": "why?"}\n'
QRELS = b"query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n2\td2\t3\n"
BEIR = {"corpus.jsonl": CORPUS, "queries.jsonl": QUERIES, "qrels/test.tsv": QRELS}
"""A data set with two documents, two queries and three judgments."""


def write(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files into a folder, and return the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return folder


def pack(path: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files into a zip, and return its path."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
