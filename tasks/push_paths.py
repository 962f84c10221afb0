"""Which way owners are written: one at a time on condition that nobody wrote since our read, or in batches.

The choice is `one_by_one`, and docs/push.md has it as a table. Reading and judging are not done here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from connectors.base import OwnerChange, OwnerResult, OwnerTarget, WriteOutcome
from connectors.batches import same_result, write_in_batches
from connectors.errors import ConnectorStopped, RetryLater

# A conditional write costs a call or two for each record where a batch costs one for all of them: what a webhook or a
# person changed goes singly, what a run changed does not.
ONE_BY_ONE_UP_TO = 10


def one_by_one(object_types: Sequence[str], compare_and_set: Collection[str]) -> frozenset[str]:
    """The types, among those of the records to be written, whose records are written singly and on condition."""
    counts = Counter(object_types)
    return frozenset(kind for kind, count in counts.items() if kind in compare_and_set and count <= ONE_BY_ONE_UP_TO)


def write_owners(
    target: OwnerTarget, changes: Sequence[OwnerChange], versions: Sequence[str | None]
) -> list[OwnerResult]:
    """Write each change; `versions` are those of our read. One result each, in order.

    Raises `ConnectorStopped` or `RetryLater` only when nothing at all was written.
    """
    singly = one_by_one([change.object_type for change in changes], target.compare_and_set)
    first = [at for at, change in enumerate(changes) if change.object_type in singly and versions[at] is not None]
    rest = sorted(set(range(len(changes))) - set(first))
    results = dict(zip(first, _write_on_condition(target, [changes[at] for at in first], versions, first), strict=True))
    batch = [changes[at] for at in rest]
    try:
        written: Sequence[OwnerResult] = target.update_owners(batch) if batch else ()
    except (RetryLater, ConnectorStopped) as error:
        if all(result.outcome is WriteOutcome.RETRY for result in results.values()):
            raise
        written = same_result(batch, WriteOutcome.RETRY, error)
    results.update(zip(rest, written, strict=True))
    return [results[at] for at in range(len(changes))]


def _write_on_condition(
    target: OwnerTarget, changes: Sequence[OwnerChange], versions: Sequence[str | None], places: Sequence[int]
) -> tuple[OwnerResult, ...]:
    version = {
        (change.object_type, change.remote_id): versions[at] or "" for change, at in zip(changes, places, strict=True)
    }

    def write(batch: Sequence[OwnerChange]) -> list[OwnerResult]:
        return [target.update_owner_if(each, version[(each.object_type, each.remote_id)]) for each in batch]

    return write_in_batches(changes, 1, write)
