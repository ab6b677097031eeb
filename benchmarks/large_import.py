"""Import 100,000 documents of 100 words and show them on the page Data, without encoding.

`python -m benchmarks.large_import` measures time and memory in a process of its own; the goal is at
most 60 seconds and 2 GB of resident memory.
"""

from __future__ import annotations

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

DOCUMENTS, WORDS, VOCABULARY, QUERIES = 100_000, 100, 50_000, 100
GOAL_SECONDS, GOAL_GB = 60, 2.0
_MEASURE = "--measure"


def generate(folder: Path) -> None:
    """Write a table of documents, one of queries with their expected documents, and a run.

    The words are as frequent as in a language (Zipf). The texts come with the same seed each time.
    """
    generator = np.random.default_rng(0)
    syllables = np.array([a + b for a in "bdfgklmnprst" for b in "aeiou"])
    parts = generator.choice(syllables, (VOCABULARY, 4))
    words = np.array(["".join(row) for row in parts])
    shares = 1 / np.arange(1, VOCABULARY + 1)
    shares /= shares.sum()
    with (folder / "large.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "title", "text"])
        for number in range(DOCUMENTS):
            chosen = words[generator.choice(VOCABULARY, WORDS, p=shares)].tolist()
            table.writerow([f"d{number}", " ".join(chosen[:4]), " ".join(chosen)])
    picked = generator.choice(DOCUMENTS, QUERIES, replace=False).tolist()
    rows = [f"q{i},{words[i]} {words[-i - 1]},d{row}" for i, row in enumerate(picked)]
    (folder / "asked.csv").write_text("\n".join(["id,query,document", *rows, ""]))
    run = [f"q{i} Q0 d{row} 1 1.0 engine" for i, row in enumerate(picked)]
    (folder / "engine.run").write_text("\n".join([*run, ""]))


def measure(folder: Path) -> None:
    """Import the files as the page does, show the page, and print times and memory."""
    from streamlit.testing.v1 import AppTest

    from dashboard.services.data_sets import counts, imports
    from dashboard.services.data_sets.imports import Wanted

    wanted = Wanted(
        str(folder / "large.csv"),
        str(folder / "asked.csv"),
        run=str(folder / "engine.run"),
        encoded=False,
    )
    start = time.perf_counter()
    preview = [table.kind for table in imports.tables(wanted)]
    imports.wait(wanted)
    job, _ = imports.job(wanted)
    while job is not None and not job.finished:
        time.sleep(0.05)
    if job is not None and job.error:
        raise RuntimeError(job.error)
    imported = time.perf_counter()
    app = AppTest.from_function(_page, default_timeout=600)
    app.query_params["data"], app.query_params["base"] = "large", "engine"
    app.run()
    shown = time.perf_counter()
    if app.exception or preview != ["documents", "queries"]:
        raise RuntimeError(f"the page cannot be shown: {app.exception}")
    said = " ".join(caption.value for caption in app.caption)
    if f"{DOCUMENTS:,} documents, {QUERIES} queries" not in said:
        raise RuntimeError("the page does not show all documents")
    counts.near_copies("large").result()
    counted = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    whole = shown - start
    reached = whole <= GOAL_SECONDS and peak <= GOAL_GB
    print(
        f"{DOCUMENTS:,} documents of {WORDS} words: read and imported in {imported - start:.1f} s, "
        f"page Data in {shown - imported:.1f} s, together {whole:.1f} s (goal {GOAL_SECONDS} s); "
        f"near copies found {counted - shown:.1f} s later; "
        f"at most {peak:.2f} GB resident (goal {GOAL_GB:.0f} GB): "
        f"{'reached' if reached else 'not reached'}"
    )


def _page() -> None:
    from dashboard import state
    from dashboard.views.data import page

    state.start()
    page.show()


def main() -> None:
    """Generate the files, and measure in a new process, which has no memory of others."""
    if len(sys.argv) > 2 and sys.argv[1] == _MEASURE:
        measure(Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        environment = {**os.environ, "IMRNNS_WORKSPACE": str(Path(folder) / "workspace")}
        command = [sys.executable, "-m", "benchmarks.large_import", _MEASURE, folder]
        subprocess.run(command, env=environment, check=True)


if __name__ == "__main__":
    main()
