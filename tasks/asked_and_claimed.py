"""What each person sees of override requests and disputes, and which of them they may answer, take back or end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from ownership.placed_by_people import (
    MayNot,
    Person,
    Standing,
    check_answer,
    check_end,
    check_evidence,
    check_withdrawal,
)
from store.overrides import OPEN, Evidence, OpenedDispute, OverrideRequest
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.placed_by_people import dispute_called, request_called, standing_of

AT_ONCE = 200
P = ParamSpec("P")
Shown = TypeVar("Shown", "ShownRequest", "ShownDispute")


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A request as one person sees it; `holder` is whose the account is now."""

    asked: OverrideRequest
    name: str
    standing: Standing
    holder: str | None
    is_theirs: bool
    may_answer: bool
    may_withdraw: bool
    may_end: bool

    @property
    def id(self) -> str:
        return self.asked.override_id


@dataclass(frozen=True, slots=True)
class ShownDispute:
    """A dispute as one person sees it; `holder` is whose the account is now."""

    claim: OpenedDispute
    name: str
    evidence: Sequence[Evidence]
    holder: str | None
    is_theirs: bool
    may_answer: bool
    may_add: bool
    may_withdraw: bool

    @property
    def id(self) -> str:
        return self.claim.dispute_id


def overrides_for(
    context: RunContext, person: Person, before: str | None = None, limit: int = AT_ONCE
) -> list[ShownRequest]:
    """The latest requests that this person asked for, is touched by, or may answer; all of them for ops."""

    def read(uow: UnitOfWork, after: str | None) -> list[ShownRequest]:
        return _requests(context, uow, person, uow.overrides.recent(AT_ONCE, after))

    return _theirs(context, read, before, limit)


def disputes_for(
    context: RunContext, person: Person, before: str | None = None, limit: int = AT_ONCE
) -> list[ShownDispute]:
    """The latest disputes that this person is part of or may rule on; all of them for ops."""

    def read(uow: UnitOfWork, after: str | None) -> list[ShownDispute]:
        return _disputes(context, uow, person, uow.disputes.recent(AT_ONCE, after))

    return _theirs(context, read, before, limit)


def override_for(context: RunContext, person: Person, override_id: str) -> ShownRequest:
    """One request. Raises `NotThere`; `is_theirs` says whether they may see it."""
    with context.store.transaction(readonly=True) as uow:
        return _requests(context, uow, person, [request_called(uow, override_id)])[0]


def dispute_for(context: RunContext, person: Person, dispute_id: str) -> ShownDispute:
    """One dispute. Raises `NotThere`; `is_theirs` says whether they may see it."""
    with context.store.transaction(readonly=True) as uow:
        return _disputes(context, uow, person, [dispute_called(uow, dispute_id)])[0]


def override_lines(context: RunContext) -> Iterator[str]:
    """The latest requests, and the disputes without a ruling, one a line."""
    with context.store.transaction(readonly=True) as uow:
        asked, disputes = uow.overrides.recent(), uow.disputes.open_ones()
        names = _names(uow, [*(each.account_id for each in asked), *(each.account_id for each in disputes)])
    name, today = context.policy.roster.name, context.today()
    if not asked and not disputes:
        yield "Nobody has asked for an override, and nothing is disputed."
    for each in asked:
        begins = f" from {each.since}" if each.since > today else ""
        until = f" until {each.until}" if each.until else ""
        said = f"{names[each.account_id]} for {name(each.owner_id)}{begins}{until}: {each.reason}"
        asked_by = f"asked by {name(each.requested_by)}"
        yield f"override  {each.override_id}  {standing_of(context, each):<22}  {said}, {asked_by}"
    for claim in disputes:
        due = f"ruling due by {claim.rule_by:%Y-%m-%d %H:%M} UTC"
        said = f"{names[claim.account_id]} claimed by {name(claim.claimed_by)}: {claim.reason}"
        yield f"dispute   {claim.dispute_id}  {'open':<22}  {said}, {due}"


def _theirs(
    context: RunContext, read: Callable[[UnitOfWork, str | None], list[Shown]], before: str | None, limit: int
) -> list[Shown]:
    """So many of those that concern somebody, however many others lie between them."""
    found: list[Shown] = []
    with context.store.transaction(readonly=True) as uow:
        while len(found) < limit and (some := read(uow, before)):
            found += [each for each in some if each.is_theirs]
            before = some[-1].id
    return found[:limit]


def _requests(
    context: RunContext, uow: UnitOfWork, person: Person, some: Sequence[OverrideRequest]
) -> list[ShownRequest]:
    ids = [each.account_id for each in some]
    names, holders = _names(uow, ids), _holders(uow, ids)
    return [_request(context, person, each, names[each.account_id], holders.get(each.account_id)) for each in some]


def _request(
    context: RunContext, person: Person, asked: OverrideRequest, name: str, holder: str | None
) -> ShownRequest:
    stands, involved = standing_of(context, asked), (asked.requested_by, asked.owner_id)
    able = _may(check_answer, person, involved, holder, context.policy.roster)
    waits, holds = stands is Standing.WAITS, stands in (Standing.IN_EFFECT, Standing.BEGINS_LATER)
    return ShownRequest(
        asked=asked,
        name=name,
        standing=stands,
        holder=holder,
        is_theirs=able or person.role == "ops" or person.id in (*involved, holder, asked.decided_by),
        may_answer=able and waits,
        may_withdraw=waits and _may(check_withdrawal, person, asked.requested_by),
        may_end=holds and _may(check_end, person, asked.decided_by),
    )


def _disputes(
    context: RunContext, uow: UnitOfWork, person: Person, some: Sequence[OpenedDispute]
) -> list[ShownDispute]:
    ids = [each.account_id for each in some]
    names, holders = _names(uow, ids), _holders(uow, ids)
    evidence = uow.disputes.evidence([each.dispute_id for each in some])
    return [
        _dispute(
            *(context, person, each, names[each.account_id], holders.get(each.account_id)),
            evidence=evidence.get(each.dispute_id, []),
        )
        for each in some
    ]


def _dispute(
    context: RunContext,
    person: Person,
    claim: OpenedDispute,
    name: str,
    holder: str | None,
    evidence: Sequence[Evidence],
) -> ShownDispute:
    parties, roster, is_open = (claim.opened_by, claim.claimed_by, holder), context.policy.roster, claim.state == OPEN
    able = _may(check_answer, person, parties, holder, roster)
    return ShownDispute(
        claim=claim,
        name=name,
        evidence=evidence,
        holder=holder,
        is_theirs=able or person.role == "ops" or person.id in (*parties, claim.ruled_by),
        may_answer=able and is_open,
        may_add=is_open and _may(check_evidence, person, parties, holder, roster),
        may_withdraw=is_open and _may(check_withdrawal, person, claim.opened_by),
    )


def _names(uow: UnitOfWork, account_ids: Sequence[str]) -> Mapping[str, str]:
    return {id_: account.name for id_, account in uow.accounts.get_many(account_ids).items()}


def _holders(uow: UnitOfWork, account_ids: Sequence[str]) -> Mapping[str, str]:
    return {id_: current.owner_id for id_, current in uow.ledger.current(account_ids).items()}


def _may(check: Callable[P, None], *asked: P.args, **more: P.kwargs) -> bool:
    try:
        check(*asked, **more)
    except MayNot:
        return False
    return True
