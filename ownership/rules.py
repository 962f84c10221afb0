"""The rules a policy orders. Each looks at one case and decides, or says why it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from ownership.candidates import assigned
from ownership.case import Case, Verdict
from ownership.conditions import holds
from ownership.day import handed_over_by, hours_later
from ownership.entries import Dispute, Rule
from ownership.identities import UNKNOWN
from ownership.model import Candidate
from ownership.placed_by_hand import named, override, registration
from ownership.rota import gate_of
from ownership.sustained import days_held
from ownership.territories import serving
from ownership.worktime import day_start

RuleStep = Callable[[Case], Verdict]


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
    needs = case.policy.leads.requirements if case.is_lead else case.policy.requirements
    missing = [need for need in needs if not holds(need.when, case.fields)]
    if not missing:
        return Verdict(f"has the data every {case.account.kind} needs")
    said = "; ".join(f"{need.name} is missing: {need.mend}" for need in missing)
    if case.kept_owner is not None or case.asked is not None or (case.lent is not None and not case.is_over):
        return Verdict(f"{said} (it has an owner already)")
    return Verdict(said, "missing_data", rule=missing[0].name)


def _dispute(case: Case) -> Verdict:
    """Until there is a ruling, nothing moves the account."""
    disputes = [dispute for name in case.known_as for dispute in case.day.index.disputes.get(name, ())]
    if not disputes:
        return Verdict("nobody disputes it")
    first = min(disputes, key=lambda dispute: (dispute.period.since or "", dispute.claimed_by))
    because = f"{case.name(first.claimed_by)} claims it ({first.reason}); it stays as it is until there is a ruling"
    because += _ruling_due(case, first)
    return Verdict(because, "disputed", rule=f"dispute/{first.account}")


def _ruling_due(case: Case, dispute: Dispute) -> str:
    """By when there should be a ruling; nothing for a dispute that names no first day."""
    if dispute.rule_by is not None:
        return (
            f", which {'was' if dispute.rule_by < case.day.now else 'is'} due by {dispute.rule_by:%Y-%m-%d %H:%M} UTC"
        )
    if dispute.period.since is None:
        return ""
    clock, opened = case.policy.dispute_clock, day_start(case.policy.timezone, dispute.period.since)
    claimant = case.day.roster.reps[dispute.claimed_by]
    due = hours_later(clock.clock, claimant, opened, clock.hours) or opened + timedelta(hours=clock.hours)
    return f", which {'was' if due < case.day.now else 'is'} due by {due:%Y-%m-%d %H:%M} UTC"


def _returned(case: Case) -> Verdict:
    """An owner who had the account for a time gives it back. What would take it from who had it before takes it from
    them at once, and not a moment after they got it back: the steps are asked as if they had it."""
    if case.lent is None:
        return Verdict("is with nobody for a time")
    had, to = case.name(str(case.current)), case.lent.returns_to
    if not case.is_over:
        return Verdict(f"{had} has it for a time")
    if to is None:
        return Verdict(f"{had} had it for a time, which is over; it is decided as if nobody had it")
    if to not in case.present:
        return Verdict(f"{had} had it for a time, which is over, and {case.name(to)}, who had it before, is not there")
    return Verdict(f"{had} had it for a time, which is over; it is decided as if {case.name(to)} had it still")


def _parent_owner(case: Case) -> Verdict:
    parent = case.account.parent_id
    if parent is None:
        return Verdict("has no parent account")
    if case.day.index.follows_parent(case.fields) is not True:
        return Verdict("is none of the accounts that follow their parent")
    owner = case.state.owners.get(parent)
    if owner is None or owner not in case.present:
        return Verdict("its parent account has no owner who is there")
    if parent in case.state.waiting and case.day.roster.is_queue(owner):
        return Verdict(f"its parent account waits with {case.name(owner)} until somebody has accepted it")
    return Verdict(f"its parent account belongs to {case.name(owner)}", "parent_owner", owner)


def _account_owner(case: Case) -> Verdict:
    """A lead of an account somebody works goes to them. One nobody knows any activity of counts as worked."""
    account = case.account.parent_id
    if account is None:
        return Verdict("belongs to no account we know")
    owner = case.state.owners.get(account)
    if owner is None or owner not in case.present:
        return Verdict("its account has no owner who is there")
    if owner in case.day.away:  # the account waits for them, a lead does not
        return Verdict(f"its account is {case.name(owner)}'s, who {gate_of(case.day, owner, (), 0)}")
    idle, most = case.fields.get("days_since_activity"), case.policy.leads.inbound_activity_days
    if idle is not None and idle > most:
        return Verdict(
            f"its account is {case.name(owner)}'s, who had no activity on it for {idle} days, {most} at most"
        )
    return Verdict(f"its account belongs to {case.name(owner)}", "account_owner", owner)


def _sticky(case: Case) -> Verdict:
    """The rep who got the last lead of the same company goes on with it."""
    days = case.policy.leads.sticky_days
    oldest = case.day.now - timedelta(days=days)
    for domain in sorted(case.fields.get("domains") or ()):
        last = case.state.recent.get(domain)
        if last is None or last.at < oldest:
            continue
        if not case.day.roster.is_queue(last.rep) and gate_of(case.day, last.rep, (), 0) is None:
            because = f"{case.name(last.rep)} got a lead of {domain} in the last {days} days"
            return Verdict(because, "sticky", last.rep)
    return Verdict("nobody got a lead of this company lately")


def _existing_owner(case: Case) -> Verdict:
    rivals = case.rivals
    if case.is_over:
        return _kept(case, case.holder, "had it before", "returned") if case.holder else Verdict("it was only lent")
    if case.current in case.day.leaving:
        rep, until = case.day.roster.reps[str(case.current)], case.day.leaving[str(case.current)]
        return _kept(
            case, rep.id, f"left on {rep.left_on}, and until {until:%Y-%m-%d %H:%M} UTC it is theirs to hand over"
        )
    if case.current in case.present:
        return _kept(case, str(case.current), "owns it already")
    if len(rivals) > 1:
        names = " and ".join(case.name(rep) for rep in rivals)
        because = f"{case.policy.system_of_record} shows {names} on records of the same company"
        return Verdict(because, "conflicting_owners", candidates=_rival_candidates(rivals))
    if case.holder is None:
        return Verdict(_why_not_kept(case))
    others = sorted({rep for rep in case.account.crm_owners.values() if rep in case.present} - {case.holder})
    said = f"; another CRM shows {', '.join(map(case.name, others))}" if others else ""
    return _kept(case, case.holder, f"owns it in the CRM{said}")


def _kept(case: Case, owner: str, said: str, reason: str = "existing_owner") -> Verdict:
    """Whoever has it keeps it, unless they are a queue, have lost it, or have too many."""
    if case.day.roster.is_queue(owner):
        return Verdict(f"{case.name(owner)} has it, and a queue keeps nothing from the rules")
    if case.lost_because:
        return Verdict(f"{case.name(owner)} {case.lost_because}")
    if too_many := case.too_many_for(owner):
        return Verdict(f"{case.name(owner)} has it, but {too_many}")
    return Verdict(f"{case.name(owner)} {said}", reason, owner)


def _rules(case: Case) -> Verdict:
    """The first rule that holds and can name somebody. One whose people are all unavailable says so at once."""
    waiting = ""
    for rule in case.day.index.rules.holding(case.fields):
        label = rule.name or rule.id
        if rule.remembers:
            mark = case.marks.get(rule.id)
            if mark is None:
                continue
            if not mark.on:
                held = days_held(mark, case.day.date)
                waiting = waiting or f"; {label} has held for {held} days of {rule.for_days}"
                continue
        if rule.assign.owner or rule.assign.pool:
            if incomplete := _handoff_incomplete(case, rule, label):
                return incomplete
            return assigned(case, rule.assign, "rule", rule.id, label, label)
        if case.kept_owner is not None:
            owner = case.kept_owner
            return Verdict(f"{label}: whoever has it keeps it, {case.name(owner)}", "existing_owner", owner, rule.id)
    return Verdict(f"no rule is about it{waiting}")


def _handoff_incomplete(case: Case, rule: Rule, label: str) -> Verdict | None:
    """The account leaves the rep who has it only once everything is there that the next one needs."""
    giver = case.kept_owner
    if giver is None or giver == rule.assign.owner:
        return None
    if rule.assign.pool and giver in case.day.index.pools[rule.assign.pool].members:
        return None
    missing = [need for need in rule.handoff if not holds(need.when, case.fields)]
    if not missing:
        return None
    said = "; ".join(f"{need.name} is missing: {need.mend}" for need in missing)
    because = f"{label}: {case.name(giver)} cannot hand it over yet. {said}"
    return Verdict(because, "handoff_incomplete", rule=rule.id)


def _territory(case: Case) -> Verdict:
    path = case.day.index.path_of(case.fields)
    territory = serving(path)
    if territory is None:
        where = f"lies in {path[-1].name}, which nobody serves" if path else "lies in no territory"
        return Verdict(where)
    where = " › ".join(node.name for node in path)
    return assigned(case, territory.assign, "territory", territory.id, where, territory.name)


RULES: Mapping[str, RuleStep] = {
    "do_not_route": _do_not_route,
    "dispute": _dispute,
    "gate": _gate,
    "override": override,
    "named": named,
    "registration": registration,
    "returned": _returned,
    "parent_owner": _parent_owner,
    "account_owner": _account_owner,
    "sticky": _sticky,
    "existing_owner": _existing_owner,
    "rules": _rules,
    "territory": _territory,
}


# --- what the rules share ---


def _why_not_kept(case: Case) -> str:
    if case.current is not None:
        return f"{case.name(case.current)} owned it and is not there any more{_handed_over(case, case.current)}"
    shown = sorted(set(case.account.crm_owners.values()))
    if not shown:
        return "nobody owns it"
    known = [case.name(owner) for owner in shown if not owner.startswith(UNKNOWN)]
    if known:
        return f"{', '.join(known)} is shown as owner and is not there any more"
    return "is shown with an owner who is nobody on the roster"


def _handed_over(case: Case, leaver: str) -> str:
    """Until when who has left could have handed it over, where the policy gives them time for that."""
    rep = case.day.roster.reps.get(leaver)
    if rep is None or rep.left_on is None or case.policy.leavers_move == "at_once":
        return ""
    until = handed_over_by(rep)
    return f"; it was theirs to hand over until {until:%Y-%m-%d %H:%M} UTC" if until else ""


def _rival_candidates(rivals: Sequence[str]) -> tuple[Candidate, ...]:
    return tuple(Candidate(rep, False, "one of several owners the CRM shows") for rep in rivals)
