"""Keep a workspace of a released version, with what it ranked and measured.

    python -m tests.storage.workspaces.build FOLDER

FOLDER has the code of the version. Its commands make the workspace, and `VERSION.zip` keeps it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

HOME = "{HOME}"
"""Written into `datasets.json` in place of the folder of the workspace."""
TOPICS = ("rivers", "coins", "chess", "bread", "stars", "trains")
DIMENSION = 8
ADAPTER = """
import torch
from imrnns_core.config import AdapterConfig
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.model.checkpoint import Adapter, save_adapter
from imrnns_core.model.imrnn import IMRNN
from pathlib import Path
torch.manual_seed(3)
model = IMRNN(AdapterConfig(8, 8, (8, 8))).eval()
card = AdapterCard("toy", 8, 8, recipe="reference", dataset="toy")
save_adapter(Adapter(model, card), Path("workspace/adapters/toy.safetensors"))
"""


def write_data(folder: Path) -> None:
    """Write `toy` with its embeddings, and `pages`, which the version encodes."""
    rng, draw = np.random.default_rng(7), random.Random(0)
    centres = rng.standard_normal((len(TOPICS), DIMENSION))
    documents, queries, lines = list[str](), list[str](), ["query-id\tcorpus-id\tscore"]
    for topic in TOPICS:
        for i in range(4):
            text = f"A short page about {topic}, number {i}."
            documents.append(json.dumps({"_id": f"{topic}-{i}", "title": topic, "text": text}))
        for i in range(5):
            text = f"Which {topic} are meant by question {i}?"
            queries.append(json.dumps({"_id": f"q-{topic}-{i}", "text": text}))
            lines.append(f"q-{topic}-{i}\t{topic}-{draw.randrange(4)}\t1")
    _write(folder / "toy", documents, queries, lines)
    embeddings = folder / "embeddings"
    embeddings.mkdir()
    for stem, records, each in (("document", documents, 4), ("query", queries, 5)):
        vectors = np.repeat(centres, each, axis=0) + 0.9 * rng.standard_normal(
            (each * len(TOPICS), DIMENSION)
        )
        unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        plural = {"document": "documents", "query": "queries"}[stem]
        np.save(embeddings / f"{plural}.npy", unit)
        ids = "".join(f"{json.loads(record)['_id']}\n" for record in records)
        (embeddings / f"{stem}_ids.txt").write_text(ids)
    texts = ("Cats sleep a lot.", "Trains run on rails.", "Bread is baked from dough.")
    _write(
        folder / "pages",
        [json.dumps({"_id": name, "text": text}) for name, text in zip("abc", texts, strict=True)],
        ['{"_id": "q", "text": "What is baked?"}'],
        ["query-id\tcorpus-id\tscore", "q\tc\t1"],
    )


def _write(folder: Path, documents: list[str], queries: list[str], lines: list[str]) -> None:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("\n".join(documents) + "\n")
    (folder / "queries.jsonl").write_text("\n".join(queries) + "\n")
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Run the commands of the version and write the zip beside this file."""
    environment = {**os.environ, "PYTHONPATH": str(Path(sys.argv[1]).absolute())}
    with tempfile.TemporaryDirectory() as home:

        def run(*arguments: str) -> str:
            return subprocess.run(
                [sys.executable, *arguments], cwd=home, env=environment, check=True,
                capture_output=True, text=True,
            ).stdout  # fmt: skip

        def lens(*arguments: str) -> None:
            run("-m", "imrnns_core.cli", *arguments, "--workspace", "workspace")

        write_data(Path(home))
        lens("prepare", "toy", "--embeddings", "embeddings")
        lens("prepare", "pages")
        run("-c", ADAPTER)
        lens("search", "toy", "q-chess-1", "--adapter", "toy", "--json", "search.json")
        lens("search", "pages", "q", "--adapter", "sample-adapter", "--json", "pages.json")
        lens("evaluate", "toy", "--adapter", "toy", "--split", "test", "--json", "evaluate.json")
        registry = Path(home) / "workspace" / "datasets.json"
        registry.write_text(registry.read_text().replace(home, HOME))
        version = run("-c", "import imrnns_core; print(imrnns_core.__version__)").strip()
        target = Path(__file__).parent / f"{version}.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as kept:
            for path in sorted(Path(home).rglob("*")):
                if path.is_file() and not path.name.endswith(".lock"):
                    kept.write(path, path.relative_to(home))
        print(f"{target}: {target.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
