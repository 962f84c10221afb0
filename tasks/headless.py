"""Headless: a file of accounts in, a file of decisions out, by the same rules as ever. No server and no database.

Here rows become accounts; `tasks/account_files.py` reads and writes the files, and who owns what is decided in
`ownership.assignment`. A row that cannot be read costs only itself; a file that cannot be read costs the run, before
anything is written.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from config.policy_files import LoadedPolicy
from ownership.assignment import decide_owners
from ownership.case import Holding, State
from ownership.conditions import DATES, FIELDS, Field
from ownership.leads import best_of
from ownership.matching import LIVE_STATUSES, SEGMENT_FLOORS
from ownership.model import ACCOUNT, LEAD, Account, Decision, Outcome, Ref, Step
from ownership.names import FREE_MAIL, SHARED_HOSTS, country_code, registrable_domain
from ownership.policy import Roster
from tasks.account_files import OVERFLOW, REQUIRED, Memory, Row, Sheet

FLAG_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
FLAGS_UNSAID = {"do_not_route": False, "has_primary_contact": False, "in_crm": True}
"""What matching says of a CRM record that does not mention them: these flags are never unknown."""
NUMBER = re.compile(r"(\d{1,15})(\.0+)?", re.ASCII)  # other tools write whole numbers as 1200.0 once a cell is empty
SHOWN = 80  # characters of a cell that a sentence quotes


NO_FIELDS: Mapping[str, Field] = {}


class BadRecord(ValueError):
    """A row that cannot be read. The message names the column and the value."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision for each row in the order of the rows, accounts before leads, what is to be remembered, and
    `notices`: sentences about cells and parents that were passed over."""

    decisions: tuple[Decision, ...]
    memory: Memory
    notices: tuple[str, ...] = ()


# --- rows to accounts ---


def to_account(row: Row, custom: Mapping[str, Field] = NO_FIELDS) -> Account:
    """The account a row describes, its fields as matching would make them of a CRM record.

    `custom` are the fields of the policy's own. Raises `BadRecord` when a cell is not of its column's kind.
    """
    _check(row)
    source, slash, external_id = row["id"].partition("/")
    refs = (Ref(source, "account", external_id),) if slash else ()
    return Account(row["id"], row["name"], _fields(row, custom), refs, row.get("parent_id"))


def to_lead(row: Row, custom: Mapping[str, Field] = NO_FIELDS) -> Account:
    """The lead a row describes, still without its account. Raises `BadRecord` as `to_account` does."""
    account = to_account(row, custom)
    fields = {**account.fields, "subject": LEAD}
    return replace(account, fields=fields, parent_id=row.get("account_id"), kind=LEAD)


def _check(row: Row) -> None:
    for column in REQUIRED:
        if column not in row:
            raise BadRecord(f"{column} is '', and every account needs one")
    if OVERFLOW in row:
        raise BadRecord(f"the row has a cell too many, {_quoted(row[OVERFLOW])}; put quotes around text with commas")


def _fields(row: Row, custom: Mapping[str, Field]) -> dict[str, Any]:
    domains = _domains(row)
    known = {**FIELDS, **DATES, **custom}
    fields: dict[str, Any] = {name: row.get(name) for name, field in known.items() if field.kind == "text"}
    fields |= {name: _number(row, name) for name, field in known.items() if field.kind == "number"}
    fields |= {name: _date(row, name) for name, field in known.items() if field.kind == "date"}
    fields |= {name: row[name].split(";") for name, field in custom.items() if field.kind == "texts" and name in row}
    unsaid = {**FLAGS_UNSAID, "paying": row.get("subscription_status", "").casefold() in LIVE_STATUSES}
    fields |= {name: _flag(row, name, unsaid.get(name)) for name, field in known.items() if field.kind == "flag"}
    fields |= {
        "domain": domains[0] if domains else None,
        "domains": domains or None,
        "country": country_code(row.get("country")),
        "segment": _segment(row.get("segment"), fields["employees"]),
        "subject": ACCOUNT,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _domains(row: Row) -> list[str]:
    """The main domain first, then the others in the order they are written, then website's and e-mail's."""
    written = [row.get("domain", ""), *row.get("domains", "").split(";")]
    found = (registrable_domain(row.get("website")), registrable_domain(row.get("email")))
    return list(dict.fromkeys(domain for domain in (*map(_domain, written), *found) if domain))


def _domain(text: str) -> str | None:
    """What a file calls a domain is one even under an ending nobody registers ("acme.internal")."""
    word = text.strip().casefold()
    return registrable_domain(word) or (None if word in FREE_MAIL or word in SHARED_HOSTS else word)


def _number(row: Row, column: str) -> int | None:
    if column not in row:
        return None
    found = NUMBER.fullmatch(row[column])
    if not found:
        raise BadRecord(f"{column} is {_quoted(row[column])}, which is no whole number; write digits only")
    return int(found[1])


def _date(row: Row, column: str) -> str | None:
    if column not in row:
        return None
    try:
        return date.fromisoformat(row[column][:10]).isoformat()
    except ValueError:
        raise BadRecord(f"{column} is {_quoted(row[column])}, which is no date; write it as 2026-12-31") from None


def _flag(row: Row, column: str, unsaid: bool | None) -> bool | None:
    if column not in row:
        return unsaid
    said = FLAG_WORDS.get(row[column].casefold())
    if said is None:
        raise BadRecord(f"{column} is {_quoted(row[column])}, which is neither yes nor no; write true or false")
    return said


def _segment(said: str | None, employees: int | None) -> str | None:
    if said:
        return said.casefold().replace("-", "_").replace(" ", "_")
    if employees is None:
        return None
    return next(segment for segment, floor in SEGMENT_FLOORS if employees >= floor)


def _quoted(text: str) -> str:
    return f"'{text[:SHOWN]}…'" if len(text) > SHOWN else f"'{text}'"


# --- deciding ---


def decide_sheet(
    sheet: Sheet, loaded: LoadedPolicy, memory: Memory, now: datetime, inbound: Sheet | None = None
) -> Decided:
    """Decide every row, whatever order they come in, and the rows of `inbound` as leads.

    Of several rows with one id the first that can be read counts. A row that cannot keeps its owner, whose book and
    whose accounts below it are as they would be.
    """
    custom = loaded.policy.fields
    taken: set[str] = set()
    rows = (*sheet.rows, *(inbound.rows if inbound else ()))
    read = _read_rows(sheet.rows, partial(to_account, custom=custom), taken)
    accounts = {account.id: account for account in read if isinstance(account, Account)}
    in_cycles = _without_cycles(accounts)
    leads = _read_rows(inbound.rows, partial(to_lead, custom=custom), taken) if inbound else []
    everybody = {**accounts, **_placed((lead for lead in leads if isinstance(lead, Account)), accounts)}
    owner_of = _owner_reader(loaded.roster)
    owners = _owners(rows, [*read, *leads], everybody, owner_of)
    load = Counter(owner for id_, owner in owners.items() if not _is_lead(everybody.get(id_)))
    since = {row["id"]: Holding(row["owned_since"]) for row in rows if "owned_since" in row and row.get("id") in owners}
    state = State(owners, load, dict(memory.turns), since, {id_: dict(held) for id_, held in memory.marks.items()})
    decided, after = decide_owners(list(everybody.values()), loaded.policy, loaded.roster, state, now)
    by_id = {decision.account_id: decision for decision in decided}
    decisions = (
        by_id[account.id] if isinstance(account, Account) else _refusal(row, account, loaded.policy_hash)
        for row, account in zip(rows, [*read, *leads], strict=True)
    )
    notices = (*_notices(rows, owner_of), *in_cycles)
    return Decided(tuple(decisions), Memory(after.turns, after.marks), notices)


def _is_lead(account: Account | None) -> bool:
    return account is not None and account.kind == LEAD


def _placed(leads: Iterable[Account], accounts: Mapping[str, Account]) -> dict[str, Account]:
    """The leads by id, each under the account it names, or else the one with its web domain."""
    by_domain: dict[str, list[Account]] = defaultdict(list)
    for account in accounts.values():
        for domain in account.fields.get("domains") or ():
            by_domain[domain].append(account)
    found: dict[str, Account] = {}
    for lead in leads:
        domains = lead.fields.get("domains") or ()
        alike = best_of(account for name in domains for account in by_domain.get(name, ()))
        found_in = accounts.get(lead.parent_id or "") or alike
        fields = {**lead.fields, "has_account": found_in is not None}
        if found_in is not None and "activity_on" in found_in.fields:
            fields["activity_on"] = found_in.fields["activity_on"]
        found[lead.id] = replace(lead, fields=fields, parent_id=found_in.id if found_in else None)
    return found


def _read_rows(rows: Iterable[Row], to_subject: Callable[[Row], Account], taken: set[str]) -> list[Account | BadRecord]:
    read: list[Account | BadRecord] = []
    for row in rows:
        try:
            account = to_subject(row)
            if account.id in taken:
                raise BadRecord(f"id is {_quoted(account.id)}, as in an earlier row; give each row one of its own")
            taken.add(account.id)
            read.append(account)
        except BadRecord as problem:
            read.append(problem)
    return read


def _without_cycles(accounts: dict[str, Account]) -> list[str]:
    """Take the parents from accounts that are their own ancestors, as matching does; returns what to say of it."""
    parents = {account.id: account.parent_id for account in accounts.values() if account.parent_id}
    found = sorted(account_id for account_id in parents if _leads_back(account_id, parents))
    for account_id in found:
        account = accounts[account_id]
        accounts[account_id] = replace(account, parent_id=None)
    return [_notice("parent_id", found, "leads back to the account itself")] if found else []


def _leads_back(account_id: str, parents: Mapping[str, str]) -> bool:
    seen: set[str] = set()
    at: str | None = parents[account_id]
    while at is not None and at not in seen:
        if at == account_id:
            return True
        seen.add(at)
        at = parents.get(at)
    return False


def _owner_reader(roster: Roster) -> Callable[[str], str | None]:
    """From a rep's id or e-mail address to the id; None for anybody else."""
    by_email = {rep.email.casefold(): rep.id for rep in roster.reps.values()}
    return lambda said: said if said in roster.reps else by_email.get(said.casefold())


def _owners(
    rows: Sequence[Row],
    read: Sequence[Account | BadRecord],
    accounts: Mapping[str, Account],
    owner_of: Callable[[str], str | None],
) -> dict[str, str]:
    """Present owners by account id, of unreadable rows as well. Where two of those share an id, the lowest."""
    owners: dict[str, str] = {}
    for row, account in zip(rows, read, strict=True):
        id_, owner = row.get("id"), owner_of(row.get("owner", ""))
        if id_ is None or owner is None or (isinstance(account, BadRecord) and id_ in accounts):
            continue
        owners[id_] = min(owner, owners.get(id_, owner))
    return owners


def _refusal(row: Row, problem: BadRecord, policy_hash: str) -> Decision:
    because = str(problem)
    path = (Step("read", True, because),)
    return Decision(row.get("id", ""), Outcome.EXCEPTION, "bad_record", "read", path=path, policy_hash=policy_hash)


def _notices(rows: Sequence[Row], owner_of: Callable[[str], str | None]) -> Iterable[str]:
    """What matching would pass over in silence too, but somebody who wrote a file by hand wants to hear."""
    for column, known, wrong in (
        ("country", country_code, "names no country we know"),
        ("owner", owner_of, "is nobody on the roster"),
    ):
        unknown = [row[column] for row in rows if column in row and known(row[column]) is None]
        if unknown:
            yield _notice(column, unknown, wrong)


def _notice(column: str, cells: Sequence[str], wrong: str) -> str:
    some = sorted(set(cells))
    shown = ", ".join(map(_quoted, some[:5])) + (", …" if len(some) > 5 else "")
    return f"{column} counts as empty where it {wrong} ({len(cells):,}: {shown})"


def summary_lines(decided: Decided) -> list[str]:
    """What a person wants to know at the end."""
    reasons = {outcome: Counter[str]() for outcome in Outcome}
    for decision in decided.decisions:
        reasons[decision.outcome][decision.reason] += 1
    owned, open_ = reasons[Outcome.OWNER], reasons[Outcome.EXCEPTION]
    total = f"{len(decided.decisions):,} accounts: {owned.total():,} have an owner, {open_.total():,} need a person"
    by_reason = {"owners": owned, "exceptions": open_}
    counts = [f"  {what} by reason: {_counts(counter)}" for what, counter in by_reason.items() if counter]
    return [*decided.notices, total, *counts]


def _counts(counter: Mapping[str, int]) -> str:
    ordered = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {count:,}" for reason, count in ordered)
