"""Search collections built from Debian packages, to measure recipes where they were not tuned.

    python -m benchmarks.collections FOLDER

Each collection is a BEIR folder with the splits train, dev and test. A query has one relevant
document: the one that it was taken from. Needs Debian or Ubuntu with `apt-get` and `dpkg-deb`.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from imrnns_core.text.sentences import split_sentences

SEED = 0
QUERIES = {"train": 200, "dev": 300, "test": 300}
"""Number of queries of each split, at most; small collections have proportionally fewer."""
MIN_WORDS = 4
"""Shorter queries name too little."""
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@dataclass(frozen=True)
class Entry:
    """A document and the query that was taken from it; an empty query makes it a distractor."""

    title: str
    text: str
    query: str


def packages() -> Iterator[Entry]:
    """Yield Debian packages: the name, the long description, and the synopsis as the query."""
    # `apt-get update -o Acquire::Languages=en` fetches the descriptions, if they are missing
    files = sorted(Path("/var/lib/apt/lists").glob("*_main_i18n_Translation-en*"))
    shown = subprocess.run(
        ["/usr/lib/apt/apt-helper", "cat-file", *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    seen = set()
    for record in shown.split("\n\n"):
        name = re.search(r"^Package: (.+)$", record, re.M)
        described = re.search(r"^Description(?:-en)?: (.+)\n((?: .*\n?)+)", record, re.M)
        if name and described and described[2] not in seen:
            seen.add(described[2])  # packages of one source often share their description
            yield Entry(name[1], _plain(described[2].replace("\n .\n", "\n")), described[1])


def definitions(package: str) -> Iterator[Entry]:
    """Yield the entries of a dictionary: the headword, its definition, and the first sentence.

    The first sentence, without the words of the headword, is the query, and is taken out of the
    text.
    """
    for headword, text in dictionary(package):
        sentences = list(split_sentences(_plain(text), 1))
        if len(sentences) > 1:
            query = _without(sentences[0], headword)
            yield Entry(headword, " ".join(sentences[1:]), query)


def examples(package: str) -> Iterator[Entry]:
    """Yield the entries of a dictionary: its synonyms, its gloss, and an example as the query."""
    for headword, text in dictionary(package):
        synonyms = re.search(r"\[syn:(.+?)\]", text, re.S)
        gloss = re.sub(r"\[(?:syn|ant|also):.+?\]", "", text, flags=re.S)
        quoted = re.findall(r'"([^"]+)"', gloss)
        gloss = re.sub(r'[;:]?\s*"[^"]*"', "", gloss)
        title = _plain(synonyms[1]) if synonyms else headword
        yield Entry(title, _plain(gloss), _plain(quoted[0]) if quoted else "")


def headwords(package: str) -> Iterator[Entry]:
    """Yield the entries of a dictionary without a title; the query is the headword."""
    for headword, text in dictionary(package):
        yield Entry("", _without(_plain(text), headword), f"what does {headword.lower()} mean")


def manual_pages(package: str) -> Iterator[Entry]:
    """Yield manual pages: the name, the text, and the one-line description as the query."""
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(_unpacked(package, folder).rglob("man/man*/*.gz")):
            page = re.sub(r"\\f[A-Z]|\\&|\\-", lambda m: "-" if m[0] == r"\-" else "", _read(path))
            named = re.search(r'^\.SH "?NAME"?\n(.+?)\n\.SH', page, re.M | re.S)
            if named is None or " - " not in named[1]:
                continue
            body = re.sub(r"^[.'].*$", " ", page[named.end() :], flags=re.M)
            name, description = _plain(named[1]).split(" - ", 1)
            yield Entry(name, _plain(body)[:2000], _without(description, name))


COLLECTIONS: dict[str, tuple[Callable[[], Iterable[Entry]], int]] = {
    "debian": (packages, 4000),
    "devil": (lambda: headwords("dict-devil"), 1000),
    "foldoc": (lambda: definitions("dict-foldoc"), 5000),
    "foldoc-1000": (lambda: definitions("dict-foldoc"), 1000),
    "jargon": (lambda: definitions("dict-jargon"), 2000),
    "manpages": (lambda: manual_pages("manpages-dev"), 1500),
    "wordnet": (lambda: examples("dict-wn"), 6000),
}
"""Name → entries and the largest number of documents."""


def dictionary(package: str) -> Iterator[tuple[str, str]]:
    """Yield (headword, text) of a dictionary in the format of dictd, each text once."""
    with tempfile.TemporaryDirectory() as folder:
        (data_file,) = _unpacked(package, folder).rglob("*.dict.dz")
        data = gzip.decompress(data_file.read_bytes())
        index = data_file.with_name(data_file.name.replace(".dict.dz", ".index")).read_text()
    seen = set()
    for line in index.splitlines():
        _, offset, length = line.split("\t")[:3]
        start = _number(offset)
        if start in seen:
            continue
        seen.add(start)
        headword, _, text = data[start : start + _number(length)].decode().partition("\n")
        # a line may begin the text behind a comma; names of the data base itself are no entries
        first, _, rest = headword.partition(",")
        if not first.startswith(("00", "Database")):
            yield first.strip(), f"{rest} {text}"


def write(folder: Path, name: str) -> Path:
    """Write a collection as a BEIR folder, and return the folder."""
    entries_of, limit = COLLECTIONS[name]
    entries = [e for e in entries_of() if len(e.text.split()) >= MIN_WORDS]
    generator = np.random.default_rng(SEED)
    chosen = [entries[i] for i in generator.permutation(len(entries))[:limit]]
    asked = [i for i, e in enumerate(chosen) if len(e.query.split()) >= MIN_WORDS]
    total = sum(QUERIES.values())
    share = min(1.0, len(asked) / total)
    out = folder / name
    (out / "qrels").mkdir(parents=True, exist_ok=True)
    documents = [{"_id": f"d{i}", "title": e.title, "text": e.text} for i, e in enumerate(chosen)]
    queries = []
    for split, count in QUERIES.items():
        rows = [asked.pop() for _ in range(int(count * share))]
        queries += [{"_id": f"q{i}", "text": chosen[i].query} for i in rows]
        lines = ["query-id\tcorpus-id\tscore", *(f"q{i}\td{i}\t1" for i in rows)]
        (out / "qrels" / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    for stem, records in (("corpus", documents), ("queries", queries)):
        (out / f"{stem}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    return out


def _unpacked(package: str, folder: str) -> Path:
    """Download a Debian package into a folder, and unpack it there."""
    subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True)
    (archive,) = Path(folder).glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", str(archive), folder], check=True)
    return Path(folder)


def _read(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode(errors="replace")


def _number(text: str) -> int:
    number = 0
    for character in text:
        number = 64 * number + BASE64.index(character)
    return number


def _plain(text: str) -> str:
    """Return a text without markup and without repeated spaces."""
    return " ".join(re.sub(r"[{}]|<[a-z ,]+>", " ", text).split())


def _without(text: str, headword: str) -> str:
    """Return a text without the words of a headword."""
    words = {w.lower() for w in re.findall(r"\w+", headword)}
    return " ".join(re.sub(r"\w+", lambda m: "" if m[0].lower() in words else m[0], text).split())


if __name__ == "__main__":
    for collection in chain(sys.argv[2:] or COLLECTIONS):
        print(write(Path(sys.argv[1]), collection))
