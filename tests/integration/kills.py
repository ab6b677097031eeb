"""Kills real commands with SIGKILL at random points, and looks for what is lost or half-written.

    python -m tests.integration.kills 200 --seed 7

After each kill: adapters and judgments that were there before still are, other commands read the
workspace, the same command succeeds when it is run again, its result is that of a run that was not
killed, finished shards are not encoded again, and no temporary file stays.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.storage.leftovers import leftovers
from tests.integration.command_runs import Ended, Kill, import_all, run

DOCUMENTS, QUERIES, FIRST, SECOND = 540, 24, 48, 96
WORDS = [f"{a}{b}" for a in ("al", "be", "co", "du", "el") for b in ("ra", "so", "ti", "mo")]


@dataclass(frozen=True)
class Scenario:
    """A command that is killed.

    Attributes:
        name: Its name in the summary.
        command: Its arguments; DATA, FILES and CASE are replaced.
        result: Returns what it made, from the folder of the case.
        before: Commands that run in the workspace before.
        share: How often it is killed, relative to the others.
    """

    name: str
    command: list[str]
    result: Callable[[Path], object]
    before: tuple[tuple[str, ...], ...] = ()
    share: int = 2


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "missing"


def _arrays(case: Path, pattern: str) -> object:
    """Return the content of all archives; the files themselves have times."""
    found = {}
    for path in sorted((case / "workspace").glob(pattern)):
        with np.load(path, allow_pickle=False) as archive:
            found[path.name] = {n: hashlib.sha256(archive[n]).hexdigest()[:12] for n in archive}
    return found


def _vectors(case: Path) -> object:
    folders = sorted((case / "workspace" / "vectors").glob("*/*"))
    names = ("documents.npy", "queries.npy", "document_ids.txt", "query_ids.txt")
    return {f.name: [_hash(f / name) for name in names] for f in folders if f.name[0] != "."}


def _adapter(name: str) -> Callable[[Path], object]:
    def digest(case: Path) -> object:
        path = case / "workspace" / "adapters" / f"{name}.safetensors"
        content = path.read_bytes()
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return header["__metadata__"]["tensors_sha256"]

    return digest


def _judgments(case: Path) -> object:
    import sqlite3

    connection = sqlite3.connect(case / "workspace" / "judgments.sqlite")
    try:
        query = "SELECT query_id, document_id, grade FROM judgments ORDER BY id"
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def _lexical(case: Path) -> object:
    files = sorted((case / "workspace" / "lexical").glob("*/*.npy"))
    return {path.name: _hash(path) for path in files}


def _store(case: Path) -> object:
    folder = case / "workspace" / "stores" / "wiki"
    return [_hash(folder / name) for name in ("documents/corpus.jsonl", "embeddings/documents.npy")]


PREPARED = ("prepare", "DATA")
STORED = ("prepare", "wiki", "--store", "faiss:FILES/i.faiss#FILES/i.jsonl")
TRAIN = ["train", "DATA", "--out", "CASE/workspace/adapters/new.safetensors"]
SCENARIOS = (
    Scenario("prepare", [*PREPARED], _vectors, share=4),
    Scenario("prepare again", ["prepare", "CHANGED"], _vectors, (("prepare", "CHANGED"),), 3),
    Scenario(
        "sentences",
        [*PREPARED, "--sentences"],
        lambda case: _arrays(case, "sentences/*.npz"),
        (PREPARED,),
    ),
    Scenario("map", ["prepare", "SMALL", "--adapter", "none"], lambda c: _arrays(c, "maps/*.npz")),
    Scenario("BM25 index", ["search", "DATA", "alra beso"], _lexical, (PREPARED,)),
    Scenario("store", [*STORED], _store, (STORED,), 3),
    Scenario("train", [*TRAIN, "--recipe", "fine-tuned"], _adapter("new"), (PREPARED,), 4),
    Scenario("adapters import", ["adapters", "import", "FILES/new.safetensors"], _adapter("new")),
    Scenario("judgments import", ["judgments", "import", "DATA", "FILES/second.tsv"], _judgments),
)


def _epochs(ended: Ended) -> int:
    """Return how many epochs a training saved."""
    return sum(path.endswith("/epoch.pt") for path in ended.changed)


def write_files(files: Path) -> None:
    """Write data sets, judgments, an adapter and a FAISS index."""
    import faiss

    randomness = random.Random(5)
    texts = [" ".join(randomness.choices(WORDS, k=6)) for _ in range(DOCUMENTS)]
    older = [f"{text} before" if i % 2 else text for i, text in enumerate(texts)]
    for folder, own in (("pages", texts), ("old", older), ("small", texts[:30])):
        (files / folder / "qrels").mkdir(parents=True)
        corpus = [{"_id": f"d{i}", "title": "", "text": t} for i, t in enumerate(own)]
        queries = [{"_id": f"q{i}", "text": " ".join(texts[i].split()[:2])} for i in range(QUERIES)]
        for name, records in (("corpus", corpus), ("queries", queries)):
            lines = "".join(json.dumps(record) + "\n" for record in records)
            (files / folder / f"{name}.jsonl").write_text(lines)
        rows = "".join(f"q{i}\td{i}\t1\n" for i in range(QUERIES))
        head = "query-id\tcorpus-id\tscore\n"
        (files / folder / "qrels" / "train.tsv").write_text(head + rows)
    pairs = [(i % QUERIES, 100 + i) for i in range(FIRST + SECOND)]
    for name, own in (("first", pairs[:FIRST]), ("second", pairs[FIRST:])):
        rows = "".join(f"q{q}\td{d}\t{d % 4}\n" for q, d in own)
        (files / f"{name}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}")
    for name in ("kept", "new"):
        shutil.copy(ASSETS_FOLDER / "sample-paper.safetensors", files / f"{name}.safetensors")
    index = faiss.IndexFlatIP(16)
    vectors = np.random.default_rng(1).normal(size=(DOCUMENTS, 16)).astype(np.float32)
    index.add(vectors)
    faiss.write_index(index, str(files / "i.faiss"))
    rows = "".join(json.dumps({"id": f"s{i}", "text": t}) + "\n" for i, t in enumerate(texts))
    (files / "i.jsonl").write_text(rows)


class Soak:
    """Kills commands in copies of prepared workspaces."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.files, self.case = folder, folder / "files", folder / "case"
        self.random = random.Random(seed)
        write_files(self.files)
        self.problems, self.kills = list[str](), Counter[str]()
        self._expected = dict[str, tuple[object, Ended]]()

    def run_command(self, arguments: Sequence[str], kill: Kill | None = None) -> Ended:
        """Run a command in the workspace of a case."""
        named = {
            "DATA": str(self.files / "pages"),
            "CHANGED": str(self.files / "changed"),
            "SMALL": str(self.files / "small"),
        }
        filled = [
            named.get(a, a).replace("CASE", str(self.case)).replace("FILES", str(self.files))
            for a in arguments
        ]
        return run([*filled, "--workspace", str(self.case / "workspace")], self.case, kill)

    def template(self, scenario: Scenario) -> Path:
        """Return the folder with the workspace before the command, and measure the command."""
        template = self.folder / scenario.name.replace(" ", "-")
        if template.exists():
            return template
        shutil.rmtree(self.case, ignore_errors=True)
        self.case.mkdir()
        before = [
            ("adapters", "import", "FILES/kept.safetensors"),
            ("judgments", "import", "DATA", "FILES/first.tsv"),
            *scenario.before,
        ]
        self.change("old")
        for command in before:
            ended = self.run_command(command)
            assert ended.code == 0, (command, ended.said)
        self.case.replace(template)
        self.change("pages")
        self.reset(template)
        ended = self.run_command(scenario.command)
        assert ended.code == 0, (scenario.name, ended.said)
        self._expected[scenario.name] = scenario.result(self.case), ended
        shutil.rmtree(self.case)
        return template

    def change(self, version: str) -> None:
        """Give the data set that changes the texts of another one."""
        shutil.rmtree(self.files / "changed", ignore_errors=True)
        shutil.copytree(self.files / version, self.files / "changed")

    def reset(self, template: Path) -> None:
        """Make the folder of the case a copy of a template; the list of data sets has its path."""
        shutil.rmtree(self.case, ignore_errors=True)
        shutil.copytree(template, self.case)

    def kill(self, scenario: Scenario) -> None:
        """Kill a command once, and note what is wrong afterwards."""
        template = self.template(scenario)
        expected, whole = self._expected[scenario.name]
        case = self.case
        self.reset(template)
        if self.random.random() < 0.5:
            kill = Kill(seconds=self.random.uniform(0, whole.seconds))
        else:
            kill = Kill(change=self.random.randint(1, max(1, len(whole.changed))))
        ended = self.run_command(scenario.command, kill)
        if not ended.killed:
            if ended.code:
                self.note(scenario, kill, f"ended with {ended.code}: {ended.said[-500:]}")
            return
        self.kills[scenario.name] += 1
        self.check_kept(scenario, kill, ended.said)
        finished = {
            p.name for p in (case / "workspace").rglob("encoding/*.npz") if p.name[0] != "."
        }
        again = self.run_command(scenario.command)
        if again.code:
            self.note(scenario, kill, f"the next run ended with {again.code}: {again.said[-800:]}")
        elif scenario.result(case) != expected:
            self.note(scenario, kill, "another result than without a kill")
        written = [name for name in finished for path in again.changed if f".{name}." in path]
        if written:
            self.note(scenario, kill, f"finished shards were encoded again: {written}")
        # one epoch may be noted and not written; a training whose adapter is written starts anew
        done = any(path.endswith("/new.safetensors") for path in ended.changed)
        if not done and _epochs(ended) + _epochs(again) > _epochs(whole) + 1:
            self.note(scenario, kill, "finished epochs were trained again")
        if left := list(leftovers(case / "workspace")):
            self.note(scenario, kill, f"left: {left}")

    def check_kept(self, scenario: Scenario, kill: Kill, said: str) -> None:
        """Look for what was there before, and for what the killed command said that it did."""
        listed = self.run_command(["adapters", "list"])
        if listed.code or "kept" not in listed.said or "Not readable" in listed.said:
            self.note(scenario, kill, f"adapters: {listed.said[-800:]}")
        if "imported to" in said and not re.search(r"^new\b", listed.said, re.M):
            self.note(scenario, kill, "an adapter that was reported as imported is missing")
        judged = self.run_command(["judgments", "list", str(self.files / "pages")])
        counts = {FIRST: True, FIRST + SECOND: scenario.name == "judgments import"}
        own = next((n for n, ok in counts.items() if ok and f"{n} judgments" in judged.said), None)
        if judged.code or own is None:
            self.note(scenario, kill, f"judgments: {judged.said[-800:]}")
        if "new judgments of" in said and own == FIRST:
            self.note(scenario, kill, "judgments that were reported as stored are missing")

    def note(self, scenario: Scenario, kill: Kill, problem: str) -> None:
        """Note a problem."""
        self.problems.append(f"{scenario.name}, {kill}: {problem}")
        print(self.problems[-1], flush=True)


def main() -> None:
    """Kill commands until there are enough kills, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    import_all()
    started = time.monotonic()
    weighted = [scenario for scenario in SCENARIOS for _ in range(scenario.share)]
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), options.seed)
        while soak.kills.total() < options.kills:
            soak.kill(soak.random.choice(weighted))
            if soak.kills.total() % 10 == 0:
                print(f"{soak.kills.total()} kills, {time.monotonic() - started:.0f} s", flush=True)
    by_command = ", ".join(f"{name} {count}" for name, count in sorted(soak.kills.items()))
    print(
        f"{soak.kills.total()} kills in {time.monotonic() - started:.0f} s ({by_command}); "
        f"{len(soak.problems)} problems; seed {options.seed}"
    )
    sys.exit(bool(soak.problems))


if __name__ == "__main__":
    main()
