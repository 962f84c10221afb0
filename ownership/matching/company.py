"""What matching compares: a company as one record tells of it, and the same brought to one spelling.

How it is brought there is `ownership.matching.normal`; which records are the same company is decided further up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

AREA = 5
"""So many characters of a postcode tell the area: a ZIP code without its last four digits."""


@dataclass(frozen=True, slots=True)
class Company:
    """One record's words about a company: an account, or the company a lead says to be from.

    Text is as the record has it; missing is None. `websites` and `emails` may be several. `aliases` are further names
    (former ones, brands). `ids` are identifiers given by others that name one company each, by who gave them:
    {"lei": …, "duns": …, "stripe": …}. `parent_id` is the id of the record above it. The last three say which of
    several records of one company is preferred: a customer, one with open opportunities, the latest activity (an ISO
    date).
    """

    id: str
    name: str | None = None
    websites: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    country: str | None = None
    state: str | None = None
    city: str | None = None
    street: str | None = None
    postcode: str | None = None
    phone: str | None = None
    industry: str | None = None
    aliases: tuple[str, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)
    parent_id: str | None = None
    customer: bool = False
    open_opportunities: int = 0
    activity_on: str | None = None


@dataclass(frozen=True, slots=True)
class Normal:
    """A company brought to one spelling, so that equal things are equal text. Missing is None or empty.

    `words` are the name's words without its legal form, folded to lower-case ASCII ("Müller & Söhne GmbH" →
    ("muller", "sohne")); `legal` is the legal form's class and its short spelling ("Limited: gmbh"), `slug` the words
    run together. `alias_words` holds
    the words of each alias. `domains` are registrable domains, the website's first, without free mail, disposable mail
    and shared hosts. `phone` is E.164, `country` ISO 3166 of two letters; the other places are folded text.
    """

    id: str
    words: tuple[str, ...] = ()
    legal: str | None = None
    slug: str = ""
    alias_words: tuple[tuple[str, ...], ...] = ()
    domains: tuple[str, ...] = ()
    phone: str | None = None
    country: str | None = None
    state: str | None = None
    city: str | None = None
    street: str | None = None
    postcode: str | None = None
    industry: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    parent_id: str | None = None

    @property
    def area(self) -> str | None:
        """What of the postcode tells the area."""
        return self.postcode[:AREA] if self.postcode else None
