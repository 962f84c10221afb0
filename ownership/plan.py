"""A plan: what would change, before anything does. Preview and apply walk the same values, so a preview cannot lie."""

from __future__ import annotations

from dataclasses import dataclass

from ownership.model import Account, Decision, Outcome


@dataclass(frozen=True, slots=True)
class OwnerMove:
    """One account whose owner of record is not what the decision says. None stands for nobody."""

    account_id: str
    name: str
    before: str | None
    after: str | None
    rule: str
    reason: str
    because: str


def move_of(account: Account, decision: Decision, before: str | None) -> OwnerMove | None:
    """The change a decision asks for, or None when the owner stays.

    An exception leaves the present owner of record where they are: an account is never emptied by a rule.
    """
    after = decision.owner_id if decision.outcome is Outcome.OWNER else before
    if after == before:
        return None
    because = next((step.because for step in reversed(decision.path) if step.matched), decision.reason)
    return OwnerMove(account.id, account.name, before, after, decision.rule, decision.reason, because)
