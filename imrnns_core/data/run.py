"""The ranking of another search engine for the queries of a data set, read from a run file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imrnns_core.data.import_report import FileReport
from imrnns_core.types import FloatArray


@dataclass(frozen=True)
class RankedDocuments:
    """The R documents that a run ranks for one query, best first.

    Attributes:
        document_ids: Their ids.
        scores: (R,) their scores, none above the one before.
    """

    document_ids: tuple[str, ...]
    scores: FloatArray


@dataclass(frozen=True)
class Run:
    """A run of a data set.

    Attributes:
        name: Its name.
        rankings: Query id → ranked documents. Queries without a ranked document are missing.
        report: What was read from its file, and what was rejected.
    """

    name: str
    rankings: Mapping[str, RankedDocuments]
    report: FileReport = field(compare=False)

    @property
    def ranked_ids(self) -> dict[str, tuple[str, ...]]:
        """Query id → ids of the ranked documents, best first."""
        return {query_id: ranked.document_ids for query_id, ranked in self.rankings.items()}
