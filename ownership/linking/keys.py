"""Keys: what two records can have in common that makes them one company, or relatives, as text.

Records that share no key, by whatever many steps, have nothing to do with each other: what links one part of them says
nothing of the others.
"""

from __future__ import annotations

from hashlib import sha256

from ownership.model import AccountFact, AccountRecord, LeadRecord
from ownership.names import country_code, name_key, registrable_domain

CROWD = 10
"""A domain or name that more records share than this links none of them: a reseller, a landlord, a placeholder."""
AT, DOMAIN, NAME, EMAIL = "at ", "domain ", "name ", "email "
LONGEST = 400
CROWDED = (DOMAIN, NAME)
"""The kinds of key that a crowd can share."""


def domains_of(record: AccountRecord) -> tuple[str, ...]:
    """The web domains a record speaks for, its website's first."""
    return _domains(record.website, record.email)


def domain_keys(record: AccountRecord) -> tuple[str, ...]:
    """The keys of a record's web domains."""
    return tuple(DOMAIN + domain for domain in domains_of(record))


def name_key_of(record: AccountRecord) -> str | None:
    """The key of a record's name in its country; None when it lacks either."""
    name, country = name_key(record.name), country_code(record.country)
    return f"{NAME}{name} in {country}" if name and country else None


def place_key(source: str, external_id: str) -> str:
    """The key of a record's own place, which those that name its id share."""
    return f"{AT}{source}/{external_id}"


def keys_of(value: AccountRecord | AccountFact | LeadRecord) -> frozenset[str]:
    """All keys of what one row says."""
    if isinstance(value, LeadRecord):
        return frozenset(map(_short, _keys_of_lead(value)))
    return frozenset(map(_short, _all_keys(value)))


def _all_keys(value: AccountRecord | AccountFact) -> frozenset[str]:
    found = {place_key(value.source, value.external_id)}
    found |= {place_key(source, external_id) for source, external_id in value.links.items()}
    if isinstance(value, AccountFact):
        return frozenset({*found, *(DOMAIN + domain for domain in _domains(value.email))})
    if value.parent_external_id:
        found.add(place_key(value.source, value.parent_external_id))
    if name := name_key_of(value):
        found.add(name)
    return frozenset({*found, *domain_keys(value)})


def words_of(key: str) -> str:
    """What records share, in words."""
    if key.startswith(NAME):
        name, _, country = key.removeprefix(NAME).rpartition(" in ")
        return f"the name '{name}' in {country}"
    return key.removeprefix(DOMAIN)


def person_key(lead: LeadRecord) -> str:
    """The key of the person a lead is, which does not tell their address."""
    return _person_key((lead.email or "").casefold() or f"{lead.source}/{lead.external_id}")


def address_key(address: str) -> str:
    """The key of the person with this e-mail address, whatever its case."""
    return _person_key(address.casefold())


def _person_key(person: str) -> str:
    return EMAIL + sha256(person.encode("utf-8", "replace")).hexdigest()


def _keys_of_lead(lead: LeadRecord) -> frozenset[str]:
    found = {person_key(lead), *(DOMAIN + domain for domain in _domains(lead.email, lead.website))}
    if lead.account_external_id:
        found.add(place_key(lead.source, lead.account_external_id))
    return frozenset(found)


def _short(key: str) -> str:
    """Keys stand in an index, which holds no long texts."""
    return key if len(key) <= LONGEST else f"{key[:40]}… {sha256(key.encode('utf-8', 'replace')).hexdigest()}"


def _domains(*said: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(domain for domain in map(registrable_domain, said) if domain))
