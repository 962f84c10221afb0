"""Writing owners batch by batch: one result for each change, in order, whatever happens to a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from connectors.base import OwnerChange, OwnerResult, OwnerTarget, RecordState, WriteOutcome
from connectors.errors import Ambiguous, ConnectorError, ConnectorStopped, RetryLater

T = TypeVar("T")
R = TypeVar("R")
WriteBatch = Callable[[Sequence[OwnerChange]], Sequence[OwnerResult]]


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """`items` in runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def check_types(changes: Sequence[OwnerChange], object_types: Sequence[str]) -> None:
    """Raise `ValueError`, before anything is sent, for an object type that the target does not know."""
    unknown = sorted({change.object_type for change in changes} - set(object_types))
    if unknown:
        raise ValueError(f"no owners of {', '.join(unknown)} here; there are: {', '.join(object_types)}")


def write_in_batches(
    changes: Sequence[OwnerChange],
    size: int,
    write: WriteBatch,
    *,
    mixed: bool = True,
    one_owner: bool = False,
    at_once: int = 1,
) -> tuple[OwnerResult, ...]:
    """Call `write` for each batch, up to `at_once` of them at a time; results come back in the order of `changes`.

    Rows are written in a fixed order (by object type, then record id), so that two runs over the same records take
    the vendor's row locks in the same order. `mixed`: one batch may hold several object types; `one_owner`: all
    changes of a batch are to the same new owner. A batch without an answer is UNKNOWN and the next one goes on. When
    the connector stops or is told to wait, the rest is RETRY; if nothing at all was sent before, that error is raised
    instead.
    """
    order = sorted(range(len(changes)), key=lambda at: (changes[at].object_type, changes[at].remote_id))
    batches = list(_batches(order, changes, size, mixed, one_owner))
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
    order: Sequence[int], changes: Sequence[OwnerChange], size: int, mixed: bool, one_owner: bool
) -> Iterator[Sequence[int]]:
    alike: dict[tuple[str, str], list[int]] = {}
    for at in order:
        change = changes[at]
        key = ("" if mixed else change.object_type, change.owner_id if one_owner else "")
        alike.setdefault(key, []).append(at)
    for places in alike.values():
        yield from chunks(places, size)


def write_the_sound(
    changes: Sequence[OwnerChange], refusal_of: Callable[[OwnerChange], OwnerResult | None], write: WriteBatch
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


def same_result(batch: Sequence[OwnerChange], outcome: WriteOutcome, error: ConnectorError) -> list[OwnerResult]:
    """The same outcome for every row of a batch that failed as a whole."""
    return [OwnerResult(change.remote_id, outcome, error.code, error.message) for change in batch]


__all__ = [
    "WriteBatch",
    "check_types",
    "chunks",
    "in_parallel",
    "same_result",
    "write_if_unchanged",
    "write_in_batches",
    "write_the_sound",
]
