"""Read queries from tables and TREC topics, with the documents that they expect."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from fractions import Fraction

from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.columns import Columns, not_read, query_columns, several
from imrnns_core.data.readers.documents import DocumentFinder, field, one_line
from imrnns_core.data.readers.files import SourceFile
from imrnns_core.data.readers.grades import is_rounded, parse_grade
from imrnns_core.data.readers.json_rows import Record
from imrnns_core.data.readers.qrels import Judged
from imrnns_core.data.readers.rows import clean, first_rows, read_rows
from imrnns_core.data.records import Query

_TOPIC = re.compile(r"<top(?:\s[^>]*)?>(.*?)(?:</top>|(?=<top[\s>])|\Z)", re.S | re.I)
"""A topic; the tag that ends it is often missing."""
_XML_TOPIC = re.compile(
    r"""<topic\b[^>]*?\bnumber\s*=\s*["']?([^"'\s>]+)[^>]*>(.*?)</topic\s*>""", re.S | re.I
)
"""A topic in XML, as in the Web and COVID tracks: its number and its content."""
_XML_TEXTS = ("title", "query", "summary", "description", "question")
"""Elements that can have the text of a topic in XML, the shortest first."""
_TAG = r"<(/?)(num|title|desc|narr|smry|con|fac|def|dom|top)(?:\s[^<>]*)?>"
"""A tag of TREC topics; all others are part of the text."""
_FIELD = re.compile(rf"{_TAG}(.*?)(?={_TAG}|\Z)", re.S | re.I)
_MARKUP = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.I)
_BEFORE_ADDRESS = re.compile(r"\s*,\s*(?=https?://)", re.I)
_LABEL = re.compile(r"^\s*(number|topic|description)\s*:\s*", re.I)


def read_queries(
    file: SourceFile,
    report: FileReport,
    chosen: Columns,
    finder: DocumentFinder,
    queries: dict[str, Query],
    judged: Judged,
) -> None:
    """Add the queries of a table to `queries`, and the judgments that it contains to `judged`.

    A column with expected documents names them by id, address or title; several are separated by
    semicolons. They have grade 1 if no column has grades. Rows with the same query and no ids are
    one query.

    Args:
        file: The table.
        report: Gets the columns, the counts and the irregularities.
        chosen: Role → column, for columns that the user named.
        finder: Finds the expected documents.
        queries: Id → query; gets the queries of this file.
        judged: Query id → document id → grade; of two for a pair, the first stays.

    Raises:
        DataError: If the file cannot be read, or no column has queries.
    """
    first = first_rows(file)
    columns = query_columns(first, chosen, file.path, finder.find) if first else {}
    report.columns.update(columns)
    report.remarks += not_read(first, columns)
    if first and "query-id" not in columns:
        report.remarks.append("no column with ids; queries are numbered in the order of the file")
    ids_by_text = {query.text: query.id for query in queries.values()}
    for line, record in read_rows(file, report):
        text = field(record, columns["query"], report, line).strip()
        if not text:
            report.reject("without a query", line)
            continue
        if "query-id" in columns:
            identifier = one_line(field(record, columns["query-id"], report, line), report, line)
        else:
            identifier = ids_by_text.setdefault(text, f"q{len(ids_by_text) + 1}")
        if _add(Query(identifier, text), report, line, queries, repeats="document" in columns):
            _expect(record, identifier, columns, (report, line), finder, judged)


def _add(
    query: Query, report: FileReport, line: int, queries: dict[str, Query], repeats: bool
) -> bool:
    """Add a query; return False if it was rejected. `repeats` allows one row per document."""
    earlier = queries.get(query.id)
    if not query.id:
        report.reject("without an id", line, query.text)
    elif earlier and earlier.text != query.text:
        report.reject("with the id of an earlier query, but another text", line, query.id)
    elif earlier and not repeats:
        report.reject("that repeat an earlier query", line, query.id)
    else:
        queries[query.id] = query
        report.accept()
        return True
    return False


def _expect(
    record: Record,
    query_id: str,
    columns: Columns,
    place: tuple[FileReport, int],
    finder: DocumentFinder,
    judged: Judged,
) -> None:
    """Add the judgments of the documents that a record expects."""
    if "document" not in columns:
        return
    report, line = place
    names = _names(field(record, columns["document"], report, line).strip(), finder)
    if not names:
        report.keep("without an expected document", line, query_id)
        return
    text = field(record, columns["grade"], report, line) if "grade" in columns else "1"
    grade = _grade(text, report, line)
    if grade is None:
        return
    for name in names:
        found = finder.find(name)
        if not found:
            report.keep("whose expected document the corpus does not have", line, name)
        if len(found) > 1:
            report.keep("whose expected document is several with one title or address", line, name)
        for document_id in found:
            if judged.setdefault(query_id, {}).setdefault(document_id, grade) != grade:
                problem = "with another grade than an earlier row, which counts"
                report.keep(problem, line, f"{document_id} for {query_id}")


def _grade(text: str, report: FileReport, line: int) -> Fraction | None:
    """Return the grade of a record, None if it is no number; list what is irregular."""
    grade = parse_grade(text)
    if grade is None:
        report.keep("whose grade is not a number, so they have no judgment", line, text)
    elif grade < 0:
        report.change("whose negative grade counts as 0, not relevant", line, text)
    elif is_rounded(text):
        report.keep("whose grade was rounded to hundredths", line, text)
    return grade


def _names(cell: str, finder: DocumentFinder) -> list[str]:
    """Return the names of documents in a cell."""
    if finder.find_whole(cell):
        return [cell]
    names, parts = several(cell), [part.strip() for part in cell.split(",") if part.strip()]
    if len(names) > 1 or len(parts) < 2:
        return names
    addresses = _BEFORE_ADDRESS.split(cell)
    if len(addresses) > 1 and not all(map(finder.find, parts)):
        return addresses  # one of them may contain a comma
    # titles and addresses may contain commas, ids hardly ever: a title that the corpus lacks must
    # not become a document whose title is a part of it
    is_list = any(map(finder.is_id, parts)) or all(map(finder.find, parts))
    return parts if is_list else names


def is_topics(text: str) -> bool:
    """Return whether a text consists of TREC topics."""
    return bool(_TOPIC.search(text) or _XML_TOPIC.search(text))


def read_topics(file: SourceFile, report: FileReport, queries: dict[str, Query]) -> None:
    """Add the queries of a file of TREC topics: number and title, or else the description.

    Raises:
        DataError: If the file cannot be read.
    """
    for line, fields in _topics(file.text(report)):
        report.records += 1
        found = (fields.get("title") or fields.get("desc") or [""])[0]
        plain = _MARKUP.sub(" ", found)
        # of XML, what looks like a tag after this is text
        text = clean(" ".join(html.unescape(plain).split()), report, line)
        identifier = fields.get("num", [""])[0]
        if plain != found:
            report.change("whose mark-up was removed", line, identifier)
        if any(len(values) > 1 for values in fields.values()):
            report.keep("with a field twice, of which the first counts", line, identifier)
        if not text:
            report.reject("without a title or description", line, identifier)
        else:
            _add(Query(identifier, text), report, line, queries, repeats=False)


def _topics(text: str) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """Yield the line of each topic, and its fields that are not empty."""
    for topic in _XML_TOPIC.finditer(_plain_xml(text)):
        yield text.count("\n", 0, topic.start()) + 1, _xml_fields(*topic.groups())
    for topic in _TOPIC.finditer(text):
        fields = dict[str, list[str]]()
        for closing, name, value, *_ in _FIELD.findall(topic[1]):
            content = " ".join(_LABEL.sub("", value).split())
            if content and not closing:
                fields.setdefault(name.lower(), []).append(content)
        yield text.count("\n", 0, topic.start()) + 1, fields


def _xml_fields(number: str, content: str) -> dict[str, list[str]]:
    """Return the number of a topic in XML, and its text: of the first element, else all of it."""
    for name in _XML_TEXTS:
        # not the elements of subtopics
        found = re.search(rf"<{name}(?:\s[^>]*)?>(.*?)</{name}\s*>", content, re.S | re.I)
        if found and found[1].strip():
            content = found[1]
            break
    return {"num": [html.unescape(number)], "title": [" ".join(content.split())]}


def _plain_xml(text: str) -> str:
    """Return XML without comments and with CDATA sections as ordinary text, on the same lines."""
    text = re.sub(r"<!--.*?-->", lambda found: "\n" * found[0].count("\n"), text, flags=re.S)
    return re.sub(
        r"<!\[CDATA\[(.*?)\]\]>", lambda found: html.escape(found[1], quote=False), text, flags=re.S
    )
