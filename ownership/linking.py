"""Matching: which records of which systems are the same company.

Evidence, strongest first: an id one system keeps of another, the registrable web domain, the same name in the same
country. Evidence that many records share proves nothing, and evidence that contradicts itself becomes a problem for
a person. The result is the same for any order of the records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from ownership.identities import label
from ownership.model import ACCOUNT, Account, AccountFact, AccountRecord, Ref
from ownership.names import country_code, name_key, registrable_domain
from ownership.verdicts import Verdicts

CROWD = 10
"""A domain or name that more records share than this links none of them: a reseller, a landlord, a placeholder."""
LARGEST = 25
"""More records than this are never one account without a person."""

SEGMENT_FLOORS = (("enterprise", 1000), ("mid_market", 100), ("smb", 0))
NO_VERDICTS, NOBODY, NO_AGES = Verdicts(), dict[str, str](), dict[str, int]()
LIVE_STATUSES = ("active", "trialing", "past_due")


PROBLEM_KINDS = ("doubtful_match", "two_owners", "parent_cycle", "unplaced_fact")


@dataclass(frozen=True, slots=True)
class Problem:
    """Records that could not be placed without doubt. `kind` is one of `PROBLEM_KINDS`."""

    kind: str
    refs: tuple[Ref, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Linked:
    """All accounts, by id, and what a person has to look at."""

    accounts: list[Account]
    problems: list[Problem]


@dataclass(slots=True)
class _Groups:
    """Sets of refs that only ever join, smallest ref first; a join that would grow past `LARGEST` is refused."""

    verdicts: Verdicts
    owner: Mapping[Ref, str]
    leader: dict[Ref, Ref] = field(default_factory=dict)
    members: dict[Ref, list[Ref]] = field(default_factory=dict)

    def forbids(self, one: Ref, other: Ref) -> bool:
        """Whether a person said that somebody of one's company is not of the other's."""
        return self.verdicts.are_apart(self.of(one), self.of(other))

    def owners(self, one: Ref, other: Ref) -> dict[str, Ref]:
        """Who owns what would become one account, each with a record of theirs."""
        return {self.owner[ref]: ref for ref in (*self.of(other), *self.of(one)) if ref in self.owner}

    def add(self, ref: Ref) -> None:
        self.leader[ref] = ref
        self.members[ref] = [ref]

    def of(self, ref: Ref) -> list[Ref]:
        return self.members[self.leader[ref]]

    def join(self, one: Ref, other: Ref, most: int = LARGEST) -> bool:
        first, second = sorted((self.leader[one], self.leader[other]))
        if first == second:
            return True
        if len(self.members[first]) + len(self.members[second]) > most:
            return False
        for ref in self.members.pop(second):
            self.leader[ref] = first
            self.members[first].append(ref)
        return True


def link_records(
    records: Sequence[AccountRecord],
    facts: Sequence[AccountFact],
    known: Mapping[Ref, str],
    new_id: Callable[[Ref], str],
    owner_of: Mapping[tuple[str, str], str],
    precedence: Sequence[str] = ("salesforce", "hubspot", "stripe"),
    verdicts: Verdicts = NO_VERDICTS,
    held: Mapping[str, str] = NOBODY,
    oldest: Mapping[str, int] = NO_AGES,
) -> Linked:
    """Group the records of one company and merge what they say.

    `known` keeps accounts under the id they had; of several the one whose record a person named first, then the oldest
    by `oldest`, then the lowest. `verdicts` are what people said of records, which wins. `held` are the owners of
    accounts by id: two accounts with two owners stay two, with a problem, until somebody settles who keeps the company.
    `owner_of` gives the rep behind a vendor's user id. `precedence` lists the systems whose word counts first, for each
    field.
    """
    by_ref = {Ref(r.source, r.object_type, r.external_id): r for r in records}
    with_records = {ref.source for ref in by_ref}
    by_ref |= {
        Ref(fact.source, "workspace", fact.external_id): _as_record(fact)
        for fact in sorted(facts, key=_fact_key)
        if fact.source not in with_records
    }
    groups = _Groups(verdicts, {ref: held[known[ref]] for ref in by_ref if known.get(ref) in held})
    for ref in sorted(by_ref):
        groups.add(ref)
    _join_by_word(verdicts, groups)
    problems = _join_all(by_ref, groups) + _unplaced(facts, by_ref)
    accounts_by_leader = _account_ids(groups, known, new_id, verdicts, oldest)
    values = _values_of(facts, by_ref, groups)
    accounts = [
        _to_account(
            accounts_by_leader[leader],
            [(ref, by_ref[ref]) for ref in sorted(refs)],
            values.get(leader, {}),
            owner_of,
            precedence,
        )
        for leader, refs in sorted(groups.members.items())
    ]
    accounts, cycles = _with_parents(
        accounts, by_ref, {ref: accounts_by_leader[at] for ref, at in groups.leader.items()}
    )
    return Linked(sorted(accounts, key=lambda account: account.id), problems + cycles)


def _unplaced(facts: Sequence[AccountFact], by_ref: Mapping[Ref, AccountRecord]) -> list[Problem]:
    places = {(ref.source, ref.external_id) for ref in by_ref}
    lost = sorted({Ref(f.source, "fact", f.external_id) for f in facts if (f.source, f.external_id) not in places})
    return [
        Problem("unplaced_fact", (ref,), f"{ref.source} speaks of {ref.external_id}, which it does not list")
        for ref in lost
    ]


def _as_record(fact: AccountFact) -> AccountRecord:
    return AccountRecord(
        source=fact.source,
        object_type="workspace",
        external_id=fact.external_id,
        name=fact.name,
        email=fact.email,
        links=fact.links,
    )


def _join_by_word(verdicts: Verdicts, groups: _Groups) -> None:
    """What people said is one is one, however large it becomes and whoever owns it."""
    for verdict in verdicts.same:
        if verdict.one in groups.leader and verdict.other in groups.leader:
            groups.join(verdict.one, verdict.other, most=len(groups.leader))


def _two_owners(one: Ref, other: Ref, groups: _Groups) -> Problem | None:
    owners = groups.owners(one, other)
    if len(owners) < 2 or groups.leader[one] == groups.leader[other]:
        return None
    who = " and ".join(f"{owner} ({ref.source}/{ref.external_id})" for owner, ref in sorted(owners.items()))
    because = (
        f"they look like one company, and two own it: {who}; say who keeps it by naming that record first: steward same"
    )
    return Problem("two_owners", tuple(sorted((one, other))), because)


def _join_all(by_ref: Mapping[Ref, AccountRecord], groups: _Groups) -> list[Problem]:
    problems: list[Problem] = []
    places: dict[tuple[str, str], Ref] = {(ref.source, ref.external_id): ref for ref in sorted(by_ref)}
    for ref in sorted(by_ref):
        for source, external_id in sorted(by_ref[ref].links.items()):
            other = places.get((source, external_id))
            if other is not None and (problem := _join_link(ref, other, by_ref, groups)):
                problems.append(problem)
    for keys in (_by_domain(by_ref), _by_name(by_ref)):
        for key, refs in sorted(keys.items()):
            problems.extend(_join_key(key, refs, by_ref, groups))
    return problems


def _join_link(ref: Ref, other: Ref, by_ref: Mapping[Ref, AccountRecord], groups: _Groups) -> Problem | None:
    """Join two records of which one names the other's id, or say why not."""
    if groups.forbids(ref, other):
        return None
    if problem := _two_owners(ref, other, groups):
        return problem
    because = ""
    if any(_contradict(by_ref[a], by_ref[b]) for a in groups.of(ref) for b in groups.of(other)):
        because = "one names the other's id, but they are in different countries"
    elif not groups.join(ref, other):
        because = f"one names the other's id, but together they would be more than {LARGEST} records"
    return Problem("doubtful_match", tuple(sorted((ref, other))), because) if because else None


def _join_key(key: str, refs: Sequence[Ref], by_ref: Mapping[Ref, AccountRecord], groups: _Groups) -> list[Problem]:
    if len(refs) > CROWD:
        return [Problem("doubtful_match", tuple(refs), f"{len(refs)} records share {key}; that proves nothing")]
    problems = []
    for position, ref in enumerate(refs):
        for earlier in refs[:position]:
            if groups.leader[earlier] == groups.leader[ref]:
                continue
            if groups.forbids(earlier, ref):
                continue
            if any(_apart(a, b, by_ref) for a in groups.of(earlier) for b in groups.of(ref)):
                continue
            if problem := _two_owners(earlier, ref, groups):
                problems.append(problem)
                continue
            if not groups.join(earlier, ref):
                because = f"joining them by {key} would make an account of more than {LARGEST} records"
                problems.append(Problem("doubtful_match", (earlier, ref), because))
    return problems


def _apart(a: Ref, b: Ref, by_ref: Mapping[Ref, AccountRecord]) -> bool:
    if _contradict(by_ref[a], by_ref[b]) or _is_family(by_ref[a], by_ref[b]):
        return True
    return a.source == b.source and a != b and bool(_line(a, by_ref) & _line(b, by_ref))


def _line(ref: Ref, by_ref: Mapping[Ref, AccountRecord]) -> set[str]:
    """A record's id and those of all above it."""
    line: set[str] = set()
    at: str | None = ref.external_id
    while at is not None and at not in line:
        line.add(at)
        above = by_ref.get(Ref(ref.source, ref.object_type, at))
        at = above.parent_external_id if above else None
    return line


def _by_domain(by_ref: Mapping[Ref, AccountRecord]) -> dict[str, list[Ref]]:
    found: dict[str, list[Ref]] = defaultdict(list)
    for ref in sorted(by_ref):
        for domain in domains_of(by_ref[ref]):
            found[domain].append(ref)
    return found


def _by_name(by_ref: Mapping[Ref, AccountRecord]) -> dict[str, list[Ref]]:
    found: dict[str, list[Ref]] = defaultdict(list)
    for ref in sorted(by_ref):
        name, country = name_key(by_ref[ref].name), country_code(by_ref[ref].country)
        if name and country:
            found[f"the name '{name}' in {country}"].append(ref)
    return found


def domains_of(record: AccountRecord) -> tuple[str, ...]:
    """The web domains a record speaks for, its website's first."""
    found = (registrable_domain(record.website), registrable_domain(record.email))
    return tuple(dict.fromkeys(domain for domain in found if domain))


def _contradict(one: AccountRecord, other: AccountRecord) -> bool:
    countries = {country_code(one.country), country_code(other.country)} - {None}
    return len(countries) > 1


def _is_family(one: AccountRecord, other: AccountRecord) -> bool:
    """Parent and subsidiary share a website and are still two accounts: so are siblings."""
    if one.source != other.source:
        return bool(one.parent_external_id or other.parent_external_id) and name_key(one.name) != name_key(other.name)
    ids = {one.external_id, other.external_id}
    related = one.parent_external_id in ids or other.parent_external_id in ids
    return related or (one.parent_external_id is not None and one.parent_external_id == other.parent_external_id)


def _account_ids(
    groups: _Groups,
    known: Mapping[Ref, str],
    new_id: Callable[[Ref], str],
    verdicts: Verdicts,
    oldest: Mapping[str, int],
) -> dict[Ref, str]:
    """One id for each group: the best one its records had; an id goes to one group only, the first that asks."""
    taken: set[str] = set()
    ids: dict[Ref, str] = {}
    for leader in sorted(groups.members):
        had = {known[ref] for ref in groups.members[leader] if ref in known} - taken
        if had:
            named = (known.get(ref) for ref in verdicts.kept_first(groups.members[leader]))
            oldest_first = min(had, key=lambda id_: (oldest.get(id_, len(oldest)), id_))
            ids[leader] = next((id_ for id_ in named if id_ in had), None) or oldest_first
            taken.add(ids[leader])
    taken |= set(known.values())
    for leader in sorted(groups.members.keys() - ids.keys()):
        fresh = (account_id for ref in _names_for(groups.members[leader]) if (account_id := new_id(ref)) not in taken)
        ids[leader] = next(fresh)
        taken.add(ids[leader])
    return ids


def _names_for(refs: Iterable[Ref]) -> Iterable[Ref]:
    """The records an account can be called after; when other accounts have all those names, numbered ones."""
    ordered = sorted(refs)
    yield from ordered
    for number in count(2):
        yield Ref(ordered[0].source, ordered[0].object_type, f"{ordered[0].external_id}#{number}")


def _values_of(
    facts: Sequence[AccountFact], by_ref: Mapping[Ref, AccountRecord], groups: _Groups
) -> dict[Ref, dict[str, Any]]:
    """What billing and usage say, summed over the account's facts."""
    places = {(ref.source, ref.external_id): groups.leader[ref] for ref in sorted(by_ref)}
    found: dict[Ref, dict[str, Any]] = defaultdict(dict)
    for fact in sorted(facts, key=_fact_key):
        leader = places.get((fact.source, fact.external_id))
        if leader is not None:
            _add(found[leader], fact.values)
    return found


def _fact_key(fact: AccountFact) -> tuple[str, ...]:
    values, links = sorted(fact.values.items(), key=str), sorted(fact.links.items())
    return (fact.source, fact.external_id, fact.name or "", fact.email or "", str(links), str(values))


def _add(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value is None:
            continue
        if name == "subscription_status":
            into[name] = min((into.get(name, value), value), key=_status_rank)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            into[name] = into.get(name, 0) + value


def _status_rank(status: str) -> tuple[int, str]:
    return (LIVE_STATUSES.index(status) if status in LIVE_STATUSES else len(LIVE_STATUSES), status)


def _to_account(
    account_id: str,
    members: Sequence[tuple[Ref, AccountRecord]],
    values: Mapping[str, Any],
    owner_of: Mapping[tuple[str, str], str],
    precedence: Sequence[str],
) -> Account:
    rank = {source: position for position, source in enumerate(precedence)}
    ordered = [record for _, record in sorted(members, key=lambda m: (rank.get(m[0].source, len(rank)), m[0]))]
    name = next((record.name for record in ordered if record.name), None)
    shown = {ref: owner for ref, record in members if (owner := label(owner_of, ref.source, record.owner_external_id))}
    return Account(
        id=account_id,
        name=name or f"unnamed account {members[0][0].external_id}",
        fields=_fields(name, ordered, values),
        refs=tuple(ref for ref, _ in members),
        crm_owners=shown,
    )


def _fields(name: str | None, ordered: Sequence[AccountRecord], values: Mapping[str, Any]) -> dict[str, Any]:
    def first(field_name: str) -> Any:
        return next((value for record in ordered if (value := getattr(record, field_name)) is not None), None)

    domains = list(dict.fromkeys(domain for record in ordered for domain in domains_of(record)))
    employees = first("employees")
    status = values.get("subscription_status")
    fields = {
        "name": name,
        "domain": domains[0] if domains else None,
        "domains": domains or None,
        "country": next((code for record in ordered if (code := country_code(record.country))), None),
        "state": first("state"),
        "city": first("city"),
        "postcode": first("postcode"),
        "industry": first("industry"),
        "type": first("type"),
        "employees": employees,
        "segment": segment_of(first("segment"), employees),
        "do_not_route": any(record.do_not_route for record in ordered),
        "has_primary_contact": any(record.primary_contact for record in ordered),
        "in_crm": any(record.source in ("salesforce", "hubspot") for record in ordered),
        "paying": status in LIVE_STATUSES,
        "subject": ACCOUNT,
        "activity_on": _day(max, (record.last_activity_at for record in ordered)),
        "created_on": _day(min, (record.created_at for record in ordered)),
        **{name: value for record in reversed(ordered) for name, value in record.extra.items() if value is not None},
        **values,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _day(choose: Callable[[Iterable[datetime]], datetime], instants: Iterable[datetime | None]) -> str | None:
    known = [at for at in instants if at is not None]
    return choose(known).date().isoformat() if known else None


def segment_of(said: str | None, employees: int | None) -> str | None:
    if said:
        return said.strip().casefold().replace("-", "_").replace(" ", "_")
    if employees is None:
        return None
    return next(segment for segment, floor in SEGMENT_FLOORS if employees >= floor)


def _with_parents(
    accounts: Sequence[Account], by_ref: Mapping[Ref, AccountRecord], account_of: Mapping[Ref, str]
) -> tuple[list[Account], list[Problem]]:
    parents: dict[str, str] = {}
    for account in accounts:
        for ref in account.refs:
            parent = by_ref[ref].parent_external_id
            up = account_of.get(Ref(ref.source, ref.object_type, parent)) if parent else None
            if up is not None and up != account.id:
                parents.setdefault(account.id, up)
    by_id = {account.id: account for account in accounts}
    problems = []
    for cycle in _cycles(parents):
        refs = tuple(sorted(ref for account_id in cycle for ref in by_id[account_id].refs))
        names = " and ".join(by_id[account_id].name for account_id in cycle)
        problems.append(Problem("parent_cycle", refs, f"{names} are each other's parents; correct the parent of one"))
        for account_id in cycle:
            del parents[account_id]
    return [_replace_parent(account, parents.get(account.id)) for account in accounts], problems


def _replace_parent(account: Account, parent_id: str | None) -> Account:
    return Account(account.id, account.name, account.fields, account.refs, parent_id, account.crm_owners)


def _cycles(parents: Mapping[str, str]) -> Iterable[list[str]]:
    done: set[str] = set()
    for start in sorted(parents):
        line: list[str] = []
        at: str | None = start
        while at is not None and at not in done and at not in line:
            line.append(at)
            at = parents.get(at)
        if at is not None and at in line:
            yield sorted(line[line.index(at) :])
        done.update(line)
