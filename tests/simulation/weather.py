"""A vendor on a bad day: the in-memory target, with everything between us and it going wrong as the dice say.

Nothing here is kinder than a vendor: an unanswered write may have been done, not done, or be done up to a minute later.
Each write is remembered with the outbox row it was sent for, so that `promises.py` can judge the order of writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from connectors.base import ObservedOwner, OutsideUser, OwnerChange, OwnerResult, WriteOutcome
from connectors.errors import Ambiguous, ConnectorStopped, RetryLater
from connectors.memory import MemorySource, MemoryTarget
from tests.simulation.scheduler import Scheduler
from tests.simulation.watch import Sent, Watch

T = TypeVar("T")

NO_ANSWER_S = 10.0  # how long a call waits for an answer
LATE_S = (20.0, 70.0)  # a write that nobody answered lands this long after it was sent
RETRY_AFTER_S = (1.0, 30.0, 300.0)
BAD_READ, BAD_WRITE = 0.15, 0.45
READ_FAULTS = ("429", "5xx", "401", "timeout before")
WRITE_FAULTS = (
    *("timeout before", "timeout after commit", "timeout after commit", "late commit", "late commit"),
    *("429", "5xx", "401", "row lock"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """One write as the vendor saw it: for which row's `seq`, when it was sent and when it was done (seconds), and
    whether on condition that nobody wrote since the sender's read."""

    remote_id: str
    seq: int
    owner_id: str
    sent_at: float
    done_at: float
    on_condition: bool


class StormyTarget(MemoryTarget):
    """Every call takes time, and some fail. One outage does not last: each call draws for itself."""

    def __init__(
        self,
        source: MemorySource,
        users: Sequence[OutsideUser],
        clock: Scheduler,
        watch: Watch,
        compare_and_set: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(source, users, write_batch=2)
        self.compare_and_set = compare_and_set
        self._clock = clock
        self._watch = watch
        self.writes: list[Written] = []
        self.landing = 0  # writes under way that nobody waits for any more

    def read_owners(self, remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        fault = self._set_out(READ_FAULTS, BAD_READ)
        if fault:
            self._fail(fault, is_write=False)
        seen = super().read_owners(remote_ids, object_type)
        self._watch.saw(seen)
        self._clock.give_way("after a read")
        return seen

    def update_owner_if(self, change: OwnerChange, version: str) -> OwnerResult:
        try:
            (result,) = self._send([change], lambda: [MemoryTarget.update_owner_if(self, change, version)], True)
        except Ambiguous as error:
            return OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, error.code, error.message)
        except RetryLater as error:
            return OwnerResult(change.remote_id, WriteOutcome.RETRY, error.code, error.message)
        return result

    def _write_batch(self, batch: Sequence[OwnerChange]) -> list[OwnerResult]:
        return self._send(batch, lambda: MemoryTarget._write_batch(self, batch))

    def _send(
        self, batch: Sequence[OwnerChange], write: Callable[[], list[OwnerResult]], on_condition: bool = False
    ) -> list[OwnerResult]:
        self._watch.sends(batch)
        sent = {change.remote_id: self._watch.sent_as(change.remote_id) for change in batch}

        def land() -> list[OwnerResult]:
            results = write()
            done = {each.remote_id for each in results if each.outcome is WriteOutcome.WRITTEN}
            for change in batch:
                if change.remote_id in done:
                    self._land(change, sent[change.remote_id], on_condition)
            return results

        fault = self._set_out(WRITE_FAULTS, BAD_WRITE)
        if fault == "row lock":
            locked = batch[0].remote_id
            return [
                OwnerResult(locked, WriteOutcome.RETRY, "UNABLE_TO_LOCK_ROW", "another write holds the record"),
                *(self._send(batch[1:], lambda: MemoryTarget._write_batch(self, batch[1:])) if batch[1:] else ()),
            ]
        if fault == "timeout after commit":
            land()
        if fault == "late commit":
            self._land_later(land)
        if fault:
            self._fail(fault, is_write=True)
        results = land()
        self._clock.give_way("after a write")
        return results

    def _land(self, change: OwnerChange, sent: Sent, on_condition: bool) -> None:
        done_at = self._clock.seconds
        self.writes.append(Written(change.remote_id, sent.seq, change.owner_id, sent.at, done_at, on_condition))
        self._watch.landed(change.remote_id, sent, on_condition)
        self._clock.note(f"writes {change.owner_id} to {change.remote_id} for {sent.seq}")

    def _land_later(self, land: Callable[[], list[OwnerResult]]) -> None:
        def arrive() -> None:
            self.landing -= 1
            land()

        self.landing += 1
        self._clock.at(self._clock.dice.uniform(*LATE_S), arrive)

    def _set_out(self, faults: Sequence[str], chance: float) -> str | None:
        """Give way as the call leaves, then say what goes wrong with it, if anything."""
        self._watch.calls()
        self._clock.give_way("before a call")
        if not self._clock.stormy or self._clock.dice.random() >= chance:
            return None
        fault = self._clock.dice.choice(faults)
        self._clock.faults[fault] += 1
        self._clock.note(fault)
        return fault

    def _fail(self, fault: str, *, is_write: bool) -> None:
        if fault == "429":
            wait_s = self._clock.dice.choice(RETRY_AFTER_S)
            self._watch.told_to_wait(wait_s)
            raise RetryLater(self.name, "too many requests", code="429", retry_after_s=wait_s)
        if fault == "5xx":
            raise RetryLater(self.name, "unavailable", code="503")
        if fault == "401":
            raise ConnectorStopped(self.name, "the session is no longer valid", code="INVALID_SESSION_ID")
        self._clock.sleep(NO_ANSWER_S)
        if is_write:
            raise Ambiguous(self.name, "sent, but no answer came", code="NO_ANSWER")
        raise RetryLater(self.name, "no answer", code="NO_ANSWER")
