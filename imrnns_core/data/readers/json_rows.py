"""Read the records of a JSON file or of JSON lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.files import SourceFile
from imrnns_core.errors import DataError

Record = dict[str, Any]
Rows = Iterator[tuple[int, Record]]
"""(Line from 1, column name → value) of each record; broken records are counted and left out."""

_LONGEST_INTEGER = 300
"""Digits up to which a JSON integer is read as a number; Python refuses more than 4,300."""
_MOST_OBJECTS = 2_000_000
"""Objects and arrays in one JSON text that is parsed at once; each takes about 200 bytes."""
_NO_BLANK = re.compile(r"[^ \t\n\r]")


def read_json_lines(file: SourceFile, report: FileReport) -> Rows:
    """Yield the object on each line; broken lines are rejected.

    Raises:
        DataError: If the file cannot be read.
    """
    for line, text in file.lines(report):
        try:
            record = _parse(text)
        except json.JSONDecodeError as error:
            report.records += 1
            report.reject("with broken JSON", line, f"column {error.colno}: {error.msg}")
        except RecursionError:
            report.records += 1
            report.reject("with JSON nested too deeply", line)
        else:
            yield from _objects([(line, record)], report)


def read_json_array(file: SourceFile, report: FileReport) -> Rows:
    """Yield the objects of an array, of an array in an object, or of JSON lines.

    Raises:
        DataError: If the file cannot be read, or its JSON is broken.
    """
    text = file.text(report)
    if text.lstrip().startswith("["):
        return _objects(enumerate(_elements(text, file), start=1), report)
    try:
        content = _parse(text)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("{") and "\n" in text.strip():
            return read_json_lines(file, report)
        raise _broken(file, error) from None
    except RecursionError:
        raise _too_deep(file) from None
    if isinstance(content, dict):
        arrays = [value for value in content.values() if isinstance(value, list)]
        # an object without an array is a file with one record
        content = max(arrays, key=len) if arrays else [content]
    if not isinstance(content, list):
        problem = f"a JSON {type(content).__name__}, not an array of objects"
        raise DataError(file.path, problem, 'write [{"id": …, "title": …, "text": …}, …]')
    return _objects(enumerate(content, start=1), report)


def _elements(text: str, file: SourceFile) -> Iterator[Any]:
    """Yield the elements of an array one by one: all together take many times their text.

    Raises:
        DataError: If the array is broken.
    """
    decoder, at = json.JSONDecoder(parse_int=_integer), _after_blanks(text, text.index("[") + 1)
    try:
        is_next = text[at : at + 1] != "]"
        while is_next:
            element, at = decoder.raw_decode(text, at)
            yield element
            at = _after_blanks(text, at)
            is_next = text[at : at + 1] == ","
            at = _after_blanks(text, at + 1) if is_next else at
        if text[at : at + 1] != "]":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        if (at := _after_blanks(text, at + 1)) < len(text):
            raise json.JSONDecodeError("Extra data", text, at)
    except json.JSONDecodeError as error:
        raise _broken(file, error) from None
    except RecursionError:
        raise _too_deep(file) from None


def _after_blanks(text: str, at: int) -> int:
    """Return the position of the first character from `at` that is no blank of JSON."""
    found = _NO_BLANK.search(text, at)
    return found.start() if found else len(text)


def _broken(file: SourceFile, error: json.JSONDecodeError) -> DataError:
    problem = f"broken JSON ({error.msg}, line {error.lineno}, column {error.colno})"
    return DataError(file.path, problem, "correct the file", error.lineno)


def _too_deep(file: SourceFile) -> DataError:
    return DataError(file.path, "JSON nested too deeply", "write an array of objects")


def _parse(text: str) -> Any:
    if text.count("{") + text.count("[") > _MOST_OBJECTS:
        problem = f"more than {_MOST_OBJECTS:,} objects in one; write JSON lines"
        raise json.JSONDecodeError(problem, text, 0)
    return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits


def _objects(records: Iterable[tuple[int, Any]], report: FileReport) -> Rows:
    for line, record in records:
        report.records += 1
        if isinstance(record, dict):
            yield line, record
        else:
            report.reject("that are not JSON objects", line, repr(record))
