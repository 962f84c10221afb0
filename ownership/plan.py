"""A plan: what would change, before anything does. Preview and apply walk the same values, so a preview cannot lie."""

from __future__ import annotations

from dataclasses import dataclass

from ownership.model import Account, Decision, Outcome


@dataclass(frozen=True, slots=True)
class OwnerMove:
    """One account that gets another owner than it had. None stands for nobody."""

    account_id: str
    name: str
    before: str | None
    after: str | None
    rule: str
    reason: str
    because: str


def shown_owners(account: Account, system_of_record: str) -> list[str]:
    """Who is shown as owner on the account's records: those of the CRM of record first, then by record."""
    shown = sorted(account.crm_owners.items(), key=lambda item: (item[0].source != system_of_record, item[0]))
    return [owner for _, owner in shown]


def held_by(account: Account, current: str | None, system_of_record: str) -> str | None:
    """Who has the account as people see it: the ledger's owner, else the one the CRM of record shows."""
    if current is not None:
        return current
    return next(iter(shown_owners(account, system_of_record)), None)


def move_of(account: Account, decision: Decision, held: str | None) -> OwnerMove | None:
    """The change a decision asks for, or None when the account stays with who has it (`held_by`).

    An exception leaves the present owner of record where they are: an account is never emptied by a rule.
    """
    if decision.outcome is not Outcome.OWNER or decision.owner_of_record == held:
        return None
    return _move(account, decision, held, decision.owner_of_record)


def offer_of(account: Account, decision: Decision) -> OwnerMove | None:
    """The change that waits until who is asked accepts the account; None when no owner is asked before they have it."""
    if decision.meanwhile is None:
        return None
    return _move(account, decision, decision.meanwhile, decision.owner_id)


def _move(account: Account, decision: Decision, before: str | None, after: str | None) -> OwnerMove:
    because = next((step.because for step in reversed(decision.path) if step.matched), decision.reason)
    return OwnerMove(account.id, account.name, before, after, decision.rule, decision.reason, because)
