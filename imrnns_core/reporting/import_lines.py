"""What was read from the files of a data set, as lines of text."""

from __future__ import annotations

from collections.abc import Mapping

from imrnns_core.data.import_report import FileReport, ImportReport
from imrnns_core.data.readers.columns import ROLES

SHOWN_FILES = 3
"""Names of ignored files that are written out for each reason."""


def import_lines(report: ImportReport) -> list[str]:
    """Return what was read from each file, every kind of irregularity, and the files left out."""
    return [
        *(line for file in report.files for line in _file(file)),
        *(f"not read: {line}" for line in _ignored(report.ignored)),
    ]


def irregularities(file: FileReport) -> list[str]:
    """Return the remarks on a file, and its irregularities with the first line of each."""
    return [
        *(f"  {remark}" for remark in file.remarks),
        *(
            f"  {kind.action}: {kind.count:,} {kind.problem}; the first is in line {kind.line:,}"
            + (f" ({kind.example})" if kind.example else "")
            for kind in file.irregularities
        ),
    ]


def columns(file: FileReport) -> str:
    """Return which column was read as what: `title = heading, text = content`."""
    return ", ".join(
        f"{role} = {file.columns[role]}" for role in ROLES[file.kind] if role in file.columns
    )


def _ignored(ignored: Mapping[str, str]) -> list[str]:
    """Return the files that were not read, by the reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in ignored.items():
        reasons.setdefault(reason, []).append(name)
    return [
        ", ".join(names[:SHOWN_FILES])
        + (f" and {len(names) - SHOWN_FILES} more" if len(names) > SHOWN_FILES else "")
        + f". Reason: {reason}"
        for reason, names in reasons.items()
    ]


def _file(file: FileReport) -> list[str]:
    rejected = f", {file.rejected:,} rejected" if file.rejected else ""
    named = f" ({columns(file)})" if file.columns else ""
    return [
        f"{file.path}: {file.read:,} of {file.records:,} {file.kind}{rejected}{named}",
        *irregularities(file),
    ]
