"""Which properties each kind of record has, of which type, and what a value must look like to be taken.

HubSpot stores and shows every value as a string or null, whatever its type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from emulators.hubspot.errors import invalid_properties

READ_ONLY = {
    *("createdate", "hs_createdate", "hs_lastmodifieddate", "lastmodifieddate", "hs_object_id"),
    *("hs_merged_object_ids", "hs_email_optout", "hs_unique_creation_key", "hs_is_closed"),
}
EMPLOYEE_BANDS = ("1-5", "5-25", "25-50", "50-100", "100-500", "500-1000", "1000+")
STAGES = (
    *("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead"),
    *("opportunity", "customer", "evangelist", "other"),
)


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """One object type. `names` are its spellings in a path; `types` maps each property to its type, `options` an
    enumeration to what it may hold where that is checked; `modified` is the property every write moves; `unique` the
    one no two live records share; `searched` what a search by words looks at.
    """

    singular: str
    plural: str
    type_id: str
    names: frozenset[str]
    types: dict[str, str]
    always: tuple[str, ...]
    default: tuple[str, ...]
    scope: str
    modified: str = "hs_lastmodifieddate"
    searched: tuple[str, ...] = ()
    unique: str = ""
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)


COMPANY_TYPES = {
    **dict.fromkeys(("name", "domain", "website", "country", "state", "city", "zip", "phone"), "string"),
    **dict.fromkeys(("segment", "primary_contact_email", "salesforceaccountid", "stripe_customer_id"), "string"),
    **dict.fromkeys(("industry", "lifecyclestage"), "enumeration"),
    "do_not_route": "bool",
    "numberofemployees": "number",
    "hubspot_owner_id": "owner",
    "hs_parent_company_id": "number",
    "hs_object_id": "number",
    "hs_merged_object_ids": "string",
    "createdate": "datetime",
    "hs_lastmodifieddate": "datetime",
    "notes_last_updated": "datetime",
}
COMPANIES = ObjectKind(
    singular="company",
    plural="companies",
    type_id="0-2",
    names=frozenset({"companies", "company", "0-2"}),
    types=COMPANY_TYPES,
    always=("createdate", "hs_lastmodifieddate", "hs_object_id"),
    default=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    scope="crm.objects.companies",
    searched=("name", "domain", "phone"),
)
CONTACT_TYPES = {
    **dict.fromkeys(("firstname", "lastname", "company", "website", "phone", "jobtitle"), "string"),
    **dict.fromkeys(("country", "state", "city", "zip", "industry"), "string"),
    "email": "email",
    **dict.fromkeys(("lifecyclestage", "hs_lead_status", "hs_analytics_source", "hs_legal_basis"), "enumeration"),
    "numemployees": "enumeration",
    **dict.fromkeys(("do_not_route", "hs_email_optout"), "bool"),
    "hubspot_owner_id": "owner",
    **dict.fromkeys(("associatedcompanyid", "hs_object_id"), "number"),
    "hs_merged_object_ids": "string",
    **dict.fromkeys(("createdate", "lastmodifieddate", "hs_lastmodifieddate", "notes_last_updated"), "datetime"),
}
# hs_lastmodifieddate is a property of contacts as of everything else, and stays empty: a search by it finds nothing.
CONTACTS = ObjectKind(
    singular="contact",
    plural="contacts",
    type_id="0-1",
    names=frozenset({"contacts", "contact", "0-1"}),
    types=CONTACT_TYPES,
    always=("createdate", "lastmodifieddate", "hs_object_id"),
    default=("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    scope="crm.objects.contacts",
    modified="lastmodifieddate",
    searched=("email", "firstname", "lastname", "company", "phone"),
    unique="email",
    options={"numemployees": EMPLOYEE_BANDS, "lifecyclestage": STAGES},
)
TASK_TYPES = {
    **dict.fromkeys(("hs_task_subject", "hs_task_body", "hs_unique_creation_key"), "string"),
    **dict.fromkeys(("hs_task_status", "hs_task_priority", "hs_task_type"), "enumeration"),
    "hs_timestamp": "datetime",
    "hubspot_owner_id": "owner",
    "hs_object_id": "number",
    "hs_createdate": "datetime",
    "hs_lastmodifieddate": "datetime",
}
# Tasks have no scope of their own; the vendor's page asks for the contacts scopes.
TASKS = ObjectKind(
    singular="task",
    plural="tasks",
    type_id="0-27",
    names=frozenset({"tasks", "task", "0-27"}),
    types=TASK_TYPES,
    always=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
    default=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
    scope="crm.objects.contacts",
    options={
        "hs_task_status": ("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"),
        "hs_task_priority": ("NONE", "LOW", "MEDIUM", "HIGH"),
        "hs_task_type": ("TODO", "CALL", "EMAIL"),
    },
)
DEAL_TYPES = {
    "dealname": "string",
    "amount": "number",
    **dict.fromkeys(("dealstage", "pipeline"), "enumeration"),
    "hs_is_closed": "bool",
    "hubspot_owner_id": "owner",
    "hs_object_id": "number",
    **dict.fromkeys(("closedate", "createdate", "hs_lastmodifieddate"), "datetime"),
}
DEALS = ObjectKind(
    singular="deal",
    plural="deals",
    type_id="0-3",
    names=frozenset({"deals", "deal", "0-3"}),
    types=DEAL_TYPES,
    always=("createdate", "hs_lastmodifieddate", "hs_object_id"),
    default=("amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id"),
    scope="crm.objects.deals",
    searched=("dealname",),
)
KINDS = (COMPANIES, CONTACTS, TASKS, DEALS)
# What HubSpot links by default: (from, to) -> associationTypeId.
DEFAULT_ASSOCIATIONS = {
    ("tasks", "companies"): 192,
    ("companies", "tasks"): 191,
    ("tasks", "contacts"): 204,
    ("contacts", "tasks"): 203,
    ("contacts", "companies"): 279,
    ("companies", "contacts"): 280,
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
}


def find_kind(name: str) -> ObjectKind | None:
    return next((kind for kind in KINDS if name.lower() in kind.names), None)


def instant(moment: datetime) -> str:
    """The notation of `updatedAt` and of every datetime property: 2026-11-20T09:00:00.000Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


# A search compares the same few instants with every record, and parsing them would be most of its time.
@lru_cache(maxsize=300_000)
def to_epoch_ms(text: str) -> int | None:
    """A datetime value as epoch milliseconds; HubSpot takes both that and ISO 8601. None when it is neither."""
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def clean(kind: ObjectKind, values: dict[str, Any], owner_ids: frozenset[str]) -> dict[str, str | None]:
    """`values` as HubSpot would store them. `owner_ids` are the owners who may be given a record.

    Raises `HubSpotError` 400 naming every bad property: unknown, read-only, of the wrong type, or no such owner.
    """
    problems: list[dict[str, str]] = []
    stored: dict[str, str | None] = {}
    for name, value in values.items():
        text = _as_text(value)
        problem = _problem(kind, name, text, owner_ids)
        if problem:
            problems.append({"message": problem[1], "error": problem[0], "name": name})
        stored[name] = _normal(kind.types.get(name, "string"), text)
    if problems:
        raise invalid_properties(problems)
    return stored


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _normal(kind: str, text: str) -> str | None:
    if text == "":
        return None
    if kind == "datetime":
        epoch_ms = to_epoch_ms(text)
        return text if epoch_ms is None else instant(datetime.fromtimestamp(epoch_ms / 1000, UTC))
    return text


def _problem(kind: ObjectKind, name: str, text: str, owner_ids: frozenset[str]) -> tuple[str, str] | None:
    expected = kind.types.get(name)
    if expected is None:
        return "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'
    if name in READ_ONLY:
        return "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'
    if text == "":
        return None
    options = kind.options.get(name)
    if options and text not in options:
        return "INVALID_OPTION", f"{text} was not one of the allowed options: [{', '.join(options)}]"
    return _type_problem(expected, text, owner_ids)


def _type_problem(expected: str, text: str, owner_ids: frozenset[str]) -> tuple[str, str] | None:
    if expected == "owner" and text not in owner_ids:
        return "INVALID_OWNER_ID", f"{text} was not a valid owner id."
    if expected == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        return "INVALID_EMAIL", f"Email address {text} is invalid"
    if expected == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return "INVALID_NUMBER", f"{text} was not a valid number."
    if expected == "bool" and text not in ("true", "false"):
        return "INVALID_OPTION", f"{text} was not one of the allowed options: [true, false]"
    if expected == "datetime" and to_epoch_ms(text) is None:
        return "INVALID_DATE", f"{text} was not a valid date."
    return None
