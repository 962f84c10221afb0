"""Writing owners, or fields, batch by batch: one result for each change, in order, whatever happens to a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TypeVar

from connectors.base import FieldChange, OwnerChange, OwnerResult, OwnerTarget, RecordState, WriteOutcome
from connectors.errors import Ambiguous, ConnectorError, ConnectorStopped, RetryLater

T = TypeVar("T")
R = TypeVar("R")
Change = TypeVar("Change", OwnerChange, FieldChange)
WriteBatch = Callable[[Sequence[Change]], Sequence[OwnerResult]]


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """`items` in runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def check_types(changes: Sequence[Change], object_types: Sequence[str]) -> None:
    """Raise `ValueError`, before anything is sent, for an object type that the target does not know."""
    unknown = sorted({change.object_type for change in changes} - set(object_types))
    if unknown:
        raise ValueError(f"no owners of {', '.join(unknown)} here; there are: {', '.join(object_types)}")


def of_one_type(change: OwnerChange | FieldChange) -> str:
    """What rows of one call have in common where a vendor takes one object type at a time."""
    return change.object_type


def of_the_same_fields(change: FieldChange) -> str:
    """What rows of one call have in common where a vendor refuses the whole call for a field it does not have."""
    return " ".join((change.object_type, *sorted(change.values)))


def of_one_owner(change: OwnerChange) -> str:
    """What rows of one call have in common where a vendor takes one new owner at a time."""
    return f"{change.object_type} {change.owner_id}"


def write_in_batches(
    changes: Sequence[Change],
    size: int,
    write: WriteBatch[Change],
    *,
    alike: Callable[[Change], str] | None = None,
    at_once: int = 1,
) -> tuple[OwnerResult, ...]:
    """Call `write` for each batch, up to `at_once` of them at a time; results come back in the order of `changes`.

    Rows are written in a fixed order (by object type, then record id), so that two runs over the same records take
    the vendor's row locks in the same order. `alike`: a batch holds only rows for which it says the same. A batch
    without an answer is UNKNOWN and the next one goes on. When the connector stops or is told to wait, the rest is
    RETRY; if nothing at all was sent before, that error is raised instead.
    """
    first = alike or of_one_type
    order = sorted(range(len(changes)), key=lambda at: (first(changes[at]), changes[at].remote_id))
    batches = list(_batches(order, changes, size, alike))
    stopped: list[ConnectorError] = []

    def attempt(places: Sequence[int]) -> Sequence[OwnerResult] | None:
        if stopped:
            return None
        batch = [changes[at] for at in places]
        try:
            return write(batch)
        except Ambiguous as error:
            return same_result(batch, WriteOutcome.UNKNOWN, error)
        except (RetryLater, ConnectorStopped) as error:
            stopped.append(error)
            return None

    results: dict[int, OwnerResult] = {}
    for places, written in zip(batches, in_parallel(attempt, batches, at_once), strict=True):
        results.update(zip(places, written, strict=True) if written is not None else ())
    if stopped and all(result.outcome is WriteOutcome.RETRY for result in results.values()):
        raise stopped[0]
    rest = [at for at in order if at not in results]
    not_done = same_result([changes[at] for at in rest], WriteOutcome.RETRY, stopped[0]) if rest else []
    results.update(zip(rest, not_done, strict=True))
    return tuple(results[at] for at in range(len(changes)))


def in_parallel(do: Callable[[T], R], items: Sequence[T], at_once: int) -> list[R]:
    """`do` for each item, up to `at_once` at a time; what comes of it in the order of the items. The first error is
    raised once those under way are done."""
    if at_once == 1 or len(items) < 2:
        return [do(item) for item in items]
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(do, items))


def _batches(
    order: Sequence[int], changes: Sequence[Change], size: int, alike: Callable[[Change], str] | None
) -> Iterator[Sequence[int]]:
    if alike is None:
        yield from chunks(order, size)
        return
    for _, places in groupby(order, key=lambda at: alike(changes[at])):
        yield from chunks(list(places), size)


def write_the_sound(
    changes: Sequence[Change], refusal_of: Callable[[Change], OwnerResult | None], write: WriteBatch[Change]
) -> tuple[OwnerResult, ...]:
    """Call `write` for the changes that nothing speaks against; the others get their refusal. Results are in order."""
    results = {place: refusal for place, change in enumerate(changes) if (refusal := refusal_of(change))}
    places = [place for place in range(len(changes)) if place not in results]
    results.update(zip(places, write([changes[place] for place in places]), strict=True))
    return tuple(results[place] for place in range(len(changes)))


def write_if_unchanged(target: OwnerTarget, change: OwnerChange, version: str) -> OwnerResult:
    """`update_owner_if` of a vendor without compare-and-set: reads, compares and writes, so that an edit within that
    moment is lost."""
    try:
        (seen,) = target.read_owners([change.remote_id], change.object_type)
        if seen.state is RecordState.LIVE and seen.version != version:
            return OwnerResult(change.remote_id, WriteOutcome.MOVED, "MODIFIED", f"modified at {seen.version}")
        (result,) = target.update_owners([change])
    except RetryLater as error:
        return OwnerResult(change.remote_id, WriteOutcome.RETRY, error.code, error.message)
    return result


def same_result(batch: Sequence[Change], outcome: WriteOutcome, error: ConnectorError) -> list[OwnerResult]:
    """The same outcome for every row of a batch that failed as a whole."""
    return [OwnerResult(change.remote_id, outcome, error.code, error.message) for change in batch]


__all__ = [
    "WriteBatch",
    "check_types",
    "chunks",
    "in_parallel",
    "of_one_owner",
    "of_one_type",
    "of_the_same_fields",
    "same_result",
    "write_if_unchanged",
    "write_in_batches",
    "write_the_sound",
]
