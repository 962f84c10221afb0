"""The rules a policy orders. Each looks at one case and decides, or says why it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ownership.candidates import assigned
from ownership.case import Case, Verdict
from ownership.conditions import holds
from ownership.identities import UNKNOWN
from ownership.model import Candidate
from ownership.territories import serving

Rule = Callable[[Case], Verdict]


def _do_not_route(case: Case) -> Verdict:
    if case.fields.get("do_not_route"):
        return Verdict("the account is marked do-not-route", "do_not_route")
    return Verdict("not marked do-not-route")


def _gate(case: Case) -> Verdict:
    """Minimum data. Somebody who owns the account already is not taken away from it for a missing field.

    A customer that is in no CRM has no record that could show an owner: it is missing there before anything else.
    """
    if not case.fields.get("in_crm", True):
        because = "a paying or active customer that is in no CRM; create it there or link it"
        return Verdict(because, "shadow_account")
    missing = [need for need in case.policy.requirements if not holds(need.when, case.fields)]
    if not missing:
        return Verdict("has the data every account needs")
    said = "; ".join(f"{need.name} is missing: {need.mend}" for need in missing)
    if case.kept_owner is not None:
        return Verdict(f"{said} (it has an owner already)")
    return Verdict(said, "missing_data", rule=missing[0].name)


def _override(case: Case) -> Verdict:
    known_as = set(case.fields.get("domains") or ()) | {f"{ref.source}/{ref.external_id}" for ref in case.account.refs}
    said = "not overridden"
    for override in (each for name in sorted(known_as) for each in case.day.index.overrides.get(name, ())):
        if override.owner in case.present:
            until = f" until {override.period.until}" if override.period.until else ""
            because = (
                f"given to {case.name(override.owner)}{until}: {override.reason} (approved by {override.approved_by})"
            )
            return Verdict(because, "override", override.owner, f"override/{override.account}")
        said = f"overridden for {case.name(override.owner)}, who is not there"
    return Verdict(said)


def _named(case: Case) -> Verdict:
    domains = case.fields.get("domains") or frozenset()
    said = "not a named account"
    for named in (each for domain in sorted(domains) for each in case.day.index.named.get(domain, ())):
        if named.owner in case.present:
            because = f"{named.domain} is a named account of {case.name(named.owner)}"
            return Verdict(because, "named", named.owner, f"named/{named.domain}")
        said = f"{named.domain} is named for {case.name(named.owner)}, who is not there"
    return Verdict(said)


def _registration(case: Case) -> Verdict:
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


def _parent_owner(case: Case) -> Verdict:
    parent = case.account.parent_id
    owner = case.state.owners.get(parent) if parent else None
    if parent is None:
        return Verdict("has no parent account")
    if owner is None or owner not in case.present:
        return Verdict("its parent account has no owner who is there")
    return Verdict(f"its parent account belongs to {case.name(owner)}", "parent_owner", owner)


def _existing_owner(case: Case) -> Verdict:
    rivals = case.rivals
    if case.current in case.present:
        owner = str(case.current)
        return Verdict(f"{case.name(owner)} owns it already", "existing_owner", owner)
    if len(rivals) > 1:
        names = " and ".join(case.name(rep) for rep in rivals)
        because = f"{case.policy.system_of_record} shows {names} on records of the same company"
        return Verdict(because, "conflicting_owners", candidates=_rival_candidates(rivals))
    owner_in_crm = case.kept_owner
    if owner_in_crm is None:
        return Verdict(_why_not_kept(case))
    others = sorted({rep for rep in case.account.crm_owners.values() if rep in case.present} - {owner_in_crm})
    said = f"; another CRM shows {', '.join(map(case.name, others))}" if others else ""
    return Verdict(f"{case.name(owner_in_crm)} owns it in the CRM{said}", "existing_owner", owner_in_crm)


def _rules(case: Case) -> Verdict:
    """The first rule that holds and can name somebody. One whose people are all unavailable says so at once."""
    for rule in case.day.index.rules.holding(case.fields):
        label = rule.name or rule.id
        if rule.assign.owner or rule.assign.pool:
            return assigned(case, rule.assign, "rule", rule.id, label, label)
        if case.kept_owner is not None:
            owner = case.kept_owner
            return Verdict(f"{label}: whoever has it keeps it, {case.name(owner)}", "existing_owner", owner, rule.id)
    return Verdict("no rule is about it")


def _territory(case: Case) -> Verdict:
    path = case.day.index.path_of(case.fields)
    territory = serving(path)
    if territory is None:
        where = f"lies in {path[-1].name}, which nobody serves" if path else "lies in no territory"
        return Verdict(where)
    where = " › ".join(node.name for node in path)
    return assigned(case, territory.assign, "territory", territory.id, where, territory.name)


RULES: Mapping[str, Rule] = {
    "do_not_route": _do_not_route,
    "gate": _gate,
    "override": _override,
    "named": _named,
    "registration": _registration,
    "parent_owner": _parent_owner,
    "existing_owner": _existing_owner,
    "rules": _rules,
    "territory": _territory,
}


# --- what the rules share ---


def _why_not_kept(case: Case) -> str:
    if case.current is not None:
        return f"{case.name(case.current)} owned it and is not there any more"
    shown = sorted(set(case.account.crm_owners.values()))
    if not shown:
        return "nobody owns it"
    known = [case.name(owner) for owner in shown if not owner.startswith(UNKNOWN)]
    if known:
        return f"{', '.join(known)} is shown as owner and is not there any more"
    return "is shown with an owner who is nobody on the roster"


def _rival_candidates(rivals: Sequence[str]) -> tuple[Candidate, ...]:
    return tuple(Candidate(rep, False, "one of several owners the CRM shows") for rep in rivals)
