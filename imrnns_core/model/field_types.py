"""Check of a record that was read from a file: does every field have the type of its class?"""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def check_types(record: DataclassInstance) -> None:
    """Check the fields of a dataclass, and those of the dataclasses in it.

    Raises:
        TypeError: If a field has another type than its annotation, or a number is not finite.
    """
    hints = get_type_hints(type(record))
    for own in fields(record):
        if not _fits(getattr(record, own.name), hints[own.name]):
            raise TypeError(f"{own.name} has the wrong type")


def _fits(value: Any, hint: Any) -> bool:
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if kind is Literal:
        return isinstance(value, str) and value in parts
    if kind is list:
        return isinstance(value, list) and all(_fits(own, parts[0]) for own in value)
    if kind is dict:
        return isinstance(value, dict) and all(_fits(own, parts[1]) for own in value.values())
    if kind is tuple:
        return (
            isinstance(value, tuple) and len(value) == len(parts) and all(map(_fits, value, parts))
        )
    return _is_plain(value, kind)


def _is_plain(value: Any, kind: Any) -> bool:
    if kind is Any or kind is NoneType:
        return kind is Any or value is None
    if kind in (int, float):  # a truth value is an int, too
        is_number = isinstance(value, int if kind is int else (int, float))
        return is_number and not isinstance(value, bool) and math.isfinite(value)
    if is_dataclass(value) and not isinstance(value, type):
        check_types(value)
    return isinstance(value, kind)
