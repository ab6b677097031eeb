"""Exceptions of the package; each message states the problem and the remedy on one line.

LensError                  a problem that the user can fix; the command line exits with code 2
├── DataError              a data set, a judgment file or a folder of embeddings is faulty
├── StoreError             a vector store cannot be opened or read
├── EncoderError           an encoder cannot be loaded, or it did not make these embeddings
├── AdapterError           an adapter file cannot be read or does not fit the embeddings
├── TrainingError          there is nothing to train on, or the recipe does not exist
├── ExplanationError       an explanation is not available for this encoder or this pair
└── MissingExtraError      an optional package is not installed
"""

from __future__ import annotations

from pathlib import Path

from imrnns_core.printable import one_line


class LensError(Exception):
    """Base class of all errors that a user can fix.

    Args:
        message: Problem and remedy. What it quotes from files is made one printable line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class DataError(LensError):
    """A data file or folder cannot be used.

    Args:
        path: The faulty file or folder.
        problem: What is wrong, without a full stop.
        remedy: What the user can do about it.
        line: The faulty line, counted from 1.
    """

    def __init__(
        self, path: Path | str, problem: str, remedy: str, line: int | None = None
    ) -> None:
        self.path, self.problem, self.remedy, self.line = Path(path), problem, remedy, line
        location = f"{path}:{line}" if line is not None else f"{path}"
        super().__init__(f"{location}: {problem}; {remedy}")


class StoreError(LensError):
    """A vector store cannot be opened or read; the message never contains a password."""


class EncoderError(LensError):
    """An encoder cannot be loaded, or it did not make the embeddings of the collection."""


class AdapterError(LensError):
    """An adapter cannot be loaded or does not fit the embeddings."""


class TrainingError(LensError):
    """Training cannot start."""


class ExplanationError(LensError):
    """An explanation is not available for this encoder, or for this query and document."""


class MissingExtraError(LensError):
    """An optional package is not installed.

    Args:
        feature: The feature that needs the package, as the subject of a sentence.
        extra: The extra of the installation that contains the package.
    """

    def __init__(self, feature: str, extra: str) -> None:
        self.extra = extra
        super().__init__(
            f"{feature} needs packages that are not installed; run: "
            f'pip install "imrnns-lens[{extra}]"'
        )
