"""Merging: what an account says, out of what its records and facts say, the system that comes first being believed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ownership.identities import label
from ownership.linking.groups import Groups
from ownership.linking.keys import domains_of
from ownership.model import ACCOUNT, Account, AccountFact, AccountRecord, Ref
from ownership.names import country_code

SEGMENT_FLOORS = (("enterprise", 1000), ("mid_market", 100), ("smb", 0))
LIVE_STATUSES = ("active", "trialing", "past_due")


def values_of(facts: Sequence[AccountFact], groups: Groups) -> dict[Ref, dict[str, Any]]:
    """What billing and usage say, summed over the account's facts, by the leader of its group."""
    places = {(ref.source, ref.external_id): groups.leader[ref] for ref in sorted(groups.records)}
    found: dict[Ref, dict[str, Any]] = defaultdict(dict)
    for fact in sorted(facts, key=fact_key):
        leader = places.get((fact.source, fact.external_id))
        if leader is not None:
            _add(found[leader], fact.values)
    return found


def fact_key(fact: AccountFact) -> tuple[str, ...]:
    """In what order facts are read, whatever order they come in."""
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


def to_account(
    account_id: str,
    members: Sequence[tuple[Ref, AccountRecord]],
    values: Mapping[str, Any],
    owner_of: Mapping[tuple[str, str], str],
    precedence: Sequence[str],
) -> Account:
    """The account of these records. `owner_of` gives the rep behind a vendor's user id."""
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
    """The segment a record names, or else the one its number of employees falls into."""
    if said:
        return said.strip().casefold().replace("-", "_").replace(" ", "_")
    if employees is None:
        return None
    return next(segment for segment, floor in SEGMENT_FLOORS if employees >= floor)
