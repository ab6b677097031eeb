"""Judgments of people: storing and undoing them, keeping questions, and what is left to judge."""

from __future__ import annotations

import random
import time
from collections.abc import Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from dashboard.access import editors_only
from dashboard.services import caching, catalog
from dashboard.services.caching import shared
from dashboard.services.computation import Computation
from imrnns_core.config import CORPUS_PREFIX, RUN_PREFIX
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.import_report import FileReport
from imrnns_core.data.records import Query
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage import judged
from imrnns_core.storage.judged import Placed
from imrnns_core.storage.judgments import JudgmentStore, RemovedQuestion
from imrnns_core.types import LabelledProgress, Qrels

DEPTH = 10
"""Top documents of each ranking that are offered for judging."""
INDEXED_PER_SECOND = 3_000_000
"""About how many characters are indexed in a second."""
TOGETHER = 64
"""Queries that are ranked together."""
Pair = tuple[str, str]
"""Query id and document id."""


@shared(8)
def given(data: str) -> Mapping[Pair, Placed]:
    """Return the judgments of people that count, by query and document."""
    placed = judged.placed_judgments(caching.judgments(), catalog.dataset(data))
    return {(p.query_id, p.document_id): p for p in placed if p.query_id and p.document_id}


def judged_pairs(data: str, split: str = "") -> Container[Pair]:
    """Return the pairs that are judged, by people or by the files, in a split or in any."""
    dataset = catalog.dataset(data)
    return _Judged(dataset.splits.get(split, {}) if split else dataset.judgments)


@dataclass(frozen=True)
class _Judged:
    qrels: Qrels

    def __contains__(self, pair: object) -> bool:
        return isinstance(pair, tuple) and pair[1] in self.qrels.get(pair[0], ())


@shared(8)
def listed(data: str) -> list[Placed]:
    """Return the judgments of people that count, the newest first."""
    return judged.placed_judgments(caching.judgments(), catalog.dataset(data))[::-1]


@dataclass(frozen=True)
class Writer:
    """Stores the judgments of one person about one data set.

    Nothing in it asks Streamlit: a run of the page that ends early, because the reader acted again,
    must not end between storing a judgment and noting that it was stored.
    """

    judgments: JudgmentStore
    dataset: Dataset
    who: str

    def store(self, pair: Pair, grade: int) -> int:
        """Store a judgment and return its number.

        Raises:
            KeyError: If the data set has no such query or document.
            LensError: If the database cannot be written.
        """
        (number,) = self.judgments.add(self.dataset, [(*pair, grade)], self.who)
        return number

    def undo(self, number: int) -> None:
        """Let a judgment count no longer.

        Raises:
            LensError: If the database cannot be written.
        """
        self.judgments.undo(self.dataset.name, number, self.who)


@editors_only
def writer(data: str, who: str) -> Writer:
    """Return what stores the judgments of a person; call `caching.notice_judgments` afterwards."""
    return Writer(caching.judgments(), catalog.dataset(data), who)


@editors_only
def keep(data: str, text: str, who: str) -> str:
    """Store a question as a query of the data set and return its id.

    Raises:
        LensError: If the database cannot be written.
    """
    dataset = catalog.dataset(data)
    # the same question may have come with the files since it was typed
    known = dataset.find_query(text)
    if known.id:
        return known.id
    query = caching.judgments().keep(dataset.name, text, who)
    caching.notice_judgments()
    return query.id


@editors_only
def remove_question(data: str, query_id: str, who: str) -> None:
    """Let a kept question be a query of the data set no longer.

    Raises:
        LensError: If the database cannot be written.
    """
    caching.judgments().remove_question(catalog.dataset(data).name, query_id, who)
    caching.notice_judgments()


@editors_only
def restore_question(data: str, query_id: str, who: str) -> None:
    """Bring a removed question back.

    Raises:
        LensError: If the database cannot be written.
    """
    caching.judgments().restore_question(catalog.dataset(data).name, query_id, who)
    caching.notice_judgments()


def removed_question(data: str, text: str) -> RemovedQuestion | None:
    """Return the removed question with these words, or None."""
    wanted = Query("", text).text_hash
    return next((r for r in _removed(data) if r.query.text_hash == wanted), None)


@shared(8)
def _removed(data: str) -> list[RemovedQuestion]:
    return caching.judgments().removed_questions(catalog.dataset(data).name)


@editors_only
def read_file(data: str, path: Path, who: str) -> tuple[int, FileReport]:
    """Store the judgments of a file; return how many are new, and what was read.

    Raises:
        LensError: If the file cannot be read or the database cannot be written.
    """
    new, report = judged.import_qrels(caching.judgments(), catalog.dataset(data), path, who)
    caching.notice_judgments()
    return len(new), report


def pool(
    data: str, adapter_name: str, query_ids: Sequence[str]
) -> Computation[Mapping[str, list[str]]]:
    """Find the ids of the top documents of each query, sorted, whichever system ranked them.

    Args:
        data: The data set.
        adapter_name: An adapter, a run as `run:NAME`, or an empty text.
        query_ids: The queries.
    """
    is_run = adapter_name.startswith(RUN_PREFIX)
    adapter = adapter_name.removeprefix(CORPUS_PREFIX)
    fits = is_run or adapter in catalog.fitting_adapters(data)
    if fits:  # here, where the page shows that it waits
        catalog.ranker(data, adapter_name)
    return _pool(data, adapter_name if fits else "", tuple(query_ids))


def shuffled(documents: Mapping[str, Sequence[str]], seed: str) -> list[Pair]:
    """Return a pool in random order; the same seed gives the same order.

    The documents of a query follow each other, so that a reader need not read it again.
    """
    shuffle, order = random.Random(seed), sorted(documents)
    shuffle.shuffle(order)
    return [(q, d) for q in order for d in shuffle.sample(documents[q], len(documents[q]))]


@shared(8, judged=False)
def _pool(
    data: str, adapter_name: str, query_ids: tuple[str, ...]
) -> Computation[Mapping[str, list[str]]]:
    collection = catalog.collection(data)
    ranker = catalog.ranker(data, adapter_name) if adapter_name else None

    def work(report: LabelledProgress) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        if not query_ids:
            return found
        lexical = _indexed(data, report)
        for start in range(0, len(query_ids), TOGETHER):
            report("Ranking the queries", start, len(query_ids))
            part = query_ids[start : start + TOGETHER]
            found |= _top_documents(collection, lexical, ranker, part)
        return found

    return Computation.start(work)


def _indexed(data: str, report: LabelledProgress) -> BM25Index:
    """Return the BM25 index; report the seconds since it is built, of an estimated number."""
    documents = catalog.dataset(data).documents
    label = f"Indexing the words of {len(documents):,} documents (seconds)"
    characters = sum(len(document.text) for document in documents)
    begun, expected = time.monotonic(), 1 + round(characters / INDEXED_PER_SECOND)
    with ThreadPoolExecutor(1) as other:
        index = other.submit(catalog.lexical, data)
        while not index.done():
            report(label, min(round(time.monotonic() - begun), expected), expected)
            wait([index], 0.5)
        return index.result()


def _top_documents(
    collection: Collection, lexical: BM25Index, ranker: Ranker | None, query_ids: Sequence[str]
) -> dict[str, list[str]]:
    dataset = collection.dataset
    texts = [dataset.queries[query_id].text for query_id in query_ids]
    rows = [lexical.matches(texts, DEPTH, dataset.left_out_rows(query_ids))]
    if ranker:
        batch = ranker.rank_queries(query_ids)
        ends = dict.fromkeys((batch.stages[0], batch.stages[-1]))
        rows += [[ranked[:DEPTH] for ranked in batch.ranked_rows(stage)] for stage in ends]
    if ranker is None or (ranker.run_name and collection.has_vectors):
        vectors = collection.query_vectors(query_ids)
        found = collection.candidates(vectors, DEPTH, query_ids)
        rows.append(list(collection.ranked.documents[found]))
    return {
        query_id: sorted({dataset.document_ids[row] for system in ranked for row in system})
        for query_id, *ranked in zip(query_ids, *rows, strict=True)
    }
