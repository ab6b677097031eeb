"""A data set together with what people judged and asked, which its files do not contain.

    WORKSPACE/asked/KEY.npz     vectors of the questions that people kept for a data set

A judgment belongs to the texts that were judged. If the query of its id has another text, it does
not count: it is another query. If only the document has another text, it counts, and the report of
the data set says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.import_report import FileReport, ImportReport
from imrnns_core.data.readers.load import load_qrels
from imrnns_core.data.readers.qrels import UNKNOWN_DOCUMENT
from imrnns_core.data.records import Query
from imrnns_core.encoding.encoder import format_query
from imrnns_core.encoding.endpoint import FEW, announce
from imrnns_core.errors import EncoderError
from imrnns_core.io import atomic_write, none_if_damaged
from imrnns_core.retrieval.collection import Collection
from imrnns_core.storage.data_sets.uses import note_use
from imrnns_core.storage.judgments import GRADES, Judgment, JudgmentStore
from imrnns_core.types import FloatArray, Qrels

OTHER_QUERY = "of a query that the data set does not have, or that has another text now"
NO_DOCUMENT = "of a document that the corpus does not have"
CHANGED = "of a document whose text changed since"
NO_VECTOR = "that cannot be encoded: the encoder is missing, or it did not make these vectors"
HIGHER_GRADES = "grades above 3 are stored as 3, which can change nDCG: {}; the first is {}"


@dataclass(frozen=True)
class Placed:
    """A judgment with the texts that it belongs to today.

    Attributes:
        judgment: As it was given.
        query_id: Id of its query today; None if the data set has no query with this text.
        document_id: Id of its document today; None if the corpus does not have it.
        changed: Whether the document's text changed since.
    """

    judgment: Judgment
    query_id: str | None
    document_id: str | None
    changed: bool = False


class Placing:
    """Finds the texts of judgments in a data set, by id, or by text if ids were given anew."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @cached_property
    def _queries(self) -> dict[str, str]:
        queries = self.dataset.queries.values()
        return {query.text_hash: query.id for query in reversed(list(queries))}

    @cached_property
    def _documents(self) -> dict[str, str]:
        pairs = zip(self.dataset.text_hashes, self.dataset.document_ids, strict=True)
        return dict(reversed(list(pairs)))

    def place(self, judgment: Judgment) -> Placed:
        """Return a judgment with the ids that its texts have today."""
        query = self.dataset.queries.get(judgment.query_id)
        same = query is not None and query.text_hash == judgment.query_hash
        query_id = judgment.query_id if same else self._queries.get(judgment.query_hash)
        document = self.dataset.document.get(judgment.document_id)
        if document is not None and document.text_hash == judgment.document_hash:
            return Placed(judgment, query_id, document.id)
        if moved := self._documents.get(judgment.document_hash):
            return Placed(judgment, query_id, moved)
        if document is None:
            return Placed(judgment, query_id, None)
        return Placed(judgment, query_id, document.id, changed=True)


def placed_judgments(store: JudgmentStore, dataset: Dataset) -> list[Placed]:
    """Return the judgments of people that count today, with their texts, oldest first.

    The queries of the data set must include the questions that people kept.
    """
    placing = Placing(dataset)
    return [placing.place(judgment) for judgment in store.current(dataset.name)]


def with_judgments(root: Path, collection: Collection) -> Collection:
    """Return a collection with the judgments and the kept questions of people.

    A judgment of a person replaces that of the files for the same pair.

    Raises:
        LensError: If the database cannot be reached or read.
    """
    store = JudgmentStore(root)
    questions, report = _kept(store, collection.dataset)
    if not questions and not store.version(collection.dataset.name)[0]:
        return collection
    vectors = _vectors(root, collection, questions)
    for number, question in enumerate(questions, 1):
        if question.id in vectors:
            report.accept()
        else:
            report.reject(NO_VECTOR, number, question.text)
    questions = [question for question in questions if question.id in vectors]
    dataset = _judged(store, collection.dataset, questions, report)
    added = np.array([vectors[question.id] for question in questions])
    return collection.with_queries(dataset, added)


def judged_dataset(store: JudgmentStore, dataset: Dataset) -> Dataset:
    """Return a data set with the judgments and the kept questions of people, without vectors.

    Raises:
        LensError: If the database cannot be reached or read.
    """
    questions, report = _kept(store, dataset)
    report.read = len(questions)
    return _judged(store, dataset, questions, report)


def import_qrels(
    store: JudgmentStore, dataset: Dataset, path: Path, who: str
) -> tuple[list[int], FileReport]:
    """Store the judgments of a BEIR or TREC file as those of a person.

    Judgments that the database has already are not stored again.

    Args:
        store: The database.
        dataset: The data set, with its kept questions (`judged_dataset`).
        path: The file.
        who: The person.

    Returns:
        The numbers of the new judgments, and what was read from the file.

    Raises:
        DataError: If the file cannot be read or has no judgment of this data set.
    """
    qrels, report = load_qrels(path, dataset)
    _reject_unknown_documents(report)
    new, higher = list[tuple[str, str, int]](), list[str]()
    for query_id, judged in qrels.items():
        for document_id, grade in judged.items():
            if document_id not in dataset.document:  # the reader noted it
                continue
            if grade > GRADES[-1]:
                higher.append(f"{grade} of document {document_id} for query {query_id}")
                grade = GRADES[-1]
            if dataset.people.get(query_id, {}).get(document_id) != grade:
                new.append((query_id, document_id, grade))
    if higher:
        report.remarks.append(HIGHER_GRADES.format(len(higher), higher[0]))
    return store.add(dataset, new, who), report


def _reject_unknown_documents(report: FileReport) -> None:
    """Count judgments of missing documents as rejected: people judge documents."""
    for i, kind in enumerate(report.irregularities):
        if kind.problem == UNKNOWN_DOCUMENT:
            report.irregularities[i] = replace(kind, action="rejected")
            report.read -= kind.count
            report.rejected += kind.count


def _kept(store: JudgmentStore, dataset: Dataset) -> tuple[list[Query], FileReport]:
    """Return the questions that the files do not have, and an empty report about them."""
    questions = [q for q in store.questions(dataset.name) if q.id not in dataset.queries]
    report = FileReport(store.database.name, "queries", records=len(questions))
    return questions, report


def _judged(
    store: JudgmentStore, dataset: Dataset, questions: Sequence[Query], asked: FileReport
) -> Dataset:
    dataset = dataset.with_people(questions, {})
    report = FileReport(store.database.name, "judgments")
    qrels = _qrels(placed_judgments(store, dataset), report)
    reports = tuple(r for r in (asked, report) if r.records)
    files = ImportReport((*dataset.report.files, *reports), dataset.report.ignored)
    return replace(dataset.with_people((), qrels), report=files)


def _qrels(placed: Iterable[Placed], report: FileReport) -> Qrels:
    qrels: dict[str, dict[str, int]] = {}
    for number, item in enumerate(placed, 1):
        report.records += 1
        example = f"{item.judgment.document_id} for {item.judgment.query_id}"
        if item.query_id is None:
            report.reject(OTHER_QUERY, number, example)
        elif item.document_id is None:
            report.reject(NO_DOCUMENT, number, example)
        else:
            report.accept()
            qrels.setdefault(item.query_id, {})[item.document_id] = item.judgment.grade
            if item.changed:
                report.keep(CHANGED, number, example)
    return qrels


def _vectors(
    root: Path, collection: Collection, questions: Sequence[Query]
) -> dict[str, FloatArray]:
    """Return id → vector (n,) of the questions, stored or newly encoded.

    A question is missing if the encoder is missing or did not make the vectors of the collection.
    """
    if not questions or not collection.has_vectors:
        return {q.id: np.zeros(collection.documents.dimension, np.float32) for q in questions}
    path = root / "asked" / f"{_vectors_key(collection)}.npz"
    note_use(root, collection.dataset.name, path)
    stored = none_if_damaged(lambda: _load(path)) or {}
    vectors = {q.id: stored[q.text_hash] for q in questions if q.text_hash in stored}
    missing = [question for question in questions if question.id not in vectors]
    with suppress(EncoderError):
        if len(missing) > FEW:
            spec = collection.encoder.spec
            announce(collection.encoder, [format_query(spec, q.text) for q in missing])
        vectors |= {question.id: collection.encode(question.text) for question in missing}
    if missing and len(vectors) == len(questions):
        stored |= {question.text_hash: vectors[question.id] for question in questions}
        with suppress(OSError):  # without write access they are only encoded again
            _save(stored, path)
    return vectors


def _vectors_key(collection: Collection) -> str:
    """Return a name that changes with the encoder and with the vectors of the collection."""
    encoder = collection.encoder
    parts = [collection.dataset.name, encoder.spec.to_json(), encoder.weights_digest]
    sha = hashlib.sha256(json.dumps(parts).encode())
    # a few vectors: with another encoder all are others
    for matrix in (collection.documents, collection.queries):
        sha.update(np.ascontiguousarray(matrix.vectors[:3]).data)
    return sha.hexdigest()[:16]


def _load(path: Path) -> dict[str, FloatArray]:
    with np.load(path, allow_pickle=False) as archive:
        return dict(zip(archive["texts"].tolist(), archive["vectors"], strict=True))


def _save(vectors: dict[str, FloatArray], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, temporary.open("wb") as handle:
        np.savez(handle, texts=list(vectors), vectors=np.stack(list(vectors.values())))
