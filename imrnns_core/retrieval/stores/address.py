"""Addresses of vector stores. What is shown of them never contains a password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from imrnns_core.errors import StoreError

Kind = Literal["faiss", "qdrant", "milvus", "postgresql"]
FORMS = (
    "an address is faiss:FILE#TABLE, qdrant:FOLDER#COLLECTION, milvus:FILE#COLLECTION or "
    "postgresql://USER@HOST/DATABASE#TABLE"
)
ENCODE = "in an address, write special characters of a password in percent encoding, such as %40"


@dataclass(frozen=True)
class StoreAddress:
    """Where a collection of a vector store is.

    Attributes:
        kind: The kind of store.
        place: A file, a folder, or a URL without user and password.
        collection: The collection or table; for FAISS, the file with the table of documents.
        vector: Name of the vector, if the collection has several.
        user: The user of the database.
        password: The password of the database.
        options: Further options of the connection, which may be secret, too.
    """

    kind: Kind
    place: str
    collection: str
    vector: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_remote(self) -> bool:
        """Whether the place is a URL instead of a file."""
        return "://" in self.place

    def __str__(self) -> str:
        """Return the address without password and options."""
        place = self.place
        if self.kind == "postgresql":
            _, _, host = place.partition("://")
            place = f"//{quote(self.user, safe='')}@{host}" if self.user else f"//{host}"
        vector = f"/{self.vector}" if self.vector else ""
        return f"{self.kind}:{place}#{self.collection}{vector}"

    def error(self, problem: str | BaseException, remedy: str) -> StoreError:
        """Return an error that names this store.

        The problem may be the message of a library: only its first line is used, and secrets are
        replaced in it.
        """
        text = str(problem).strip().splitlines()[0] if str(problem).strip() else "no answer"
        for secret in (self.password, *self.options.values()):
            for spelling in {secret, quote(secret), quote(secret, safe="")} - {""}:
                text = text.replace(spelling, "…")
        return StoreError(f"{self}: {text}; {remedy}")


def parse_address(text: str) -> StoreAddress:
    """Return the parts of an address.

    Raises:
        StoreError: If it is not an address of a store. The error does not repeat the address,
            which may contain a password.
    """
    scheme, colon, rest = text.partition(":")
    scheme = "postgresql" if scheme == "postgres" else scheme
    kinds: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
    if not colon or scheme not in kinds:
        raise StoreError(f"--store: not the address of a store; {FORMS}")
    place, _, collection = rest.rpartition("#")
    if not place or not collection:
        what = "table of documents" if scheme == "faiss" else "collection"
        raise StoreError(f"--store: the address names no {what} after #; {FORMS}")
    if kinds[scheme] == "faiss":
        return StoreAddress("faiss", place, collection)
    collection, _, vector = collection.partition("/")
    if kinds[scheme] == "postgresql":
        return _database(place, collection, vector)
    if "://" in place and (urlsplit(place).query or "@" in place):
        raise StoreError(
            f"--store: the address of a {scheme} server contains no keys; set "
            f"{'QDRANT_API_KEY' if scheme == 'qdrant' else 'MILVUS_TOKEN'} instead"
        )
    return StoreAddress(kinds[scheme], place, collection, vector)


def _database(place: str, collection: str, vector: str) -> StoreAddress:
    """Split `//USER:PASSWORD@HOST:PORT/DATABASE?OPTIONS`.

    The parts are given to the database one by one, so that no library has an address with a
    password that it could show in a message.
    """
    try:
        parts = urlsplit(f"postgresql:{place}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise StoreError(f"--store: host and port cannot be read; {ENCODE}") from None
    # a /, ? or # in the password would make the rest of it a part of what is shown
    if "@" in parts.path + parts.query + parts.fragment + collection + vector:
        raise StoreError(f"--store: there is an @ after the host; {ENCODE}")
    shown = f"postgresql://{host}{f':{port}' if port else ''}{parts.path}"
    return StoreAddress(
        "postgresql",
        shown,
        collection,
        vector,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        dict(parse_qsl(parts.query)),
    )
