"""The objects of a CRM that have an owner of ours, found by the stream that holds their rows or by their name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol, TypeVar


class CrmObject(Protocol):
    """One kind of record: what the vendor calls it, and the stream of its rows."""

    @property
    def name(self) -> str: ...

    @property
    def stream(self) -> str: ...


Kind = TypeVar("Kind", bound=CrmObject)


def of_stream(vendor: str, objects: Iterable[Kind], stream: str) -> Kind:
    """The object whose rows a stream holds. Raises `ValueError`."""
    for each in objects:
        if each.stream == stream:
            return each
    raise ValueError(f"{vendor} has no stream {stream!r}")


def check_stream(vendor: str, streams: Collection[str], stream: str) -> None:
    """Raise `ValueError` for a stream that the vendor does not have."""
    if stream not in streams:
        raise ValueError(f"{vendor} has no stream {stream!r}")


def check_type(vendor: str, object_types: Collection[str], object_type: str | None) -> None:
    """Raise `ValueError` for an object without owners here; None means the one of accounts."""
    if object_type is not None and object_type not in object_types:
        raise ValueError(f"{vendor} shows no owners of {object_type!r} here")


def of_type(vendor: str, objects: Iterable[Kind], object_type: str) -> Kind:
    """The object of this name. Raises `ValueError`."""
    for each in objects:
        if each.name == object_type:
            return each
    raise ValueError(f"{vendor} shows no owners of {object_type!r} here")
