"""Explain a decision to a rep: who, why, what was looked at first, and who else was considered."""

from __future__ import annotations

from collections.abc import Iterator

from ownership.model import Account, Decision, Outcome
from ownership.policy import Roster

RULE_WORDS = {
    "do_not_route": "Do-not-route",
    "dispute": "Disputes",
    "gate": "Minimum data",
    "override": "Overrides",
    "named": "Named accounts",
    "registration": "Deal registration",
    "returned": "Lent accounts",
    "parent_owner": "Parent's owner",
    "account_owner": "Account's owner",
    "sticky": "Same company lately",
    "existing_owner": "Existing owner",
    "rules": "Rules",
    "territory": "Territory",
    "catch_all": "Nothing else applied",
    "acceptance": "Acceptance",
    "identity": "Identity",
}
REASON_WORDS = {
    "override": "an approved override says so",
    "crm_edit": "somebody made them owner in a CRM",
    "named": "leadership named this account for them",
    "registration": "they registered it first",
    "rule": "a rule of the policy says so",
    "parent_owner": "they own its parent account",
    "existing_owner": "they have it already",
    "territory": "it lies in their territory",
    "pool": "it was their turn",
    "queue": "it is worked by a queue",
    "returned": "it comes back to them",
    "account_owner": "they own the account it belongs to",
    "sticky": "they had a lead of the same company",
    "merged": "it turned out to be one company with another account",
    "split": "it was part of an account of theirs",
    "escalated": "an offer before them was missed or declined",
}


def why(reason: str) -> str:
    """The reason of a decision or a change of owner, as people say it."""
    return REASON_WORDS.get(reason, reason.replace("_", " "))


def explain(decision: Decision, account: Account, roster: Roster) -> str:
    """The decision in plain words, a few lines."""
    return "\n".join(_lines(decision, account, roster))


def _lines(decision: Decision, account: Account, roster: Roster) -> Iterator[str]:
    if decision.outcome is Outcome.OWNER:
        rep = roster.reps.get(decision.owner_id or "")
        who = f"{rep.name} ({rep.team})" if rep else decision.owner_id
        yield f"{account.name} belongs to {who}: {REASON_WORDS.get(decision.reason, decision.reason)}."
    else:
        yield f"{account.name} waits for a person: {decision.reason.replace('_', ' ')}."
    for step in decision.path:
        yield f"  {'→' if step.matched else '·'} {RULE_WORDS.get(step.rule, step.rule)}: {step.because}."
    others = [candidate for candidate in decision.candidates if not candidate.chosen]
    if others:
        said = ", ".join(f"{roster.name(candidate.rep_id)} ({candidate.because})" for candidate in others)
        yield f"  Also considered: {said}."
    if decision.team:
        said = ", ".join(
            f"{member.role} {roster.name(member.rep_id) if member.rep_id else 'nobody'} ({member.because})"
            for member in decision.team
        )
        yield f"  Team: {said}."
    if decision.afterwards:
        to = decision.afterwards.returns_to
        said = f"it goes back to {roster.name(to)}" if to else "it is decided as if nobody had it"
        yield f"  Afterwards: {said}."
    yield f"  Policy {decision.policy_hash[:12]}, inputs {decision.inputs_hash[:12]}."
