"""Conditions: questions about an account's fields, as data. No expressions, no regular expressions, no code.

Three-valued: a test on a field that is unknown is neither true nor false, and only true ever matches. `not` of unknown
is unknown as well, so "not in the US" never claims an account whose country nobody knows.
"""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Kind = Literal["text", "number", "flag", "texts", "date"]


@dataclass(frozen=True, slots=True)
class Field:
    """What a condition may ask about; `kind` decides which tests make sense.

    A date cannot be asked itself: the days to it and since it can, as numbers (`days_of`). `called` is what an outside
    system calls the field.
    """

    kind: Kind
    meaning: str
    called: Mapping[str, str] = field(default_factory=dict)


FIELDS: Mapping[str, Field] = {
    "name": Field("text", "the company's name"),
    "domain": Field("text", "its main web domain"),
    "domains": Field("texts", "all its web domains"),
    "country": Field("text", "ISO 3166 code of two letters"),
    "state": Field("text", "state or province, as the CRM spells it"),
    "city": Field("text", "city of the head office"),
    "postcode": Field("text", "postcode of the head office"),
    "industry": Field("text", "industry, as the CRM spells it"),
    "segment": Field("text", "smb, mid_market or enterprise; from the CRM, else from employees"),
    "type": Field("text", "what the CRM calls the account: prospect, customer, partner, …"),
    "employees": Field("number", "number of employees"),
    "mrr_cents": Field("number", "monthly recurring revenue over all live subscriptions, in cents"),
    "active_seats": Field("number", "people who used the product lately"),
    "subscription_status": Field("text", "best status of its subscriptions: active, past_due, canceled, …"),
    "paying": Field("flag", "has a live subscription"),
    "in_crm": Field("flag", "is a record of at least one CRM"),
    "do_not_route": Field("flag", "must not be given to anybody"),
    "has_primary_contact": Field("flag", "a primary contact is known"),
    "subject": Field("text", "account or lead"),
    "lifecycle": Field("text", "lead, opportunity, customer or renewal, as the CRM says"),
    "status": Field("text", "onboarding, active, inactive, at_risk or churned; of a lead what the CRM calls it"),
    "vip": Field("flag", "marked as very important"),
    "consent": Field("flag", "has agreed to be written to"),
    "lead_source": Field("text", "where a lead came from"),
    "title": Field("text", "what a lead does at their company"),
    "has_account": Field("flag", "a lead belongs to an account we know"),
    "open_opportunities": Field("number", "opportunities that are open"),
    "satisfaction": Field("number", "the customer's last rating, as the CRM keeps it"),
    "missed_offers": Field("number", "offers of it that were missed or declined since somebody accepted it"),
    "days_to_renewal": Field("number", "days until its contract renews; negative when that is over"),
    "days_since_activity": Field("number", "days since the last meaningful activity; of a lead its account's"),
    "days_since_purchase": Field("number", "days since it last bought something"),
    "days_since_created": Field("number", "days since the record was made"),
}

DATES: Mapping[str, Field] = {
    "renewal_on": Field("date", "when its contract renews"),
    "activity_on": Field("date", "when there last was a meaningful activity"),
    "purchase_on": Field("date", "when it last bought something"),
    "created_on": Field("date", "when the record was made"),
}
"""What an account holds as ISO dates; conditions ask for the days to them or since them."""

Days = Mapping[str, tuple[str, int]]
DAYS: Days = {
    "days_to_renewal": ("renewal_on", 1),
    "days_since_activity": ("activity_on", -1),
    "days_since_purchase": ("purchase_on", -1),
    "days_since_created": ("created_on", -1),
}
"""Number fields that follow from a date: which one, and 1 for the days to it, -1 for those since."""

OPERATORS: Mapping[str, tuple[Kind, ...]] = {
    "is": ("text", "number", "flag"),
    "in": ("text", "number"),
    "starts_with": ("text",),
    "contains": ("texts",),
    "gt": ("number",),
    "gte": ("number",),
    "lt": ("number",),
    "lte": ("number",),
    "is_missing": ("text", "number", "flag", "texts"),
    "is_present": ("text", "number", "flag", "texts"),
}
MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Test:
    """One question about one field. Text operands are folded already (`fold`); `in` holds a frozenset."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    field: str
    operator: str
    operand: Any

    def __str__(self) -> str:
        return f"{self.field} {self.operator.replace('_', ' ')} {_words(self.operand)}".strip()


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds. With no parts it holds always."""

    parts: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        return " and ".join(_nested(part) for part in self.parts) or "always"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " or ".join(_nested(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold, and is not unknown."""

    part: Condition

    def __str__(self) -> str:
        return f"not {_nested(self.part)}"


Condition = Test | All | AnyOf | Not
ALWAYS = All()


def fold(text: str) -> str:
    """Text as conditions compare it: compatibility forms joined, case removed, outer blanks dropped."""
    if text.isascii():  # most text is, and has no compatibility forms
        return text.lower().strip()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def days_of(custom: Mapping[str, Field]) -> Days:
    """The number fields that follow from dates: the built-in ones, and days_to_… and days_since_… of further dates."""
    dates = [name for name, field in custom.items() if field.kind == "date" and name not in DATES]
    to = {f"days_to_{name.removesuffix('_on')}": (name, 1) for name in dates}
    since = {f"days_since_{name.removesuffix('_on')}": (name, -1) for name in dates}
    return {**DAYS, **to, **since}


def vocabulary(custom: Mapping[str, Field]) -> dict[str, Field]:
    """Every field a condition may ask for, beside those of the product these further ones."""
    days = {name: Field("number", f"days, by {date}") for name, (date, _) in days_of(custom).items()}
    further = {**days, **{name: field for name, field in custom.items() if field.kind != "date"}}
    return {**FIELDS, **{name: field for name, field in further.items() if name not in FIELDS}}


def fold_fields(fields: Mapping[str, Any], today: str | None = None, days: Days = DAYS) -> dict[str, Any]:
    """An account's fields ready for `holds`: fold once, ask often. None and NaN are left out: they mean unknown.

    With `today` (ISO date), the days to and since the account's dates are added.
    """
    folded: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None or value != value:
            continue
        if isinstance(value, str):
            folded[name] = fold(value)
        elif isinstance(value, list | tuple):
            folded[name] = frozenset(fold(str(item)) for item in value)
        else:
            folded[name] = value
    if today is not None:
        for name, (stored, sign) in days.items():
            if (distance := _days_between(today, folded.get(stored))) is not None:
                folded[name] = sign * distance
    return folded


def _days_between(today: str, day: Any) -> int | None:
    """Days from today to an ISO date; None when it is none."""
    if not isinstance(day, str):
        return None
    try:
        return (date.fromisoformat(day[:10]) - date.fromisoformat(today)).days
    except ValueError:
        return None


COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "is": operator.eq,
    "in": lambda value, operands: value in operands,
    "starts_with": str.startswith,
    "contains": operator.contains,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def holds(condition: Condition, fields: Mapping[str, Any]) -> bool | None:
    """True, False, or None when the account does not say. `fields` come from `fold_fields`."""
    match condition:
        case Test():
            return _test(condition, fields)
        case Not():
            inner = holds(condition.part, fields)
            return None if inner is None else not inner
        case All():
            return _all(holds(part, fields) for part in condition.parts)
        case AnyOf():
            some = _all(_negated(holds(part, fields)) for part in condition.parts)
            return _negated(some)


def tests_of(condition: Condition) -> Iterator[Test]:
    """Every question a condition asks."""
    match condition:
        case Test():
            yield condition
        case Not():
            yield from tests_of(condition.part)
        case All() | AnyOf():
            for part in condition.parts:
                yield from tests_of(part)


def _negated(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _all(answers: Any) -> bool | None:
    result: bool | None = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


def _test(test: Test, fields: Mapping[str, Any]) -> bool | None:
    value = fields.get(test.field)
    if test.operator == "is_missing":
        return value is None
    if test.operator == "is_present":
        return value is not None
    if value is None:
        return None
    return bool(COMPARISONS[test.operator](value, test.operand))


def _nested(part: Condition) -> str:
    return f"({part})" if isinstance(part, All | AnyOf) and len(part.parts) > 1 else str(part)


def _words(operand: Any) -> str:
    if isinstance(operand, frozenset):
        return ", ".join(str(item) for item in sorted(operand, key=str))
    return "" if operand is None or operand is True else str(operand)
