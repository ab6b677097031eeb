"""Error messages: one line with the file, the line and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from imrnns_core.errors import AdapterError, DataError, EncoderError, LensError, TrainingError


def test_a_data_error_names_file_line_and_remedy():
    error = DataError(Path("a/corpus.jsonl"), "no _id", "give every line its own _id", 7)
    assert str(error) == "a/corpus.jsonl:7: no _id; give every line its own _id"
    assert (error.path, error.problem, error.remedy, error.line) == (
        Path("a/corpus.jsonl"),
        "no _id",
        "give every line its own _id",
        7,
    )


def test_a_data_error_without_a_line_names_the_file_alone():
    assert str(DataError("a.zip", "not found", "name another")) == "a.zip: not found; name another"


@pytest.mark.parametrize("kind", [DataError, EncoderError, AdapterError, TrainingError])
def test_every_error_a_user_can_fix_is_a_lens_error(kind: type[Exception]):
    assert issubclass(kind, LensError)
    assert not issubclass(kind, (ValueError, OSError))
