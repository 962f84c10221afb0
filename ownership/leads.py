"""Leads: which records are one inbound person, and which account that person belongs to.

A lead becomes a subject of its own, decided like an account. Records of one e-mail address are one person, whatever
system they are in. The account is the one the CRM names, else the one with the lead's web domain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ownership.identities import label
from ownership.linking import segment_of
from ownership.model import LEAD, Account, LeadRecord, Ref
from ownership.names import country_code, registrable_domain

PRECEDENCE = ("salesforce", "hubspot")


def link_leads(
    records: Sequence[LeadRecord],
    accounts: Sequence[Account],
    known: Mapping[Ref, str],
    new_id: Callable[[Ref], str],
    owner_of: Mapping[tuple[str, str], str],
) -> list[Account]:
    """The leads that are still open, by id, each with the account it belongs to as its parent.

    `known` keeps leads under the id they had; `owner_of` gives the rep behind a vendor's user id. A lead that was
    converted has become part of an account and is none any more.
    """
    places = {(ref.source, ref.external_id): account for account in accounts for ref in account.refs}
    known_by = by_domain(accounts)
    people: dict[str, list[LeadRecord]] = defaultdict(list)
    for record in sorted(records, key=_rank):
        if not record.converted:
            people[(record.email or "").casefold() or f"{record.source}/{record.external_id}"].append(record)
    leads = []
    for same in people.values():
        refs = tuple(sorted(Ref(each.source, each.object_type, each.external_id) for each in same))
        id_ = min((known[ref] for ref in refs if ref in known), default=None) or new_id(refs[0])
        leads.append(_to_lead(id_, refs, same, _account_of(same, places, known_by), owner_of))
    return sorted(leads, key=lambda lead: lead.id)


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


def _account_of(
    same: Sequence[LeadRecord], places: Mapping[tuple[str, str], Account], known_by: Mapping[str, Sequence[Account]]
) -> Account | None:
    named = ((each.source, each.account_external_id) for each in same if each.account_external_id)
    for place in named:
        if place in places:
            return places[place]
    return account_with((domain for each in same for domain in _domains(each)), known_by)


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
