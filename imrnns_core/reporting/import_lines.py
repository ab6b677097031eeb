"""What was read from the files of a data set, as lines of text."""

from __future__ import annotations

from collections.abc import Collection as Ids
from collections.abc import Mapping

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.import_report import FileReport, ImportReport
from imrnns_core.data.readers.columns import ROLES
from imrnns_core.encoding.lengths import Lengths
from imrnns_core.errors import EncoderError
from imrnns_core.reporting.formatting import counted
from imrnns_core.retrieval.collection import Collection

SHOWN_FILES = 3
"""Names of ignored files that are written out for each reason."""


def import_lines(report: ImportReport) -> list[str]:
    """Return what was read from each file, every kind of irregularity, and the files left out."""
    return [
        *(line for file in report.files for line in _file(file)),
        *(f"not read: {line}" for line in _ignored(report.ignored)),
    ]


def own_document_lines(dataset: Dataset, query_ids: Ids[str]) -> list[str]:
    """Return how many of these queries are documents of the corpus, and what that means."""
    own = dataset.own_documents
    same = sum(query_id in own.rows for query_id in query_ids)
    chance = sum(query_id in query_ids for query_id in own.other_text)
    lines = []
    if same:
        text = f"{counted(same, 'query is', 'queries are')} also in the corpus, same id and text"
        if dataset.left_out:
            text += ". This document is left out of the rankings of its query, and a judgment of "
            text += "it does not count. To keep it: imrnns-lens prepare DATA --keep-own"
        else:
            text += ". This document stays in the rankings of its query, as you chose"
        lines.append(text)
    if chance:
        lines.append(
            f"{counted(chance, 'query has', 'queries have')} the id of a document, but another "
            "text: such a document stays in the rankings"
        )
    return lines


def length_line(collection: Collection) -> str:
    """Return how many documents the encoder does not read whole, and how much is not read."""
    passages = collection.passages
    if passages is not None:
        split = counted(len(set(passages.rows.tolist())), "long document is", "long documents are")
        return (
            f"{split} split into {counted(len(passages.rows), 'passage')}, and ranked by the best "
            "passage"
        )
    try:
        lengths = Lengths.of(collection.encoder, collection.dataset.documents)
    except EncoderError as error:
        return f"it is unknown how much of the documents was read: {error}"
    if not lengths.is_known:
        return "the endpoint does not say how much of a text it reads"
    cut = len(lengths.cut)
    if not cut:
        return f"all documents fit into the {lengths.limit:,} tokens that the encoder reads"
    share = f"{lengths.share_not_read:.1%}".replace("%", " %")
    return (
        f"{counted(cut, 'document is', 'documents are')} longer than the {lengths.limit:,} tokens "
        f"that the encoder reads, so {share} of all tokens are not read; to read them: imrnns-lens "
        "prepare DATA --passages"
    )


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
