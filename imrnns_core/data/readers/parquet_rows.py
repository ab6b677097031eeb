"""Read the records of a Parquet file, whose values may repeat without taking any space in it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.files import SourceFile
from imrnns_core.data.readers.json_rows import Rows
from imrnns_core.errors import DataError

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

FREE_VALUES = 1_000_000
"""Values that any Parquet file may have."""
VALUES_PER_BYTE = 16
"""Values that it may have per byte above them; the vectors of an encoder have about 0.3."""


def read_parquet(file: SourceFile, report: FileReport) -> Rows:
    """Yield the records of a Parquet file.

    Raises:
        DataError: If the file cannot be read, has endless values, or bytes that are no UTF-8.
    """
    import pyarrow.lib

    content = file.content()
    number = 0
    try:
        table = open_parquet(io.BytesIO(content), len(content), file.path)
        names = table.schema_arrow.names
        for batch in table.iter_batches():
            columns = [_values(column) for column in batch.columns]
            for row in zip(*columns, strict=True):
                number += 1
                report.records += 1
                yield number, dict(zip(names, row, strict=True))
    except (pyarrow.lib.ArrowException, OSError, OverflowError, ValueError) as error:
        raise unreadable(file.path, error) from None


def open_parquet(content: Any, size: int, shown: Path) -> pyarrow.parquet.ParquetFile:
    """Open a Parquet file whose texts share memory where they are equal.

    Args:
        content: The file, or its path.
        size: Its bytes.
        shown: The path that the message shows.

    Raises:
        DataError: If it has more values than `FREE_VALUES`, and `VALUES_PER_BYTE`.
        ArrowException: If it is no Parquet file.
        OSError: Likewise.
    """
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(content)
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    chunks = [group.column(j) for group in groups for j in range(group.num_columns)]
    most = max(FREE_VALUES, VALUES_PER_BYTE * size)
    values = sum(chunk.num_values for chunk in chunks)
    if values > most or file.metadata.num_rows > most:
        problem = f"has {max(values, file.metadata.num_rows):,} values in {size:,} bytes"
        raise DataError(shown, problem, "write it without compression if you trust it")
    texts = {chunk.path_in_schema for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"}
    file.close()
    if hasattr(content, "seek"):
        content.seek(0)
    return pyarrow.parquet.ParquetFile(content, read_dictionary=sorted(texts))


def unreadable(path: Path, error: Exception) -> DataError:
    """Return the error for a file that is no Parquet file, or is damaged."""
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return DataError(path, f"cannot be read as Parquet ({reason})", "write the file again")


def _values(column: pyarrow.Array) -> Sequence[Any]:
    """Return the values of a column; equal texts are one object."""
    import pyarrow.types as kinds

    if kinds.is_dictionary(column.type):
        texts = list(map(_text, column.dictionary.to_pylist()))
        return [None if i is None else texts[i] for i in column.indices.to_pylist()]
    if kinds.is_list(column.type) and kinds.is_dictionary(column.type.value_type):
        inner, ends = _values(column.values), column.offsets.to_pylist()
        lists = [list(inner[a:b]) for a, b in pairwise(ends)]
        return [
            own if known else None
            for own, known in zip(lists, column.is_valid().to_pylist(), strict=True)
        ]
    return column.to_pylist()  # type: ignore[no-any-return]


def _text(value: Any) -> Any:
    """Return a text; some programs write texts without saying that they are."""
    return value.decode("utf-8") if isinstance(value, bytes) else value
