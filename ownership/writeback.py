"""Writeback: what each outside system must be told so that it shows the owner of record.

Pure comparison of three values per outside record: what we want, what we last proved was there, and what it shows
now. Two are not enough: without the middle one a person's edit looks like work left to do, and would be overwritten.
Owners are named as in `Account.crm_owners`: a rep id, or "?<vendor user id>" for somebody who is not on the roster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ownership.model import Ref


@dataclass(frozen=True, slots=True)
class Write:
    """This record must show the owner; until then it is expected to show `expected` (None: nobody)."""

    ref: Ref
    expected: str | None


@dataclass(frozen=True, slots=True)
class Drift:
    """The record showed `ours` once, or would have been written so, and shows `found` now, which we did not write."""

    ref: Ref
    ours: str
    found: str | None


@dataclass(frozen=True, slots=True)
class Writeback:
    """What one account asks of the outside, in the order of its refs.

    `settled` already show the owner; `unreachable` are in systems where the owner has no active user.
    """

    writes: tuple[Write, ...] = ()
    drifts: tuple[Drift, ...] = ()
    settled: tuple[Ref, ...] = ()
    unreachable: tuple[Ref, ...] = ()


def plan_writeback(
    owner_id: str,
    observed: Mapping[Ref, str | None],
    confirmed: Mapping[Ref, str],
    reachable_in: frozenset[str],
    held: frozenset[Ref] = frozenset(),
) -> Writeback:
    """Compare what we want, what we last confirmed and what each record in `observed` shows.

    `reachable_in` are the systems where `owner_id` has an active user. A record that moved away from what we
    confirmed is drift and held for a person, even when the owner of record changes now: writing would bury the edit.
    So is one that is `held` already because it was changed before anything could be confirmed.
    """
    writes, drifts, settled, unreachable = [], [], [], []
    for ref in sorted(observed):
        shown = observed[ref]
        if shown == owner_id:
            settled.append(ref)
        elif ref in held or (ref in confirmed and shown != confirmed[ref]):
            drifts.append(Drift(ref, confirmed.get(ref, owner_id), shown))
        elif ref.source not in reachable_in:
            unreachable.append(ref)
        else:
            writes.append(Write(ref, shown))
    return Writeback(tuple(writes), tuple(drifts), tuple(settled), tuple(unreachable))


def owner_set_by_hand(
    owner_id: str, observed: Mapping[Ref, str | None], confirmed: Mapping[Ref, str], held: frozenset[Ref]
) -> tuple[str, str] | None:
    """Who was set as the owner outside, and in which system, though we wrote `owner_id`. None when nobody was, or when
    several records show different ones."""
    drifts = plan_writeback(owner_id, observed, confirmed, frozenset(), held).drifts
    found = {drift.found for drift in drifts}
    return (str(drifts[0].found), drifts[0].ref.source) if len(found) == 1 and None not in found else None
