"""Headless: a file of accounts in, a file of decisions out, by the same rules as ever. No server and no database.

Here whole sheets are decided, account by account: the reference for `tasks/bulk/`, which decides large ones. Rows
become accounts in `tasks/account_rows.py`, `tasks/account_files.py` reads and writes the files, and who owns what is
decided in `ownership.assignment`. A row that cannot be read costs only itself; a file that cannot be read costs the
run, before anything is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from config.policy_files import LoadedPolicy
from ownership.assignment import decide_on
from ownership.case import Holding, State
from ownership.day import Day
from ownership.leads import account_with, by_domain
from ownership.model import LEAD, Account, Decision, Outcome, Step
from ownership.names import country_code
from ownership.policy import Roster
from tasks.account_files import Row, Sheet
from tasks.account_rows import BadRecord, day_of, quoted, to_account, to_lead
from tasks.memory import Lent, Memory

Subject = Account | BadRecord
"""What a row turned out to be."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision for each row in the order of the rows, accounts before leads, what is to be remembered, and
    `notices`: sentences about cells and parents that were passed over."""

    decisions: tuple[Decision, ...]
    memory: Memory
    notices: tuple[str, ...] = ()


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
    read = read_rows(sheet.rows, partial(to_account, custom=custom), taken)
    accounts = {account.id: account for account in read if isinstance(account, Account)}
    in_cycles = ids_in_cycles({account.id: account.parent_id for account in accounts.values() if account.parent_id})
    accounts |= {id_: replace(accounts[id_], parent_id=None) for id_ in in_cycles}
    read += read_rows(inbound.rows, partial(to_lead, custom=custom), taken) if inbound else []
    everybody = accounts | place_leads(read, accounts)
    owner_of = owner_reader(loaded.roster)
    owners = present_owners(rows, read, owner_of)
    load = Counter(owner for id_, owner in owners.items() if not is_lead(everybody.get(id_)))
    day = day_of_files(loaded, now)
    state = state_of(memory, owners, load)
    state.holdings = holdings_of(rows, read, owners, memory.lent)
    decided, after = decide_on(day, list(everybody.values()), state)
    by_id = {decision.account_id: decision for decision in decided}
    decisions = (
        by_id[subject.id] if isinstance(subject, Account) else refusal(row, subject, loaded.policy_hash)
        for row, subject in zip(rows, read, strict=True)
    )
    cells = {column: Counter(row[column] for row in rows if column in row) for column in ("country", "owner")}
    return Decided(tuple(decisions), memory.after(after, day), notices(cells, owner_of, in_cycles))


def day_of_files(loaded: LoadedPolicy, now: datetime) -> Day:
    """The policy at an instant, with nobody to ask: whoever is given an account has it."""
    acceptance = replace(loaded.policy.acceptance, meanwhile="offered")
    return Day.of(replace(loaded.policy, acceptance=acceptance), loaded.roster, now)


def state_of(memory: Memory, owners: dict[str, str], load: dict[str, int]) -> State:
    """How things stand, but for how the owners have their accounts."""
    marks = {id_: dict(held) for id_, held in memory.marks.items()}
    teams = {id_: dict(team) for id_, team in memory.teams.items()}
    return State(owners, load, dict(memory.turns), marks=marks, teams=teams, recent=dict(memory.leads))


def is_lead(subject: Account | None) -> bool:
    return subject is not None and subject.kind == LEAD


def read_rows(rows: Iterable[Row], to_subject: Callable[[Row], Account], taken: set[str]) -> list[Subject]:
    """What each row is. The ids of those that can be read are added to `taken`; no id is read twice."""
    read: list[Subject] = []
    for row in rows:
        try:
            subject = to_subject(row)
            if subject.id in taken:
                raise BadRecord(f"id is {quoted(subject.id)}, as in an earlier row; give each row one of its own")
            taken.add(subject.id)
            read.append(subject)
        except BadRecord as problem:
            read.append(problem)
    return read


def place_leads(read: Iterable[Subject], accounts: Mapping[str, Account]) -> dict[str, Account]:
    """The leads among what was read, by id, each under the account it names, or else the one with its web domain."""
    known_by = by_domain(accounts.values())
    found: dict[str, Account] = {}
    for lead in read:
        if isinstance(lead, BadRecord) or not is_lead(lead):
            continue
        found_in = accounts.get(lead.parent_id or "") or account_with(lead.fields.get("domains") or (), known_by)
        fields = {**lead.fields, "has_account": found_in is not None}
        if found_in is not None and "activity_on" in found_in.fields:
            fields["activity_on"] = found_in.fields["activity_on"]
        found[lead.id] = replace(lead, fields=fields, parent_id=found_in.id if found_in else None)
    return found


def ids_in_cycles(parents: Mapping[str, str]) -> list[str]:
    """Accounts that are their own ancestors, by id. They count as having no parent, as in matching."""
    return sorted(account_id for account_id in parents if _leads_back(account_id, parents))


def _leads_back(account_id: str, parents: Mapping[str, str]) -> bool:
    seen: set[str] = set()
    at: str | None = parents[account_id]
    while at is not None and at not in seen:
        if at == account_id:
            return True
        seen.add(at)
        at = parents.get(at)
    return False


def owner_reader(roster: Roster) -> Callable[[str], str | None]:
    """From a rep's id or e-mail address to the id; None for anybody else."""
    by_email = {rep.email.casefold(): rep.id for rep in roster.reps.values()}
    return lambda said: said if said in roster.reps else by_email.get(said.casefold())


def present_owners(
    rows: Sequence[Row], read: Sequence[Subject], owner_of: Callable[[str], str | None]
) -> dict[str, str]:
    """Present owners by account id, of unreadable rows as well. Where two of those share an id, the lowest."""
    readable = {subject.id for subject in read if isinstance(subject, Account)}
    owners: dict[str, str] = {}
    for row, subject in zip(rows, read, strict=True):
        id_, owner = row.get("id"), owner_of(row.get("owner", ""))
        if id_ is None or owner is None or (isinstance(subject, BadRecord) and id_ in readable):
            continue
        owners[id_] = min(owner, owners.get(id_, owner))
    return owners


def holdings_of(
    rows: Sequence[Row], read: Sequence[Subject], owners: Mapping[str, str], lent: Mapping[str, Lent]
) -> dict[str, Holding]:
    """How the present owners have their accounts, as far as the rows and the last run say."""
    found = {
        subject.id: holding_of(row, owners.get(subject.id), lent.get(subject.id))
        for row, subject in zip(rows, read, strict=True)
        if isinstance(subject, Account)
    }
    return {id_: holding for id_, holding in found.items() if holding is not None}


def holding_of(row: Row, owner: str | None, lent: Lent | None) -> Holding | None:
    """How the present owner has an account; None when nothing is known of that."""
    since = day_of(row["owned_since"]) or "" if "owned_since" in row else None
    if lent is not None:
        return Holding(since or "", lent.afterwards if lent.owner == owner else None)
    return None if since is None or owner is None else Holding(since)


def refusal(row: Row, problem: BadRecord, policy_hash: str) -> Decision:
    because = str(problem)
    path = (Step("read", True, because),)
    return Decision(row.get("id", ""), Outcome.EXCEPTION, "bad_record", "read", path=path, policy_hash=policy_hash)


def notices(
    cells: Mapping[str, Counter[str]], owner_of: Callable[[str], str | None], in_cycles: Sequence[str]
) -> tuple[str, ...]:
    """What matching would pass over in silence too, but somebody who wrote a file by hand wants to hear.

    `cells` are those of the columns country and owner, each with how often it stands there.
    """
    return tuple(_notices(cells, owner_of, in_cycles))


def _notices(
    cells: Mapping[str, Counter[str]], owner_of: Callable[[str], str | None], in_cycles: Sequence[str]
) -> Iterator[str]:
    for column, known, wrong in (
        ("country", country_code, "names no country we know"),
        ("owner", owner_of, "is nobody on the roster"),
    ):
        if unknown := Counter({cell: count for cell, count in cells[column].items() if known(cell) is None}):
            yield _notice(column, unknown, wrong)
    if in_cycles:
        yield _notice("parent_id", Counter(in_cycles), "leads back to the account itself")


def _notice(column: str, cells: Counter[str], wrong: str) -> str:
    some = sorted(cells)
    shown = ", ".join(map(quoted, some[:5])) + (", …" if len(some) > 5 else "")
    return f"{column} counts as empty where it {wrong} ({cells.total():,}: {shown})"
