"""The rules as they hold now: the policy's text, and what people have decided in the running system since."""

from __future__ import annotations

from ownership.day import Day
from ownership.entries import Dispute, Override, by_id
from ownership.model import Period
from ownership.placed_by_people import joined
from ownership.policy import Policy
from store.unit_of_work import UnitOfWork


def rules_in_effect(uow: UnitOfWork, policy: Policy) -> Policy:
    """The policy with the overrides that are approved and the disputes that are open. Its hash stays that of the text;
    what a decision saw of these is in its snapshot."""
    overrides = [
        Override(
            *(by_id(each.account_id), each.owner_id, each.reason, each.requested_by, str(each.decided_by)),
            *(Period(each.since, each.until), each.afterwards),
        )
        for each in uow.overrides.in_effect()
    ]
    disputes = [
        Dispute(by_id(each.account_id), each.claimed_by, each.reason, rule_by=each.rule_by)
        for each in uow.disputes.open_ones()
    ]
    return joined(policy, overrides, disputes)


def renewed(uow: UnitOfWork, day: Day, policy: Policy) -> Day:
    """The same instant with what people have decided until now; the same day, when that is nothing new. Asked again
    once the accounts are locked, so that no batch decides past an override approved while it waited."""
    new = Day.of(rules_in_effect(uow, policy), day.roster, day.now)
    return day if new.policy == day.policy else new
