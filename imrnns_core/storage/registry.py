"""The list of registered data sets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from imrnns_core.config import EncoderSpec
from imrnns_core.data.readers.load import DataSource
from imrnns_core.errors import DataError
from imrnns_core.io import EDITED, ChangedError, without_checksum, write_checked_json
from imrnns_core.types import Similarity


@dataclass(frozen=True)
class Registration:
    """A data set that is registered under a name.

    Attributes:
        name: The name.
        path: The folder, zip or file of the data set.
        embeddings: Its precomputed embeddings; None if the workspace encodes it.
        encoder: The encoder of the embeddings.
        queries: A file of queries beside the data set, or None.
        columns: Role → column, for columns that the reader would not find by itself.
        similarity: How its documents are ranked.
        keep_own: Whether documents that are the query itself stay in its rankings.
        passages: Whether long documents are split and ranked by their best passage.
        without_vectors: Whether its texts are not encoded: only runs rank its documents.
    """

    name: str
    path: Path
    embeddings: Path | None
    encoder: EncoderSpec
    queries: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    similarity: Similarity = "cosine"
    keep_own: bool = False
    passages: bool = False
    without_vectors: bool = False

    @property
    def vectors_name(self) -> str:
        """What tells its vectors from others of the same data set."""
        encoder = self.encoder
        parts = [
            encoder.name,
            encoder.revision,
            encoder.query_prefix,
            encoder.document_prefix,
            "queries" if self.embeddings else None,  # the documents are elsewhere
            "dot" if self.similarity == "dot" else None,
        ]
        return "-".join(filter(None, parts))

    @property
    def source(self) -> DataSource:
        """The files of the data set, and how they are read."""
        return DataSource(self.path, self.queries, self.columns)

    def updated(self, embeddings: Path | None, encoder: EncoderSpec | None) -> Registration:
        """Return the registration with other embeddings or another encoder; None keeps them."""
        return replace(
            self,
            embeddings=embeddings or self.embeddings,
            encoder=encoder or self.encoder,
            without_vectors=self.without_vectors and not (embeddings or encoder),
        )


def read_registry(path: Path) -> dict[str, Registration]:
    """Read the list of data sets; it is empty if the file does not exist.

    Raises:
        DataError: If the file is damaged.
    """
    registrations: dict[str, Registration] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return registrations
    # an unreadable file is reported like a damaged one
    except (OSError, ValueError):
        text = ""
    try:
        for name, record in without_checksum(json.loads(text)).items():
            embeddings = Path(record["embeddings"]) if record["embeddings"] else None
            encoder = EncoderSpec(**record["encoder"])
            # older lists lack some of these
            queries = Path(record["queries"]) if record.get("queries") else None
            columns = dict(record.get("columns") or {})
            similarity: Similarity = "dot" if record.get("similarity") == "dot" else "cosine"
            registrations[name] = Registration(
                *(name, Path(record["path"]), embeddings, encoder, queries, columns, similarity),
                keep_own=bool(record.get("keep_own")),
                passages=bool(record.get("passages")),
                without_vectors=bool(record.get("without_vectors")),
            )
    except ChangedError as error:
        remedy = f"{EDITED}; else delete the file and prepare your data sets again"
        raise DataError(path, str(error), remedy) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        remedy = "delete it and prepare your data sets again"
        raise DataError(path, "not a list of data sets", remedy) from None
    return registrations


def write_registry(path: Path, registrations: Iterable[Registration]) -> None:
    """Write the list of data sets, atomically."""
    record = {
        r.name: {
            "path": str(r.path),
            "embeddings": str(r.embeddings) if r.embeddings else None,
            "encoder": r.encoder.to_json(),
            "queries": str(r.queries) if r.queries else None,
            "columns": dict(r.columns),
            "similarity": r.similarity,
            "keep_own": r.keep_own,
            "passages": r.passages,
            "without_vectors": r.without_vectors,
        }
        for r in registrations
    }
    write_checked_json(path, record)


def own_name(path: Path) -> str:
    """Return the name that a data set gets if no other one has it."""
    return path.name if path.is_dir() else path.name.split(".")[0]


def registration_of(
    path: Path,
    registrations: Mapping[str, Registration],
    embeddings: Path | None,
    encoder: EncoderSpec | None,
) -> Registration:
    """Return the registration of an absolute path: the known one, or one with a name of its own.

    Args:
        path: The path.
        registrations: Name → registration of the known data sets.
        embeddings: Replaces the registered embeddings.
        encoder: Replaces the registered encoder.
    """
    name = own_name(path)
    # two folders may have the same name: add parent folders until the name is unique
    for parent in path.parents:
        if name not in registrations or registrations[name].path == path:
            break
        name = f"{parent.name}-{name}"
    previous = registrations.get(name)
    if previous and previous.path == path:
        return previous.updated(embeddings, encoder)
    return Registration(name, path, embeddings, encoder or EncoderSpec())
