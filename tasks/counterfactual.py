"""Questions about decisions that are not made: what if, why not, and what a policy still has wrong. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from config.policy_files import LoadedPolicy
from config.settings import Settings
from config.yaml_files import hint
from ownership.conditions import FIELDS, Field, vocabulary
from ownership.counterfactual import NoSuchValue, Situation, WhyNot, shown, to_value, what_if, why_not
from ownership.coverage import Coverage, coverage
from ownership.day import Day
from ownership.explain import RULE_WORDS, explain
from ownership.lint import Finding, lint
from ownership.model import Account, Decision, Rep
from ownership.policy import Roster
from ownership.worktime import local_day
from store.engine import Store, open_store
from store.errors import StoreError
from tasks.assignment import books_now
from tasks.context import RunContext, utc_now
from tasks.explanation import find_account, unknown_account
from tasks.rules_in_effect import rules_in_effect
from tasks.state import load_state, with_missed_offers


def what_if_lines(context: RunContext, query: str, settings: Sequence[str]) -> Iterator[str]:
    """The decision now and the one with these `field=value` settings. Raises `NoSuchValue`, naming what is wrong."""
    known = vocabulary(context.policy.policy.fields)
    changed = dict(_setting(setting, known) for setting in settings)
    now = read_situation(context, query)
    if now is None:
        yield unknown_account(query)
        return
    then = what_if(now, changed)
    before, after = now.decide(), then.decide()
    yield "Now"
    yield from _told(before, now)
    yield f"With {_differences(now.account, then.account)}"
    yield from _told(after, then)
    yield _outcome(before, after, context.policy.roster)


def why_not_lines(context: RunContext, query: str, who: str) -> Iterator[str]:
    """Why the rep (an id, name or e-mail address) is not given the account, and the smallest change that would."""
    now = read_situation(context, query)
    if now is None:
        yield unknown_account(query)
        return
    yield from explain(now.decide(), now.account, context.policy.roster).splitlines()
    yield from _why_not(context.policy.roster, now, who)


def why_not_only(context: RunContext, account_id: str, who: str) -> list[str]:
    """`why_not_lines` without the explanation of the decision."""
    now = read_situation(context, account_id)
    return list(_why_not(context.policy.roster, now, who)) if now else []


def _why_not(roster: Roster, now: Situation, who: str) -> Iterator[str]:
    rep = find_rep(roster, who)
    answer = why_not(now, rep.id if rep else who)
    if answer.gate is None:
        yield f"{rep.name if rep else who} is who it is given to."
    elif rep is None:
        yield f"'{who}' is not on the roster{hint(who, roster.reps)}."
    else:
        yield from _why_not_told(answer, rep)


def find_rep(roster: Roster, who: str) -> Rep | None:
    """The rep with this id, else with this name or e-mail address."""
    wanted = who.strip().casefold()
    named = (rep for rep in roster.reps.values() if wanted in (rep.name.casefold(), rep.email.casefold()))
    return roster.reps.get(who) or next(named, None)


def read_situation(context: RunContext, query: str) -> Situation | None:
    """The account that `query` finds, with everything its decision rests on; None when there is none."""
    policy, roster = context.policy.policy, context.policy.roster
    with context.store.transaction(readonly=True) as uow:
        account = find_account(uow, query)
        if account is None:
            return None
        policy = rules_in_effect(uow, policy)
        day = Day.of(policy, roster, context.now())
        (account,) = with_missed_offers(uow, day, [account])
        state = load_state(uow, day, [account], books_now(uow, day), lock=False)
        return Situation(account, policy, roster, state, day.now)


def check_policy(loaded: LoadedPolicy) -> list[Finding]:
    """What a policy that loads still has wrong today."""
    return lint(loaded.policy, loaded.roster, local_day(loaded.policy.timezone, utc_now()))


def finding_line(finding: Finding) -> str:
    """One finding as people read it."""
    return f"{finding.severity:<7}  {finding.kind} {finding.id}: {finding.what}. {finding.mend}."


def coverage_lines(loaded: LoadedPolicy, settings: Settings) -> Iterator[str]:
    """How the map fits the accounts of the configured database; silent when there is none, or none in it."""
    if not _has_database(settings.database_url):
        return
    try:
        measured = _measure(loaded, settings)
    except StoreError as problem:
        yield f"Coverage is not measured: {problem}"
        return
    if measured.accounts:
        yield f"Of {measured.accounts} accounts {_counts(measured.in_no_territory, 'lie in no territory')}."
    if measured.unserved:
        yield f"Of those in a territory {_counts(measured.unserved, 'are served by nobody')}."
    if measured.by_overlay:
        yield f"The policy counts as covered {_counts(measured.by_overlay, 'that only a supporting role is for')}."


def _measure(loaded: LoadedPolicy, settings: Settings) -> Coverage:
    store = open_store(settings.database_url)
    try:
        store.migrate()
        return measure_coverage(store, loaded, utc_now())
    finally:
        store.close()


def measure_coverage(store: Store, loaded: LoadedPolicy, now: datetime) -> Coverage:
    """How the map of a policy fits the accounts of a store."""
    with store.transaction(readonly=True) as uow:
        return coverage(uow.accounts.all(), loaded.policy, local_day(loaded.policy.timezone, now))


def _has_database(url: str) -> bool:
    """A file that is not there is no database to measure, and checking a policy must not make one."""
    scheme, _, path = url.partition(":///")
    return not scheme.startswith("sqlite") or Path(path.partition("?")[0]).exists()


def _counts(counts: Mapping[str, int], what: str) -> str:
    each = ", ".join(f"{name} {count}" for name, count in counts.items())
    return f"{sum(counts.values())} {what}" + (f": {each}" if each else "")


def _setting(text: str, known: Mapping[str, Field]) -> tuple[str, Any]:
    field, equals, value = text.partition("=")
    if not equals:
        raise NoSuchValue(f"'{text}' sets nothing; write field=value, or field= to leave it unknown")
    return field.strip(), to_value(field.strip(), value, known)


def _told(decision: Decision, situation: Situation) -> Iterator[str]:
    for line in explain(decision, situation.account, situation.roster).splitlines():
        yield f"  {line}"


def _differences(before: Account, after: Account) -> str:
    names = dict.fromkeys((*FIELDS, *before.fields, *after.fields))
    fields = [name for name in names if before.fields.get(name) != after.fields.get(name)]
    return ", ".join(f"{name} {shown(name, after.fields.get(name))}" for name in fields) or "nothing different"


def _outcome(before: Decision, after: Decision, roster: Roster) -> str:
    if (before.owner_id, before.reason) == (after.owner_id, after.reason):
        return "The outcome is the same."
    return f"The outcome is different: {_result(after, roster)} instead of {_result(before, roster)}."


def _result(decision: Decision, roster: Roster) -> str:
    rep = roster.reps.get(decision.owner_id or "")
    return f"{rep.name} ({decision.reason})" if rep else decision.owner_id or f"nobody ({decision.reason})"


def _why_not_told(answer: WhyNot, rep: Rep) -> Iterator[str]:
    yield f"Not {rep.name}: {answer.gate}."
    yield f"The step that decided: {RULE_WORDS.get(answer.step.rule, answer.step.rule)}."
    if not answer.changes:
        yield f"No single change gives it to {rep.name}."
        return
    smallest, *others = answer.changes
    yield f"The smallest change that gives it to {rep.name}: {smallest.what}."
    for other in others:
        yield f"  So would: {other.what}."
