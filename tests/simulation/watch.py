"""Who knew what when: what each worker claimed and read, and the promises that are broken as it happens.

The watch looks on and changes nothing. It knows a worker's rows from the outbox itself, as they are claimed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.base import ObservedOwner, OwnerChange
from store.outbox import OutboxRow
from tests.simulation.scheduler import Scheduler

STRANGER = "u-stranger"  # a user nobody on the roster is: whoever is set to it, it was not us


@dataclass
class Knowledge:
    """What one run knows: its claimed rows by record with the time of the claim, and when it read which owner."""

    rows: dict[str, tuple[OutboxRow, float]] = field(default_factory=dict)
    read: dict[str, tuple[str | None, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """A write as it left: for which row's `seq`, when, and when the sender had read the record (seconds)."""

    seq: int
    at: float
    read_at: float


class Watch:
    """`violations` are broken promises. `gaps` are what the protocol knows it cannot rule out, and heals afterwards."""

    def __init__(self, clock: Scheduler) -> None:
        self._clock = clock
        self._runs: dict[str, Knowledge] = {}
        self.violations: list[str] = []
        self.gaps: Counter[str] = Counter()
        self.claims: dict[str, list[tuple[int, float]]] = {}  # outbox id -> fence and time of each claim
        self.heads: dict[str, list[tuple[int, float]]] = {}  # account -> seq and time of each new owner
        self.edits: dict[str, float] = {}  # record -> time of the foreign edit that it shows
        self.in_transaction = False
        self._quiet_until = 0.0

    def violates(self, promise: str) -> None:
        self.violations.append(f"{self._clock.seconds:.1f} s: {promise}")

    # --- what the store tells ---

    def claimed(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            self.claims.setdefault(row.outbox_id, []).append((row.fence, self._clock.seconds))
            self._known().rows[row.remote_id] = row, self._clock.seconds

    def has_owner(self, account_id: str, seq: int) -> None:
        heads = self.heads.setdefault(account_id, [])
        if not heads or heads[-1][0] < seq:
            heads.append((seq, self._clock.seconds))

    # --- what the vendor tells ---

    def calls(self) -> None:
        if self.in_transaction:
            self.violates("a transaction waits for a vendor")
        if self._clock.seconds < self._quiet_until:
            self.gaps["a call before Retry-After was over"] += 1

    def told_to_wait(self, seconds: float) -> None:
        self._quiet_until = max(self._quiet_until, self._clock.seconds + seconds)

    def saw(self, seen: Sequence[ObservedOwner]) -> None:
        for each in seen:
            self._known().read[each.remote_id] = each.owner_id, self._clock.seconds

    def sends(self, batch: Sequence[OwnerChange]) -> None:
        known = self._known()
        for change in batch:
            row, claimed_at = known.rows[change.remote_id]
            shown, read_at = known.read.get(change.remote_id, (None, -1.0))
            if read_at < claimed_at:
                self.violates(f"a write to {change.remote_id} without a read since its row was claimed")
            if shown == STRANGER:
                self.violates(f"a write over the edit that was seen on {change.remote_id}")
            if any(seq > row.seq and at < claimed_at for seq, at in self.heads.get(row.account_id, ())):
                self.violates(f"a write to {change.remote_id} that was superseded before its row was claimed")

    def sent_as(self, remote_id: str) -> Sent:
        known = self._known()
        _, read_at = known.read.get(remote_id, (None, -1.0))
        return Sent(known.rows[remote_id][0].seq, self._clock.seconds, read_at)

    def landed(self, remote_id: str, sent: Sent, on_condition: bool) -> None:
        if self.edits.pop(remote_id, -1.0) > sent.read_at:
            self.cannot_be("an edit between our read and our write was overwritten", on_condition)

    def cannot_be(self, what: str, on_condition: bool) -> None:
        """What a conditional write rules out; other writes only heal it."""
        if on_condition:
            self.violates(what)
        else:
            self.gaps[what] += 1

    def edited(self, remote_id: str) -> None:
        self.edits[remote_id] = self._clock.seconds

    def _known(self) -> Knowledge:
        worker = self._clock.worker()
        return self._runs.setdefault(worker.run_id if worker else "world", Knowledge())
