"""Erase one person: everything that tells of them outside the ledger, in one transaction.

The person is named by e-mail address. A lead or contact with that address is the person's own record; any other record
that names the address keeps the rest of what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from store.erasures import ERASED, Erased
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext

PEOPLE = "leads"
"""The stream of records that are people, leads or not."""


class NotAnAddress(ValueError):
    """What was given is no e-mail address."""


def erase_person(context: RunContext, email: str, by: str, because: str) -> Erased:
    """Take the person with this address out of everything but the ledger, which holds no personal data.

    What the systems themselves hold is theirs to erase: until then their record is kept out, and an exception
    `erased_record` says so at each pull that finds it. Raises `NotAnAddress`.
    """
    address = email.strip()
    local, _, domain = address.partition("@")
    if not local or "." not in domain or any(char.isspace() for char in address):
        raise NotAnAddress(f"'{email}' is no e-mail address; a person is erased by theirs, as in jo@acme.com")

    def erase(uow: UnitOfWork) -> Erased:
        mentioned = dict(uow.erasures.rows_that_mention(address))
        own = [key for key, fields in mentioned.items() if key.stream == PEOPLE and _is_of(fields, address)]
        corrected = {key: _without(fields, address) for key, fields in mentioned.items() if key not in own}
        now = context.now()
        erased = uow.erasures.erase(address, own, corrected, by, because, now)
        uow.accounts.mark_gone(erased.leads, now)
        uow.offers.supersede(erased.leads, now)
        uow.exceptions.close_of_accounts(erased.leads, by, "the person was erased", now)
        return erased

    return context.store.run(erase)


def _is_of(fields: Mapping[str, Any], address: str) -> bool:
    """Whether this is somebody's address, wherever the vendor keeps it, and not only found within a longer text."""
    return any(
        _is_of(value, address) if isinstance(value, Mapping) else str(value).strip().casefold() == address.casefold()
        for value in fields.values()
    )


def _without(value: Any, address: str) -> Any:
    """The value with the address taken out of every text in it."""
    if isinstance(value, Mapping):
        return {name: _without(each, address) for name, each in value.items()}
    if isinstance(value, list):
        return [_without(each, address) for each in value]
    if isinstance(value, str) and address.casefold() in value.casefold():
        return ERASED
    return value


def erasure_lines(context: RunContext, email: str, by: str, because: str) -> Iterator[str]:
    """What was erased, in words."""
    erased = erase_person(context, email, by, because)
    if not erased.rows:
        yield "Nothing here tells of that address."
    for table, count in erased.rows.items():
        yield f"{table.replace('_', ' '):<16} {count} {'row' if count == 1 else 'rows'}"
    yield f"Noted as erasure {erased.erasure_id}. The ledger holds opaque ids only and stays as it is."
