"""Drift: whose hand changed an owner in an outside system, and what follows from that.

Our own write that landed late is written over. So is what an integration has put back, as long as it can only be
stale: an owner from before, or the integration's own user. A person's edit is never written over; it is held until
somebody settles it, or adopted where the policy says so. What cannot be told apart counts as a person's.

Nothing is written over when too much of a system differs at once, nor on a record that keeps coming back: then
something is wrong that a write does not mend. Pure rules; what is seen outside and what is written is `tasks/drift.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ownership.identities import UNKNOWN
from ownership.model import Ref


class Hand(StrEnum):
    OURS = "ours"
    INTEGRATION = "integration"
    MACHINE = "machine"  # works like an integration, and nobody has said that it is one
    PERSON = "person"


class Action(StrEnum):
    REASSERT = "reassert"  # write the owner of record again
    HOLD = "hold"  # a person decides
    ADOPT = "adopt"  # the edit becomes the owner of record with the next run that decides


@dataclass(frozen=True, slots=True)
class DriftGuard:
    """What the policy says of owners that others write.

    `human_edit` "hold": an owner that a person set waits for somebody; "accept": it is as good as an override.
    `integrations` and `steward_users` are the users under whom integrations and Steward itself write, each as
    "salesforce/005…" or an e-mail address in lower case. Nothing is written over in a system once more than
    `stop_percent` of its records, and `stop_at_least`, were changed within a day. A record is written over at most
    `most_reasserts` times in `reassert_days` days.
    """

    human_edit: str = "hold"
    integrations: frozenset[str] = frozenset()
    steward_users: frozenset[str] = frozenset()
    stop_percent: int = 5
    stop_at_least: int = 20
    most_reasserts: int = 3
    reassert_days: int = 7


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that shows `shown` though `owner` is the owner of record, and nothing waits to be written there.

    `unanswered` are the owners that we sent there without an answer: such a write may still land. `former` is whoever
    owned the account, was ever sent to the record, or stood on it before we wrote. `modified_by` is the user who
    changed the record last, as the system names them: None where it does not. `reasserted` is how often it was written
    over lately. `is_held`: a person has been asked about this record, or about this owner on another record of the
    account, and has not settled it.
    """

    account_id: str
    ref: Ref
    owner: str
    shown: str | None
    unanswered: frozenset[str] = frozenset()
    former: frozenset[str] = frozenset()
    modified_by: str | None = None
    modifier_email: str | None = None
    modified_at: datetime | None = None
    reasserted: int = 0
    is_held: bool = False

    @property
    def modifier(self) -> frozenset[str]:
        """What a policy may call who changed the record last."""
        user = {f"{self.ref.source}/{self.modified_by}"} if self.modified_by else set()
        return frozenset(user | ({self.modifier_email.lower()} if self.modifier_email else set()))


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows from one difference, and why in words."""

    difference: Difference
    hand: Hand
    action: Action
    because: str


MACHINE_RUN = 10
"""So many records changed by one user within as many seconds, each back to somebody who had it before, are no work of
single clicks. It may still be a person's mass transfer, and so it only tells whom to ask about."""


def rule_on(differences: Sequence[Difference], guard: DriftGuard) -> list[Ruling]:
    """One ruling for each difference, in their order; what each says does not depend on the order of the others.

    Give the differences of all systems at once: an integration that copies owners both ways carries a person's edit
    from one into the other, and there it looks like its own.
    """
    machines = _machine_speed(differences)
    hands = [_hand(each, guard, machines) for each in differences]
    by_persons = {
        (each.account_id, each.shown)
        for each, (hand, _) in zip(differences, hands, strict=True)
        if hand in (Hand.PERSON, Hand.MACHINE)
    }
    return [_rule(each, *hand, guard, by_persons) for each, hand in zip(differences, hands, strict=True)]


def stopped_because(target: str, changed: int, records: int, guard: DriftGuard) -> str | None:
    """Why nothing is written over in a system of whose `records` so many were `changed` within a day; None: go on."""
    if changed < guard.stop_at_least or changed * 100 <= guard.stop_percent * records:
        return None
    return (
        f"{changed} of {records} records of {target} were given another owner within a day, and we wrote none of them; "
        f"more than {guard.stop_percent} % stop the guard: nothing is written over until somebody has looked"
    )


def _rule(
    each: Difference, hand: Hand, because: str, guard: DriftGuard, by_persons: set[tuple[str, str | None]]
) -> Ruling:
    if hand is Hand.PERSON and guard.human_edit == "accept" and not _is_stranger(each.shown):
        return Ruling(each, hand, Action.ADOPT, because)
    if hand in (Hand.PERSON, Hand.MACHINE):
        return Ruling(each, hand, Action.HOLD, because)
    if why_not := _why_not_write(each, hand, guard, by_persons):
        return Ruling(each, hand, Action.HOLD, f"{because}; {why_not}")
    return Ruling(each, hand, Action.REASSERT, because)


def _why_not_write(
    each: Difference, hand: Hand, guard: DriftGuard, by_persons: set[tuple[str, str | None]]
) -> str | None:
    """Why a value that is no person's as far as one can see is not written over all the same."""
    if each.is_held:
        return "somebody has been asked about it and has not settled it"
    if (each.account_id, each.shown) in by_persons:
        return "a person has set the same owner in another system"
    if hand is Hand.INTEGRATION and not _can_only_be_stale(each, guard):
        return "nobody had set that owner before, so that a person may have, elsewhere"
    if each.reasserted >= guard.most_reasserts:
        return f"it was written over {each.reasserted} times within {guard.reassert_days} days and still comes back"
    return None


def _hand(each: Difference, guard: DriftGuard, machines: frozenset[tuple[str, str]]) -> tuple[Hand, str]:
    by, system = each.modified_by, each.ref.source
    may_be_ours = by is None or not guard.steward_users.isdisjoint(each.modifier)
    if may_be_ours and each.shown in each.unanswered:
        return Hand.OURS, "an earlier write of ours arrived late"
    if not guard.integrations.isdisjoint(each.modifier):
        return Hand.INTEGRATION, f"{system}/{by} is an integration"
    if by is not None and (system, by) in machines and each.shown in each.former:
        return Hand.MACHINE, (
            f"{system}/{by} put many records back to former owners within seconds; "
            "if that is an integration, name it under drift.integrations"
        )
    return Hand.PERSON, f"{system}/{by} changed it" if by else f"{system} does not say who changed it"


def _can_only_be_stale(each: Difference, guard: DriftGuard) -> bool:
    """An integration that copies what it remembers writes owners from before; where it cannot match the owner, it
    writes itself, or nobody."""
    itself = {f"{UNKNOWN}{each.modified_by}", *(UNKNOWN + name.partition("/")[2] for name in guard.integrations)}
    return each.shown is None or each.shown in each.former | itself


def _is_stranger(owner: str | None) -> bool:
    return owner is None or owner.startswith(UNKNOWN)


def _machine_speed(differences: Iterable[Difference]) -> frozenset[tuple[str, str]]:
    """The users who put records back to former owners at least `MACHINE_RUN` times, one a second or faster."""
    times: Mapping[tuple[str, str], list[datetime]] = defaultdict(list)
    for each in differences:
        if each.modified_by and each.modified_at and each.shown in each.former:
            times[(each.ref.source, each.modified_by)].append(each.modified_at)
    return frozenset(user for user, at in times.items() if _is_fast(sorted(at)))


def _is_fast(times: Sequence[datetime]) -> bool:
    spans = ((later - earlier).total_seconds() for earlier, later in zip(times, times[MACHINE_RUN - 1 :], strict=False))
    return any(span <= MACHINE_RUN for span in spans)
