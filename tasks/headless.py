"""Headless: a file of accounts in, a file of decisions out, by the same rules as ever. No server and no database.

Here rows become accounts; `tasks/account_files.py` reads and writes the files, and who owns what is decided in
`ownership.assignment`. A row that cannot be read costs only itself; a file that cannot be read costs the run, before
anything is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.policy_files import LoadedPolicy
from ownership.assignment import decide_owners
from ownership.conditions import FIELDS
from ownership.matching import LIVE_STATUSES, SEGMENT_FLOORS
from ownership.model import Account, Decision, Outcome, Ref, Step
from ownership.names import FREE_MAIL, SHARED_HOSTS, country_code, registrable_domain
from ownership.policy import Roster
from ownership.rotation import PoolTurns
from tasks.account_files import OVERFLOW, REQUIRED, Row, Sheet

FLAG_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
FLAGS_UNSAID = {"do_not_route": False, "has_primary_contact": False, "in_crm": True}
"""What matching says of a CRM record that does not mention them: these flags are never unknown."""
NUMBER = re.compile(r"(\d{1,15})(\.0+)?", re.ASCII)  # other tools write whole numbers as 1200.0 once a cell is empty
SHOWN = 80  # characters of a cell that a sentence quotes


class BadRecord(ValueError):
    """A row that cannot be read. The message names the column and the value."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision for each row in the order of the rows, the pools' turns afterwards, and `notices`: sentences about
    cells and parents that were passed over."""

    decisions: tuple[Decision, ...]
    turns: Mapping[str, PoolTurns]
    notices: tuple[str, ...] = ()


# --- rows to accounts ---


def to_account(row: Row) -> Account:
    """The account a row describes, its fields as matching would make them of a CRM record.

    Raises `BadRecord` when a cell is not of its column's kind.
    """
    for column in REQUIRED:
        if column not in row:
            raise BadRecord(f"{column} is '', and every account needs one")
    if OVERFLOW in row:
        raise BadRecord(f"the row has a cell too many, {_quoted(row[OVERFLOW])}; put quotes around text with commas")
    source, slash, external_id = row["id"].partition("/")
    refs = (Ref(source, "account", external_id),) if slash else ()
    return Account(row["id"], row["name"], _fields(row), refs, row.get("parent_id"))


def _fields(row: Row) -> dict[str, Any]:
    domains = _domains(row)
    fields: dict[str, Any] = {name: row.get(name) for name, field in FIELDS.items() if field.kind == "text"}
    fields |= {name: _number(row, name) for name, field in FIELDS.items() if field.kind == "number"}
    unsaid = {**FLAGS_UNSAID, "paying": row.get("subscription_status", "").casefold() in LIVE_STATUSES}
    fields |= {name: _flag(row, name, unsaid.get(name)) for name, field in FIELDS.items() if field.kind == "flag"}
    fields |= {
        "domain": domains[0] if domains else None,
        "domains": domains or None,
        "country": country_code(row.get("country")),
        "segment": _segment(row.get("segment"), fields["employees"]),
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


def decide_sheet(sheet: Sheet, loaded: LoadedPolicy, turns: Mapping[str, PoolTurns], today: str) -> Decided:
    """Decide every row, whatever order they come in. `today` is an ISO date; `turns` are by pool.

    Of several rows with one id the first that can be read counts. A row that cannot keeps its owner, whose book and
    whose accounts below it are as they would be.
    """
    read = _read_rows(sheet.rows)
    accounts = {account.id: account for account in read if isinstance(account, Account)}
    in_cycles = _without_cycles(accounts)
    owner_of = _owner_reader(loaded.roster)
    owners = _owners(sheet.rows, read, accounts, owner_of)
    load = Counter(owners.values())  # as `ownership.case.book_sizes` counts where no CRM shows an owner
    decided, after = decide_owners(list(accounts.values()), loaded.policy, loaded.roster, owners, load, turns, today)
    by_id = {decision.account_id: decision for decision in decided}
    decisions = (
        by_id[account.id] if isinstance(account, Account) else _refusal(row, account, loaded.policy_hash)
        for row, account in zip(sheet.rows, read, strict=True)
    )
    return Decided(tuple(decisions), after, (*_notices(sheet.rows, owner_of), *in_cycles))


def _read_rows(rows: Iterable[Row]) -> list[Account | BadRecord]:
    read: list[Account | BadRecord] = []
    taken: set[str] = set()
    for row in rows:
        try:
            account = to_account(row)
            if account.id in taken:
                raise BadRecord(f"id is {_quoted(account.id)}, as in an earlier row; give each account one row")
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
        accounts[account_id] = Account(account.id, account.name, account.fields, account.refs)
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
