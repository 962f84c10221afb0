"""Batches written side by side keep the promises of batches written one after the other."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import OwnerChange, OwnerResult, WriteOutcome
from connectors.batches import in_parallel, write_in_batches
from connectors.errors import Ambiguous, ConnectorError, ConnectorStopped, RetryLater

FATES = {
    "written": None,
    "silent": Ambiguous("crm", "no answer"),
    "busy": RetryLater("crm", "later"),
    "stopped": ConnectorStopped("crm", "no more"),
}


def changes(number: int) -> list[OwnerChange]:
    return [OwnerChange("Account", f"{n:03}", "owner") for n in range(number)]


@given(st.lists(st.sampled_from(sorted(FATES)), min_size=1, max_size=6), st.integers(1, 4))
@settings(deadline=None)
def test_every_change_has_one_result_in_order_and_what_was_sent_is_never_called_undone(
    fates: list[str], at_once: int
) -> None:
    sent: set[str] = set()
    fate_of = {f"{3 * n:03}": fate for n, fate in enumerate(fates)}

    def write(batch: list[OwnerChange]) -> list[OwnerResult]:
        error = FATES[fate_of[batch[0].remote_id]]
        if isinstance(error, RetryLater | ConnectorStopped):
            raise error
        sent.update(change.remote_id for change in batch)
        if error:
            raise error
        return [OwnerResult(change.remote_id, WriteOutcome.WRITTEN) for change in batch]

    asked = changes(3 * len(fates))
    try:
        results = write_in_batches(asked, 3, write, at_once=at_once)  # type: ignore[arg-type]
    except ConnectorError:
        assert not sent, "raised only when nothing at all was written"
        return
    assert [result.remote_id for result in results] == [change.remote_id for change in asked]
    for result in results:
        assert (result.outcome is WriteOutcome.RETRY) == (result.remote_id not in sent)


def test_so_many_are_under_way_at_once_and_no_more() -> None:
    meeting, under_way, most = threading.Barrier(3), [0], [0]
    lock = threading.Lock()

    def write(batch: list[OwnerChange]) -> list[OwnerResult]:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        meeting.wait(timeout=10)  # three come together, or the test fails
        with lock:
            under_way[0] -= 1
        return [OwnerResult(change.remote_id, WriteOutcome.WRITTEN) for change in batch]

    write_in_batches(changes(9), 1, write, at_once=3)  # type: ignore[arg-type]
    assert most[0] == 3


def test_the_first_error_is_raised_once_those_under_way_are_done() -> None:
    done: list[int] = []

    def do(number: int) -> int:
        if number == 1:
            raise LookupError("one")
        done.append(number)
        return number

    with pytest.raises(LookupError, match="one"):
        in_parallel(do, [0, 1, 2, 3], 2)
    assert 0 in done
