"""A corpus, its queries and the judgments of each split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from imrnns_core.data.common_runs import common_runs
from imrnns_core.data.import_report import ImportReport
from imrnns_core.data.own_documents import OwnDocuments
from imrnns_core.data.recognition import LONE_SURROGATE
from imrnns_core.data.records import Document, Query, check_typed
from imrnns_core.data.shingles import Hashes
from imrnns_core.errors import DataError, LensError
from imrnns_core.types import IntArray, Qrels, relevant_ids

JUDGED_SPLIT = "judged"
"""The split of queries that only people judged: those of no other split."""
_OF_CORPUS = ("document_ids", "document", "text_hashes", "common_runs", "_corpus_sha")


@dataclass(frozen=True)
class Dataset:
    """A corpus, its queries and the judgments of each split.

    Attributes:
        name: The name of the data set.
        path: The folder or zip that it was read from.
        documents: The corpus.
        queries: Query id → query.
        splits: Split name → judgments.
        report: What was read from its files, and what was rejected.
        people: The judgments that people made in the dashboard or imported; `splits` contains them.
        kept: Ids of the questions that people kept, which are the last queries.
        keep_own: Whether a document that is the query itself stays in the rankings of this query.
    """

    name: str
    path: Path
    documents: tuple[Document, ...]
    queries: Mapping[str, Query]
    splits: Mapping[str, Qrels] = field(default_factory=dict)
    report: ImportReport = field(default_factory=ImportReport, compare=False)
    people: Qrels = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    keep_own: bool = False

    def with_people(self, questions: Iterable[Query], people: Qrels) -> Dataset:
        """Return the data set with kept questions and judgments of people.

        A judgment of a person replaces the one of the files. It belongs to each split that judges
        its query already, or else to the split `JUDGED_SPLIT`.

        Args:
            questions: The questions. Those whose id is taken are left out.
            people: Query id → document id → grade, of queries and documents of the data set.
        """
        added = {q.id: q for q in questions if q.id not in self.queries}
        splits = {name: dict(qrels) for name, qrels in self.splits.items()}
        for query_id, judged in people.items():
            for split in [s for s, qrels in splits.items() if query_id in qrels] or [JUDGED_SPLIT]:
                qrels = splits.setdefault(split, {})
                qrels[query_id] = {**qrels.get(query_id, {}), **judged}
        changed = replace(
            self,
            queries={**self.queries, **added},
            splits=splits,
            people={**self.people, **people},
            kept=(*self.kept, *added),
        )
        changed.__dict__.update({n: self.__dict__[n] for n in _OF_CORPUS if n in self.__dict__})
        return changed

    def judged_by_people(self, split: str) -> int:
        """Return how many judgments of a split come from people."""
        return sum(len(self.people.get(query_id, ())) for query_id in self.splits.get(split, ()))

    @cached_property
    def document_ids(self) -> tuple[str, ...]:
        """Document ids in corpus order."""
        return tuple(document.id for document in self.documents)

    @cached_property
    def document(self) -> Mapping[str, Document]:
        """Document id → document."""
        return {document.id: document for document in self.documents}

    @cached_property
    def text_hashes(self) -> tuple[str, ...]:
        """Hashes of the documents' texts, in corpus order."""
        return tuple(document.text_hash for document in self.documents)

    @cached_property
    def common_runs(self) -> Hashes:
        """Hashes (R,) of runs of words that many documents have, such as those of a footer."""
        return common_runs(self.documents)

    @cached_property
    def own_documents(self) -> OwnDocuments:
        """The documents that have the id of a query, by whether they are the query itself."""
        return OwnDocuments.find(self.documents, self.queries.values())

    @property
    def left_out(self) -> Mapping[str, int]:
        """Query id → corpus row of the document that is left out for this query.

        This document is the query itself, so it is not an answer: it is in no ranking of the query,
        and its judgment for the query does not count.
        """
        # of a single document, nothing would be left
        return {} if self.keep_own or len(self.documents) == 1 else self.own_documents.rows

    def leaves_out(self, query_id: str, document_id: str) -> bool:
        """Return whether this document is left out for this query."""
        return query_id == document_id and query_id in self.left_out

    def left_out_rows(self, query_ids: Iterable[str]) -> IntArray | None:
        """Return the (B,) rows of the documents that are left out for queries, −1 for none.

        None if nothing is left out for any query of the data set.
        """
        rows = self.left_out
        return np.array([rows.get(q, -1) for q in query_ids], dtype=np.int64) if rows else None

    @cached_property
    def judgments(self) -> Qrels:
        """The judgments of all splits in one mapping, of documents that can be ranked."""
        merged: dict[str, dict[str, int]] = {}
        for qrels in self.splits.values():
            for query_id, judged in self.in_corpus(qrels).items():
                merged.setdefault(query_id, {}).update(judged)
        return merged

    def in_corpus(self, qrels: Qrels) -> Qrels:
        """Return the judgments of documents that can be ranked for the query.

        The corpus has them, and they are not `left_out`. Those of other documents only count in the
        ideal ranking of a measure, as in trec_eval.
        """
        ranked = {
            query_id: {d: grade for d, grade in judged.items() if d in self.document}
            for query_id, judged in qrels.items()
        }
        # a document that is left out has the id of its query
        for query_id in self.left_out.keys() & ranked.keys():
            ranked[query_id].pop(query_id, None)
        return ranked

    def first_split(self, *preferred: str) -> str:
        """Return the first of the preferred splits that the data set has, else its first split.

        Without judgments, the first preferred one: errors then name it.
        """
        known = [split for split in (*preferred, *self.splits) if split in self.splits]
        return known[0] if known else preferred[0]

    @cached_property
    def split_of(self) -> Mapping[str, str]:
        """Query id → the last split that judges the query."""
        return {query_id: split for split, qrels in self.splits.items() for query_id in qrels}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the ids and texts of corpus and queries; stale embeddings differ in it.

        Without the kept questions, which need no new embeddings of the others.
        """
        # a copy, because `corpus_digest` needs the hash without the queries
        sha = self._corpus_sha.copy()
        for query in list(self.queries.values())[: len(self.queries) - len(self.kept)]:
            sha.update(json.dumps([query.id, query.text]).encode())
        return str(sha.hexdigest())

    @property
    def corpus_digest(self) -> str:
        """SHA-256 of the ids and texts of the documents."""
        return str(self._corpus_sha.hexdigest())

    @cached_property
    def _corpus_sha(self) -> Any:
        sha = hashlib.sha256()
        for document in self.documents:
            # JSON separates the fields, so text cannot move from one field to the next unnoticed
            sha.update(json.dumps([document.id, document.title, document.text]).encode())
        return sha

    def find_query(self, text: str) -> Query:
        """Return the query with this id or this text, or else a new query without an id.

        Raises:
            LensError: If the text is empty, or longer than `LONGEST_TYPED` characters.
        """
        if text in self.queries:
            return self.queries[text]
        check_typed(text)
        # a byte on the command line that is no UTF-8 arrives as half a surrogate pair
        stripped = LONE_SURROGATE.sub("\ufffd", text).strip()
        if not stripped:
            raise LensError("the question is empty; type one, or the id of a query")
        # a known question that is typed again has its judgments and its stored vector
        same_text = (query for query in self.queries.values() if query.text.strip() == stripped)
        return next(same_text, Query("", stripped))

    def qrels(self, split: str) -> Qrels:
        """Return the judgments of a split.

        Raises:
            DataError: If the data set has no such split; the message lists its splits.
        """
        if split not in self.splits:
            remedy = f"available splits: {', '.join(self.splits) or 'none'}"
            raise DataError(self.path, f"no split {split!r}", remedy)
        return self.splits[split]

    def judged_queries(self, split: str) -> Qrels:
        """Return the queries of a split that have a relevant document, with their judgments.

        Raises:
            DataError: The split is unknown, no query has a relevant document, or all documents are
                equally relevant.
        """
        # with one document no ranking is better than another
        if len(self.documents) == 1:
            raise DataError(self.path, "one document cannot be ranked", "add documents")
        # without a relevant document, every measure is 0 whatever the ranking
        qrels = {q: judged for q, judged in self.qrels(split).items() if relevant_ids(judged)}
        if not qrels:
            raise DataError(
                self.path,
                f"no query of the split {split!r} has a relevant document",
                "give at least one document a grade above 0",
            )
        if all(
            len(judged) == len(self.documents) and len(set(judged.values())) == 1
            for judged in qrels.values()
        ):
            raise DataError(
                self.path,
                "all documents are equally relevant, so no ranking is better than another",
                "add documents that are not relevant",
            )
        return qrels
