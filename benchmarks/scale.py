"""Measure the modulated ranking of whole corpora of 10⁴ to 10⁷ vectors.

    python -m benchmarks.scale --json FILE [--sizes 10000 100000 1000000 10000000]

The largest size needs 31 GB of the disk; set TMPDIR to a folder on a disk.

The vectors lie in clusters, as embeddings do; a query is a document with noise. The adapter is the
sample's `sample-paper`. Each size runs in a process of its own, so that its peak memory is known.
The corpus is read from a memory-mapped file. Two searches are two flat FAISS searches of the same
batch of queries; where the vectors do not fit into memory, two searches of our own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reference import flat_index
from imrnns_core.config import SearchConfig
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import EmbeddingMatrix, unit
from imrnns_core.data.records import Document, Query
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.types import FloatArray

DIMENSION, QUERIES, TRUE_QUERIES, REPEATS = 384, 64, 16, 5
BLOCK = 100_000
SIZES = (10_000, 100_000, 1_000_000)


def clustered(path: Path, size: int, generator: np.random.Generator) -> FloatArray:
    """Write unit vectors in clusters of about 100 to a file; return them memory-mapped."""
    centres = generator.standard_normal((max(10, size // 100), DIMENSION), dtype=np.float32)
    written = np.lib.format.open_memmap(path, "w+", np.float32, (size, DIMENSION))
    for start in range(0, size, BLOCK):
        count = min(BLOCK, size - start)
        noise = generator.standard_normal((count, DIMENSION), dtype=np.float32)
        own = centres[generator.integers(len(centres), size=count)]
        written[start : start + count] = unit(own + 0.7 * noise)
    written.flush()
    del written
    return np.asarray(np.load(path, mmap_mode="r"))


def measure(size: int, folder: Path) -> dict[str, Any]:
    """Return times, shares and peak memory for a corpus of this size."""
    generator = np.random.default_rng(0)
    vectors = clustered(folder / "vectors.npy", size, generator)
    near = vectors[generator.integers(size, size=QUERIES)]
    queries = unit(near + generator.standard_normal(near.shape, dtype=np.float32) / 25)
    ids = tuple(str(i) for i in range(size))
    names = tuple(f"q{i}" for i in range(QUERIES))
    dataset = Dataset(
        "scale", folder, tuple(Document(i, "", "") for i in ids), {q: Query(q, q) for q in names}
    )
    collection = Collection(
        dataset,
        EmbeddingMatrix(ids, vectors),
        EmbeddingMatrix(names, queries),
        SentenceTransformerEncoder(),
    )
    record: dict[str, Any] = {"size": size}
    start = time.perf_counter()
    _ = collection.ranked
    record["index_seconds"] = time.perf_counter() - start
    config = SearchConfig(scope="corpus", exact_pass=False)
    adapter = load_adapter(ASSETS_FOLDER / "sample-paper.safetensors")
    ranker = Ranker(collection, adapter, config)
    start = time.perf_counter()
    ranker.rank_queries(names[:1])
    record["bounds_seconds"] = time.perf_counter() - start

    ranker.rank_queries(names)
    record["own_gb"] = own_memory()
    record["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # without FAISS
    # the index of FAISS would be in memory, whatever its size
    is_in_file = isinstance(collection.index.vectors, np.memmap)
    flat = collection.index if is_in_file else flat_index(collection.index.vectors)

    def two_searches() -> None:
        for _ in range(2):
            flat.search(queries, config.candidates)

    pairs = [
        (_seconds(two_searches), _seconds(lambda: ranker.rank_queries(names)))
        for _ in range(REPEATS)
    ]
    record["two_searches_ms"] = 1e3 * float(np.median([a for a, _ in pairs])) / QUERIES
    record["corpus_ms"] = 1e3 * float(np.median([b for _, b in pairs])) / QUERIES
    record["corpus_over_two_searches"] = float(np.median([b / a for a, b in pairs]))
    record |= _found(ranker, names)
    return record


def _found(ranker: Ranker, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the share of the true top 10 found, that of queries proven, and the exact pass."""
    from benchmarks.whole_corpus import exact_top

    some = names[:TRUE_QUERIES]
    start = time.perf_counter()
    true = exact_top(ranker, some, 10)
    exact = 1e3 * (time.perf_counter() - start) / TRUE_QUERIES
    batch = ranker.rank_queries(some)
    top = [rows[:10] for rows in batch.ranked_rows("modulated")]
    found = [len({*a} & {*b}) / 10 for a, b in zip(top, true, strict=True)]
    proven = [each.proof != "not proven" for each in batch.certainty]
    return {
        "exact_ms": exact,
        "top10_found": float(np.mean(found)),
        "proven": float(np.mean(proven)),
    }


def own_memory() -> float:
    """Return the gigabytes in memory that are no pages of a file; those can be dropped."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("RssAnon"))
    return int(kilobytes) / 1e6


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure all sizes, each in a process of its own; print the records and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(options.one, Path(folder))))
        return
    records = []
    for size in options.sizes:
        command = [sys.executable, "-m", "benchmarks.scale", "--one", str(size)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        records.append(json.loads(done.stdout))
        print(json.dumps(records[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
