"""Leads: which records are one inbound person, and which account that person belongs to.

A lead becomes a subject of its own, decided like an account. Records of one e-mail address are one person, whatever
system they are in. The account is the one a person named, else the one the CRM names, else the one that comparing found
(`ownership.matching`), and for a lead that was not compared the one with its web domain. An account that a person said
it does not belong to is none of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from ownership.identities import label
from ownership.linking import Background, segment_of
from ownership.linking.background import NOTHING_ELSE
from ownership.model import LEAD, Account, LeadRecord, Ref
from ownership.names import country_code, registrable_domain

PRECEDENCE = ("salesforce", "hubspot")


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of comparing a lead's company with all accounts: a record of the one that is most like it, None when
    there is none like it, and whether it surely is that one."""

    account: Ref | None
    sure: bool


NOT_COMPARED: Mapping[Ref, Compared] = {}


def link_leads(
    records: Sequence[LeadRecord],
    accounts: Sequence[Account],
    known: Mapping[Ref, str],
    new_id: Callable[[Ref], str],
    owner_of: Mapping[tuple[str, str], str],
    background: Background = NOTHING_ELSE,
    compared: Mapping[Ref, Compared] = NOT_COMPARED,
) -> list[Account]:
    """The leads that are still open, by id, each with the account it belongs to as its parent.

    `known` keeps leads under the id they had; `owner_of` gives the rep behind a vendor's user id. A lead that was
    converted has become part of an account and is none any more. `compared` says what came of comparing, by a record.
    """
    belongs = _Belonging(accounts, background, compared)
    people = people_of(records)
    ids = _lead_ids(list(people), known, new_id, background)
    leads = [_to_lead(ids[refs], refs, same, belongs.account_of(refs, same), owner_of) for refs, same in people.items()]
    return sorted(leads, key=lambda lead: lead.id)


def people_of(records: Iterable[LeadRecord]) -> dict[tuple[Ref, ...], list[LeadRecord]]:
    """The open leads' records of each person, by their refs in order."""
    people: dict[str, list[LeadRecord]] = defaultdict(list)
    for record in sorted(records, key=_rank):
        if not record.converted:
            people[(record.email or "").casefold() or f"{record.source}/{record.external_id}"].append(record)
    return {tuple(sorted(map(_ref, same))): same for same in people.values()}


def _ref(record: LeadRecord) -> Ref:
    return Ref(record.source, record.object_type, record.external_id)


def _lead_ids(
    people: Sequence[tuple[Ref, ...]], known: Mapping[Ref, str], new_id: Callable[[Ref], str], background: Background
) -> dict[tuple[Ref, ...], str]:
    """One id for each person: the oldest one their records had, which goes to who has the most of its records."""
    had: dict[Ref, list[str]] = defaultdict(list)
    for ref, id_ in known.items():
        had[background.now(ref)].append(id_)
    ids: dict[tuple[Ref, ...], str] = {}
    taken: set[str] = set()
    claims = [(-sum(id_ in had[ref] for ref in refs), refs, id_) for refs in people for id_ in _ids_of(refs, had)]
    oldest = background.oldest
    for _, refs, id_ in sorted(claims, key=lambda each: (each[0], oldest.get(each[2], len(oldest)), each[2], each[1])):
        if refs not in ids and id_ not in taken:
            ids[refs] = id_
            taken.add(id_)
    taken |= set(known.values())
    for refs in sorted(set(people) - ids.keys()):
        numbered = (Ref(refs[0].source, refs[0].object_type, f"{refs[0].external_id}#{n}") for n in count(2))
        ids[refs] = next(
            id_ for ref in chain(refs, numbered) if (id_ := new_id(ref)) not in taken and not background.in_use(id_)
        )
        taken.add(ids[refs])
    return ids


def _ids_of(refs: Iterable[Ref], had: Mapping[Ref, Sequence[str]]) -> set[str]:
    return {id_ for ref in refs for id_ in had.get(ref, ())}


def best_of(accounts: Iterable[Account]) -> Account | None:
    """Of several accounts with one web domain: a customer, then one with an open opportunity, then the one with the
    latest activity, then the lowest id."""
    return min(accounts, key=_preference, default=None)


def by_domain(accounts: Iterable[Account]) -> dict[str, list[Account]]:
    """The accounts by each of their web domains."""
    found: dict[str, list[Account]] = defaultdict(list)
    for account in accounts:
        for domain in account.fields.get("domains") or ():
            found[domain].append(account)
    return found


def account_with(domains: Iterable[str], known_by: Mapping[str, Sequence[Account]]) -> Account | None:
    """The best of the accounts (`by_domain`) that have one of these web domains."""
    return best_of(account for domain in domains for account in known_by.get(domain, ()))


def _preference(account: Account) -> tuple[bool, bool, str, str]:
    fields = account.fields
    customer = bool(fields.get("paying")) or str(fields.get("lifecycle", "")).casefold() == "customer"
    # Digits turned around, so that the latest date comes first.
    latest = str(fields.get("activity_on") or "").translate(str.maketrans("0123456789", "9876543210")) or "~"
    return (not customer, not fields.get("open_opportunities"), latest, account.id)


def _rank(record: LeadRecord) -> tuple[int, str, str]:
    known = record.source in PRECEDENCE
    return (PRECEDENCE.index(record.source) if known else len(PRECEDENCE), record.source, record.external_id)


def _domains(record: LeadRecord) -> list[str]:
    found = (registrable_domain(record.email), registrable_domain(record.website))
    return [domain for domain in dict.fromkeys(found) if domain]


class _Belonging:
    """Which account each lead belongs to."""

    def __init__(self, accounts: Sequence[Account], background: Background, compared: Mapping[Ref, Compared]) -> None:
        self._of = {(ref.source, ref.external_id): account for account in accounts for ref in account.refs}
        for old in background.merged:
            now = background.now(old)
            if account := self._of.get((now.source, now.external_id)):
                self._of[old.source, old.external_id] = account
        self._of_ref = {ref: account for account in accounts for ref in account.refs}
        self._by_domain = by_domain(accounts)
        self._verdicts = background.verdicts
        self._said: dict[Ref, list[Ref]] = defaultdict(list)
        for verdict in background.verdicts.same:  # the last word first
            self._said[verdict.one].insert(0, verdict.other)
            self._said[verdict.other].insert(0, verdict.one)
        self._compared = compared

    def account_of(self, refs: Sequence[Ref], same: Sequence[LeadRecord]) -> Account | None:
        said = (self._of_ref.get(other) for ref in refs for other in self._said.get(ref, ()))
        if account := next((each for each in said if each), None):
            return account
        named = (self._of.get((each.source, each.account_external_id)) for each in same if each.account_external_id)
        if account := next((each for each in named if each and not self._is_not(refs, each)), None):
            return account
        if compared := next((self._compared[ref] for ref in refs if ref in self._compared), None):
            found = self._of_ref.get(compared.account) if compared.account and compared.sure else None
            return None if found is None or self._is_not(refs, found) else found
        alike = (each for domain in _domains_of(same) for each in self._by_domain.get(domain, ()))
        return best_of(each for each in alike if not self._is_not(refs, each))

    def _is_not(self, refs: Sequence[Ref], account: Account) -> bool:
        return self._verdicts.are_apart(refs, account.refs)


def _domains_of(same: Iterable[LeadRecord]) -> list[str]:
    return [domain for each in same for domain in _domains(each)]


def _to_lead(
    id_: str,
    refs: tuple[Ref, ...],
    same: Sequence[LeadRecord],
    account: Account | None,
    owner_of: Mapping[tuple[str, str], str],
) -> Account:
    shown = {
        Ref(each.source, each.object_type, each.external_id): owner
        for each in same
        if (owner := label(owner_of, each.source, each.owner_external_id))
    }
    person = next((each.name for each in same if each.name), None) or refs[0].external_id
    company = next((each.company for each in same if each.company), None)
    name = f"{person} ({company})" if company else person
    parent = account.id if account else None
    return Account(id_, name, _fields(name, same, account), refs, parent, shown, LEAD)


def _fields(name: str, same: Sequence[LeadRecord], account: Account | None) -> dict[str, Any]:
    def first(field: str) -> Any:
        return next((value for each in same if (value := getattr(each, field)) is not None), None)

    domains = list(dict.fromkeys(domain for each in same for domain in _domains(each)))
    employees, of_account = first("employees"), account.fields if account else {}
    created_at = first("created_at")
    fields = {
        "name": name,
        "subject": LEAD,
        "domain": domains[0] if domains else None,
        "domains": domains or None,
        "country": country_code(first("country")) or of_account.get("country"),
        **{
            field: first(field) for field in ("state", "city", "postcode", "industry", "title", "lead_source", "status")
        },
        "employees": employees if employees is not None else of_account.get("employees"),
        "segment": segment_of(None, employees) or of_account.get("segment"),
        "do_not_route": any(each.do_not_route for each in same),
        "consent": first("consent"),
        "has_primary_contact": any(each.email for each in same),
        "has_account": account is not None,
        "in_crm": True,
        "activity_on": of_account.get("activity_on"),
        "created_on": created_at.date().isoformat() if created_at else None,
        **{key: value for each in reversed(same) for key, value in each.extra.items() if value is not None},
    }
    return {key: value for key, value in fields.items() if value is not None}
