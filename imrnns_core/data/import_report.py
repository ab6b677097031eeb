"""What was read from the files of a data set, what was rejected, where and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Kind = Literal["documents", "queries", "judgments", "ranked documents"]
Action = Literal["kept", "changed", "rejected"]
"""What became of an irregular record: read as it is, read after a change, or not read."""


@dataclass(frozen=True)
class Irregularity:
    """All records of one file that are irregular in the same way.

    Attributes:
        problem: What is irregular, as a phrase that follows a number of records.
        action: What became of these records.
        count: Number of records.
        line: The first such line, counted from 1; in JSON arrays and Parquet files, the record.
        example: An id or value from that line; may be empty.
    """

    problem: str
    action: Action
    count: int
    line: int
    example: str = ""


@dataclass
class FileReport:
    """What was read from one file; the reader fills it.

    Attributes:
        path: The file. Files in a zip have the path of the zip in front.
        kind: What its records are.
        columns: Role of a column (such as `id` or `text`) → its name in the file.
        records: Number of records in the file.
        read: Number of records that were read.
        rejected: Number of records that were not read. `read + rejected == records`.
        irregularities: The kinds of irregularities, in the order of their first record.
        remarks: What holds for the whole file, one phrase each, such as its character encoding.
    """

    path: str
    kind: Kind
    columns: dict[str, str] = field(default_factory=dict)
    records: int = 0
    read: int = 0
    rejected: int = 0
    irregularities: list[Irregularity] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def accept(self) -> None:
        """Count a record that was read."""
        self.read += 1

    def reject(self, problem: str, line: int, example: str = "") -> None:
        """Count a record that was not read."""
        self.rejected += 1
        self._count(problem, "rejected", line, example)

    def keep(self, problem: str, line: int, example: str = "") -> None:
        """Note an irregular record that is read as it is."""
        self._count(problem, "kept", line, example)

    def change(self, problem: str, line: int, example: str = "") -> None:
        """Note an irregular record that is read after a change."""
        self._count(problem, "changed", line, example)

    def _count(self, problem: str, action: Action, line: int, example: str) -> None:
        for i, known in enumerate(self.irregularities):
            if (known.problem, known.action) == (problem, action):
                self.irregularities[i] = replace(known, count=known.count + 1)
                return
        self.irregularities.append(Irregularity(problem, action, 1, line, example[:80]))


@dataclass(frozen=True)
class ImportReport:
    """What was read from all files of a data set.

    Attributes:
        files: One report per file, in the order in which they were read.
        ignored: Files that are no part of the data set, with the reason.
    """

    files: tuple[FileReport, ...] = ()
    ignored: Mapping[str, str] = field(default_factory=dict)

    @property
    def irregular(self) -> int:
        """Number of irregular records; a record with two irregularities counts twice."""
        return sum(kind.count for file in self.files for kind in file.irregularities)

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {"files": [asdict(file) for file in self.files], "ignored": dict(self.ignored)}
