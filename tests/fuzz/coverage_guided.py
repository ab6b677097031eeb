"""Let atheris look for inputs that reach new code of the parsers: `make fuzz`.

The first byte of an input chooses the file that it is the content of. An exception other than a
LensError, five seconds or two gigabytes end the run, and the input is kept in `.fuzz/`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["imrnns_core.data", "imrnns_core.model", "dashboard"]):
    from dashboard import selection
    from tests.data.readers.files import write
    from tests.fuzz import inputs
    from tests.fuzz.limits import read_or_refuse
    from tests.fuzz.readers import READERS

FOLDER = Path(".fuzz")
SEEDS = (
    ("tables", "corpus.jsonl", inputs.CORPUS),
    ("tables", "corpus.json", b"[" + inputs.CORPUS.replace(b"\n", b",")[:-1] + b"]"),
    ("tables", "corpus.csv", inputs.CSV),
    ("tables", "corpus.tsv", inputs.CSV.replace(b",", b"\t")),
    ("tables", "corpus.parquet", inputs.parquet({"id": ["a"], "text": ["b"]})),
    ("sheets", "corpus.xlsx", inputs.workbook()),
    ("sheets", "corpus.ods", inputs.open_document()),
    ("pages", "a.md", inputs.MARKDOWN),
    ("pages", "a.html", inputs.HTML),
    ("zips", "data.zip", inputs.zipped({"corpus.jsonl": inputs.CORPUS})),
    ("judgments", "qrels.tsv", inputs.JUDGED),
    ("judgments", "qrels.trec", inputs.TREC_QRELS),
    ("runs", "run.trec", inputs.RUN),
    ("vectors", "vectors.npz", inputs.zipped({"documents.npy": inputs.npy(inputs.VECTORS)})),
    ("adapters", "a.safetensors", inputs.save(inputs.tensors())),
    ("registries", "data.json", b"{}"),
    ("baselines", "baseline.json", b"{}"),
)
"""Reader, name of the file, and a well-formed content of it."""


def read(content: bytes) -> None:
    """Read a content as the file that its first byte chooses, or as a link."""
    kind, rest = content[0] % (len(SEEDS) + 1) if content else 0, content[1:]
    if kind == len(SEEDS):
        pairs = (part.partition("=") for part in rest.decode(errors="replace").split("&"))
        selection.parse({name: value for name, _, value in pairs})
        return
    reader, name, _ = SEEDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        read_or_refuse(READERS[reader].read, write(Path(folder), {name: rest}))


def main() -> None:
    """Write the seeds, and fuzz from them until the time is over."""
    corpus = FOLDER / "inputs"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, (_, name, content) in enumerate(SEEDS):
        (corpus / f"seed-{name}").write_bytes(bytes([number]) + content)
    (corpus / "seed-link").write_bytes(bytes([len(SEEDS)]) + b"data=a&query=1&alpha=0.5&dropped=d")
    options = [f"-artifact_prefix={FOLDER}/", "-timeout=10", "-rss_limit_mb=4000"]
    atheris.Setup([sys.argv[0], *options, *sys.argv[1:], str(corpus)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
