"""Read a folder of Markdown, text or HTML files: one document per file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import frontmatter
import yaml
from bs4 import BeautifulSoup

from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.documents import collect
from imrnns_core.data.readers.files import SourceFile
from imrnns_core.data.readers.rows import clean
from imrnns_core.data.records import Document
from imrnns_core.errors import DataError

_HEADING = re.compile(r"\A\s*#\s+(.+?)\s*#*\s*(?:\n|\Z)|\A\s*(.+?)[ \t]*\n=+[ \t]*(?:\n|\Z)")
_MAX_TAGS = 100_000
"""Tags of an HTML page; each takes about a kilobyte when it is read."""
_MAX_FRONT_MATTER = 20_000
"""Characters of front matter; more is text between two lines."""
_UNREAD = ("script", "style", "template", "noscript", "nav", "header", "footer", "aside")


def read_pages(
    files: Sequence[SourceFile], report: FileReport, documents: dict[str, Document]
) -> None:
    """Add one document per file to `documents`, id → document; the id is the path in the folder.

    Title and address come from the front matter (`title`, `url`), else the title is the first
    heading, the `<title>`, or the name of the file.
    """
    collect(_pages(files, report), report, documents)


def _pages(files: Sequence[SourceFile], report: FileReport) -> Iterator[tuple[int, Document]]:
    for number, file in enumerate(files, start=1):
        report.records += 1
        # remarks belong to one file: here they are irregularities of the folder
        own = FileReport(str(file.path), "documents")
        try:
            text = clean(file.text(own), report, number)
            html = file.suffix in (".html", ".htm")
            if html and text.count("<") > _MAX_TAGS:
                problem = f"with more than {_MAX_TAGS:,} tags"
                raise DataError(file.path, problem, "save it as text")
            title, url, body = _html(text) if html else _markdown(text, file, report, number)
        except DataError as error:
            report.reject(error.problem, number, file.name)
            continue
        for remark in own.remarks:
            report.change(remark.split(";")[0], number, file.name)
        yield number, Document(file.name, title or file.stem, body, url=url)


def _markdown(text: str, file: SourceFile, report: FileReport, number: int) -> tuple[str, str, str]:
    """Return title, address and text of a Markdown or text file."""
    metadata: Mapping[str, object] = {}
    try:
        if text.find("\n---", 3) < _MAX_FRONT_MATTER:
            metadata, text = frontmatter.parse(text)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError):
        report.keep("with front matter that is not YAML, read as text", number, file.name)
    title = _value(metadata, "title")
    url = next(filter(None, (_value(metadata, key) for key in ("url", "permalink", "link"))), "")
    heading = _HEADING.match(text)
    if heading:
        # the heading becomes the title, so the text does not repeat it
        named = heading[1] or heading[2]
        if not title or title == named:
            title, text = named, text[heading.end() :]
    return title, url.strip(), text.strip()


def _value(metadata: Mapping[str, object], key: str) -> str:
    """Return a text, number or date of front matter; a list of lists can be endless as a text."""
    value = metadata.get(key)
    return "" if isinstance(value, (list, dict, set, tuple)) else str(value or "").strip()


def _html(text: str) -> tuple[str, str, str]:
    """Return title, address and visible text of an HTML page."""
    soup = BeautifulSoup(text, "html.parser")
    link = soup.find("link", rel="canonical")
    url = str(link.get("href") or "") if link else ""
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    heading = soup.find("h1")
    if not title and heading:
        title = heading.get_text(" ", strip=True)
    for element in soup.find_all(_UNREAD):
        element.decompose()
    body = soup.find("main") or soup.find("article") or soup.body or soup
    lines = (" ".join(line.split()) for line in body.get_text("\n").split("\n"))
    content = "\n".join(line for line in lines if line)
    return title, url, content.removeprefix(title).strip()
