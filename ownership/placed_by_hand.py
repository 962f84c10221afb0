"""The rules by which people place an account by name: overrides and edits in a CRM, named accounts, deal registrations.

The order they are asked in, and what else can decide, is `ownership/rules.py`.
"""

from __future__ import annotations

from ownership.case import Case, Verdict
from ownership.entries import Override
from ownership.model import Afterwards
from ownership.rota import full_because, gate_of


def override(case: Case) -> Verdict:
    """An approved override names it, or somebody set its owner in a CRM where the policy accepts that."""
    said = "not overridden"
    for entry in (each for name in case.known_as for each in case.day.index.overrides.get(name, ())):
        if entry.owner in case.present:
            until = f" until {entry.period.until}" if entry.period.until else ""
            because = f"given to {case.name(entry.owner)}{until}: {entry.reason} (approved by {entry.approved_by})"
            rule, afterwards = f"override/{entry.account}", _afterwards(case, entry)
            return Verdict(because, "override", entry.owner, rule, afterwards=afterwards)
        said = f"overridden for {case.name(entry.owner)}, who is not there"
    return _edited(case, said)


def _edited(case: Case, said: str) -> Verdict:
    """An owner whom a person set in a CRM is as good as an override, if the policy says so and they can take it. What
    an edit has given to somebody stays with them; nothing else would keep it from who had it before."""
    if case.policy.drift.human_edit != "accept":
        return Verdict(said)
    edit = case.state.edits.get(case.account.id)
    if edit is not None:
        gate = _edit_gate(case, edit.owner)
        if gate is None:
            because = f"somebody set {case.name(edit.owner)} as the owner in {edit.source}, which the policy accepts"
            return Verdict(because, "crm_edit", edit.owner, f"edit/{edit.source}")
        said = f"somebody set {case.name(edit.owner)} as the owner in {edit.source}, who {gate}; a person has to look"
    if case.holding.by_edit and case.current in case.present:
        because = f"somebody set {case.name(str(case.current))} as the owner in a CRM, which the policy accepts"
        return Verdict(because, "crm_edit", case.current, "edit")
    return Verdict(said)


def _edit_gate(case: Case, owner: str) -> str | None:
    if owner in case.day.roster.reps and case.day.roster.is_queue(owner):
        return "is a queue"
    load = 0 if case.is_lead else case.state.load.get(owner, 0)
    return gate_of(case.day, owner, (), load)


def _afterwards(case: Case, override: Override) -> Afterwards | None:
    """What follows this override. Who has the account for a time only is nobody it returns to: of several that follow
    each other, it returns to who had it before the first."""
    if override.then == "rules":
        return Afterwards()
    if override.then == "stay" or (case.lent is None and case.holder == override.owner):
        return None
    # A queue keeps nothing from the rules, and so nothing is given back to it past them.
    holder = None if case.day.roster.is_queue(str(case.holder)) else case.holder
    before = case.lent or Afterwards(holder)
    return None if before.returns_to == override.owner else before


def named(case: Case) -> Verdict:
    """Leadership has placed one of its web domains, and what stands in the way does not count or is passed."""
    domains = case.fields.get("domains") or frozenset()
    said = "not a named account"
    for entry in (each for domain in sorted(domains) for each in case.day.index.named.get(domain, ())):
        if entry.owner not in case.present:
            said = f"{entry.domain} is named for {case.name(entry.owner)}, who is not there"
            continue
        full, capped = _full(case, entry.owner), _capped(case, entry.owner)
        stopped = (full and not case.policy.pins_bypass_capacity) or (capped and not case.policy.pins_bypass_caps)
        if stopped:
            said = f"{entry.domain} is named for {case.name(entry.owner)}, who {_both(full, capped)}"
            continue
        passed = f" (who {_both(full, capped)}; named accounts pass that)" if full or capped else ""
        because = f"{entry.domain} is a named account of {case.name(entry.owner)}{passed}"
        return Verdict(because, "named", entry.owner, f"named/{entry.domain}")
    return Verdict(said)


def _both(full: str | None, capped: str | None) -> str:
    return " and ".join(each for each in (full, capped) if each)


def _full(case: Case, rep_id: str) -> str | None:
    """Why one more account would be too many for the rep, None when it would not, or this one is counted already."""
    capacity = case.day.roster.reps[rep_id].capacity_on(case.day.date)
    return None if _is_counted(case, rep_id) else full_because(capacity, case.state.load.get(rep_id, 0))


def _capped(case: Case, rep_id: str) -> str | None:
    """What cap of a pool of theirs the rep has reached, None when none, or this one is theirs already."""
    if _is_counted(case, rep_id):
        return None
    pools = (pool for pool in case.day.index.capped_pools if rep_id in pool.members)
    reached = ((pool.id, case.state.rota(pool.id, case.day).capped(rep_id)) for pool in pools)
    return next((f"{because}, in pool {pool}" for pool, because in reached if because), None)


def _is_counted(case: Case, rep_id: str) -> bool:
    return rep_id == case.holder or (case.asked is not None and rep_id == case.asked.owner)


def registration(case: Case) -> Verdict:
    """The earliest claim to one of its web domains that is still protected, of a rep who is here."""
    domains = case.fields.get("domains") or frozenset()
    made = (claim for domain in sorted(domains) for claim in case.day.index.registrations.get(domain, ()))
    claims = [claim for claim in made if claim.rep in case.present]
    if not claims:
        return Verdict("nobody has registered it")
    claim = min(claims, key=lambda claim: (claim.period.since or "", claim.rep))
    until = f", protected until {claim.period.until}" if claim.period.until else ""
    because = f"{case.name(claim.rep)} registered {claim.domain} on {claim.period.since}{until}"
    return Verdict(because, "registration", claim.rep, f"registration/{claim.domain}")
