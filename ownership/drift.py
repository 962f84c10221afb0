"""Drift: whose hand changed an owner in an outside system, and what follows from that.

Three answers. Our own write that landed late is written over. An integration's value is written over too, as long as
it is one of many systems that may be wrong, and not we. A person's edit is never written over: it is held until
somebody confirms it or restores the owner, or adopted where the policy says so.

Nothing is written over when too much of the book differs at once, or when one record keeps changing: then something is
wrong that a write does not mend.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ownership.identities import UNKNOWN
from ownership.model import Ref


class Hand(StrEnum):
    OURS = "ours"
    INTEGRATION = "integration"
    PERSON = "person"


class Action(StrEnum):
    REASSERT = "reassert"  # write the owner of record again
    HOLD = "hold"  # a person decides
    ADOPT = "adopt"  # the edit becomes the owner of record


@dataclass(frozen=True, slots=True)
class DriftGuard:
    """How differences are dealt with.

    `integrations` are user ids, as "salesforce/005…", or e-mail addresses, under which integrations write.
    `person` is "hold" or "adopt". The guard stops when more than `stop_at_share` of a system's records differ, and at
    least `stop_at_least`. A record is written over at most `most_reasserts` times in `reasserts_days` days.
    """

    integrations: frozenset[str] = frozenset()
    person: Action = Action.HOLD
    stop_at_share: float = 0.05
    stop_at_least: int = 20
    most_reasserts: int = 3
    reasserts_days: int = 7


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that shows `shown` though `owner` is the owner of record and was confirmed to be there.

    `sent` are all owners we ever sent to it, `former` all who ever owned the account. `modified_by` is who changed the
    record last, as the system tells it: a user id, with `modifier_email` where it is known; `ours` whether that is the
    user Steward writes as. `reasserted` is how often it was written over lately.
    """

    account_id: str
    ref: Ref
    owner: str
    shown: str | None
    sent: frozenset[str] = frozenset()
    former: frozenset[str] = frozenset()
    modified_by: str | None = None
    modifier_email: str | None = None
    ours: bool = False
    modified_at: datetime | None = None
    reasserted: int = 0


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows from one difference, and why in words."""

    difference: Difference
    hand: Hand
    action: Action
    because: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why nothing at all is written over in one system."""

    target: str
    differ: int
    records: int
    because: str


MACHINE_RUN = 10
"""So many records changed by one user at machine speed, each back to somebody who had it before, are an integration's
doing: people do not edit ten records within as many seconds."""


def rule_on(differences: Sequence[Difference], guard: DriftGuard) -> list[Ruling]:
    """One ruling for each difference, in their order; the same for any order of the others."""
    machines = _machine_speed(differences)
    return [_rule(each, guard, machines) for each in differences]


def stopped(target: str, differ: int, records: int, guard: DriftGuard) -> Stopped | None:
    """Whether so many records of a system differ that none is written over."""
    if differ < guard.stop_at_least or differ <= guard.stop_at_share * records:
        return None
    because = (
        f"{differ} of {records} records of {target} show another owner than the ledger, more than "
        f"{guard.stop_at_share:.0%}: nothing is written until somebody has looked"
    )
    return Stopped(target, differ, records, because)


def _rule(each: Difference, guard: DriftGuard, machines: frozenset[tuple[str, str]]) -> Ruling:
    hand, because = _hand(each, guard, machines)
    if hand is Hand.PERSON:
        unknown = each.shown is None or each.shown.startswith(UNKNOWN)
        if guard.person is Action.ADOPT and not unknown:
            return Ruling(each, hand, Action.ADOPT, because)
        return Ruling(each, hand, Action.HOLD, because)
    if each.reasserted >= guard.most_reasserts:
        times = f"it was written over {each.reasserted} times in {guard.reasserts_days} days"
        return Ruling(each, hand, Action.HOLD, f"{because}; {times} and still comes back")
    return Ruling(each, hand, Action.REASSERT, because)


def _hand(each: Difference, guard: DriftGuard, machines: frozenset[tuple[str, str]]) -> tuple[Hand, str]:
    system, by = each.ref.source, each.modified_by
    if each.shown in each.sent and (by is None or each.ours):
        return Hand.OURS, "an earlier write of ours arrived late"
    if by is not None and not guard.integrations.isdisjoint({f"{system}/{by}", each.modifier_email}):
        return Hand.INTEGRATION, f"{each.modifier_email or by} of {system} is an integration"
    if by is not None and (system, by) in machines and each.shown in each.former:
        return Hand.INTEGRATION, f"{each.modifier_email or by} of {system} put many back to former owners at once"
    return Hand.PERSON, f"{each.modifier_email or by or 'somebody'} of {system} changed it"


def _machine_speed(differences: Iterable[Difference]) -> frozenset[tuple[str, str]]:
    """The users who put records back to former owners at least `MACHINE_RUN` times, one a second or faster."""
    times: Mapping[tuple[str, str], list[datetime]] = defaultdict(list)
    for each in differences:
        if each.modified_by and each.modified_at and not each.ours and each.shown in each.former:
            times[(each.ref.source, each.modified_by)].append(each.modified_at)
    return frozenset(user for user, at in times.items() if _is_fast(sorted(at)))


def _is_fast(times: Sequence[datetime]) -> bool:
    spans = ((later - earlier).total_seconds() for earlier, later in zip(times, times[MACHINE_RUN - 1 :], strict=False))
    return any(span <= MACHINE_RUN for span in spans)


def counted(rulings: Iterable[Ruling]) -> dict[str, int]:
    """How many rulings of each kind, as "hand action"."""
    return dict(sorted(Counter(f"{ruling.hand} {ruling.action}" for ruling in rulings).items()))
