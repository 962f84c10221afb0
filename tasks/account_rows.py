"""Rows to accounts: what the cells of one row say. Files are `tasks/account_files.py`, deciding `tasks/headless.py`.

`tasks/bulk/fields.py` makes of whole columns what is made here of one row; the tests hold the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from ownership.conditions import DATES, FIELDS, Field
from ownership.linking import LIVE_STATUSES, segment_of
from ownership.model import ACCOUNT, LEAD, Account, Ref
from ownership.names import FREE_MAIL, SHARED_HOSTS, country_code, registrable_domain
from tasks.account_files import OVERFLOW, REQUIRED, Row

FLAG_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
FLAGS_UNSAID = {"do_not_route": False, "has_primary_contact": False, "in_crm": True}
"""What matching says of a CRM record that does not mention them: these flags are never unknown."""
NUMBER = re.compile(r"(\d{1,15})(\.0+)?", re.ASCII)  # other tools write whole numbers as 1200.0 once a cell is empty
DOMAIN_CELLS = ("domain", "domains", "website", "email")
SHOWN = 80  # characters of a cell that a sentence quotes

V = TypeVar("V")
NO_FIELDS: Mapping[str, Field] = {}


class BadRecord(ValueError):
    """A row that cannot be read. The message names the column and the value."""


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
        raise BadRecord(f"the row has a cell too many, {quoted(row[OVERFLOW])}; put quotes around text with commas")
    _date(row, "owned_since")


def _fields(row: Row, custom: Mapping[str, Field]) -> dict[str, Any]:
    domains = domains_of(row)
    known = {**FIELDS, **DATES, **custom}
    fields: dict[str, Any] = {name: row.get(name) for name, field in known.items() if field.kind == "text"}
    fields |= {name: _number(row, name) for name, field in known.items() if field.kind == "number"}
    fields |= {name: _date(row, name) for name, field in known.items() if field.kind == "date"}
    fields |= {name: row[name].split(";") for name, field in custom.items() if field.kind == "texts" and name in row}
    unsaid = {**FLAGS_UNSAID, "paying": is_live(row.get("subscription_status"))}
    fields |= {name: _flag(row, name, unsaid.get(name)) for name, field in known.items() if field.kind == "flag"}
    fields |= {
        "domain": domains[0] if domains else None,
        "domains": domains or None,
        "country": country_code(row.get("country")),
        "segment": segment_of(row.get("segment"), fields["employees"]),
        "subject": ACCOUNT,
    }
    return {name: value for name, value in fields.items() if value is not None}


def domains_of(row: Row) -> list[str]:
    """The main domain first, then the others in the order they are written, then website's and e-mail's."""
    written = [row.get("domain", ""), *row.get("domains", "").split(";")]
    words = [word for text in written if (word := text.strip().casefold())]
    found = (registrable_domain(row.get("website")), registrable_domain(row.get("email")))
    return list(dict.fromkeys(domain for domain in (*map(_domain, words), *found) if domain))


def _domain(word: str) -> str | None:
    """What a file calls a domain is one even under an ending nobody registers ("acme.internal")."""
    return registrable_domain(word) or (None if word in FREE_MAIL or word in SHARED_HOSTS else word)


def is_live(subscription_status: str | None) -> bool:
    """Whether this is the status of a customer who pays."""
    return (subscription_status or "").casefold() in LIVE_STATUSES


# --- cells ---


def day_of(cell: str) -> str | None:
    """The day a cell names, as an ISO date; None when it names none."""
    try:
        return date.fromisoformat(cell[:10]).isoformat()
    except ValueError:
        return None


def flag_of(cell: str) -> bool | None:
    """What a cell says, yes or no; None when it says neither."""
    return FLAG_WORDS.get(cell.casefold())


def number_of(cell: str) -> int | None:
    """The whole number a cell writes; None when it writes none."""
    found = NUMBER.fullmatch(cell)
    return int(found[1]) if found else None


def _number(row: Row, column: str) -> int | None:
    return _read(row, column, number_of, "is no whole number; write digits only")


def _date(row: Row, column: str) -> str | None:
    return _read(row, column, day_of, "is no date; write it as 2026-12-31")


def _flag(row: Row, column: str, unsaid: bool | None) -> bool | None:
    return _read(row, column, flag_of, "is neither yes nor no; write true or false") if column in row else unsaid


def _read(row: Row, column: str, value_of: Callable[[str], V | None], wrong: str) -> V | None:
    """What a cell says, None when it is empty. Raises `BadRecord` when that is nothing of its kind."""
    if column not in row:
        return None
    value = value_of(row[column])
    if value is None:
        raise BadRecord(f"{column} is {quoted(row[column])}, which {wrong}")
    return value


def quoted(text: str) -> str:
    """A cell as a sentence shows it."""
    return f"'{text[:SHOWN]}…'" if len(text) > SHOWN else f"'{text}'"
