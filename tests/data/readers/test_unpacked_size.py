"""What an uploaded file may unpack to."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from imrnns_core.data.readers import unpacked_size
from imrnns_core.data.readers.unpacked_size import check_unpacked_size
from imrnns_core.errors import DataError

SHOWN = Path("wiki.zip")


def zipped(**members: bytes) -> io.BytesIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked_size, "MAX_UNPACKED", 1_000_000)


@pytest.mark.parametrize(
    "content",
    [
        zipped(a=bytes(600_000), b=bytes(600_000)),
        # what is in the zip is small, but compressed itself
        zipped(a=gzip.compress(bytes(600_000)), b=gzip.compress(bytes(600_000))),
        io.BytesIO(gzip.compress(bytes(600_000)) * 2),
    ],
    ids=["all members together", "gzip in the zip", "gzip in two parts"],
)
def test_more_than_the_limit_is_refused(small_limit: None, content: io.BytesIO) -> None:
    with pytest.raises(DataError, match=r"wiki.zip: unpacks to more than 0 GB; unpack it yourself"):
        check_unpacked_size(content, SHOWN)


def test_a_bomb_below_the_limit_is_refused_by_its_ratio() -> None:
    bomb = zipped(**{f"{i}.txt": bytes(100_000_000) for i in range(3)})
    assert len(bomb.getvalue()) < 1_000_000
    with pytest.raises(DataError, match="unpacks to more than 100 times its size"):
        check_unpacked_size(bomb, SHOWN)


@pytest.mark.parametrize(
    "content",
    [
        zipped(a=bytes(999_000)),
        io.BytesIO(gzip.compress(bytes(999_000))),
        io.BytesIO(bytes(2_000_000)),  # not compressed: the size of the upload bounds it
        io.BytesIO(gzip.compress(bytes(999_000))[:-20]),
        io.BytesIO(b""),
    ],
    ids=["zip", "gzip", "plain", "damaged", "empty"],
)
def test_what_can_be_read_or_is_damaged_passes(small_limit: None, content: io.BytesIO) -> None:
    check_unpacked_size(content, SHOWN)
