"""A made-up market for measuring matching at any size: accounts, leads, and which lead belongs to which company.

Names are put together from the words of real companies; what goes wrong with them (typos, abbreviations, other legal
forms, other domains, free mail) is this module's own idea. It is good for speed and for comparing methods, and says
nothing about how well matching does on anybody's real data.
"""

from __future__ import annotations

import csv
import gzip
import pickle
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ownership.matching.company import Company
from ownership.matching.normal import name_words

WORLD = Path(__file__).parent.parent / "emulators" / "world" / "companies.csv.gz"
FREE_MAIL = ("gmail.com", "outlook.com", "yahoo.com", "gmx.de", "qq.com", "hotmail.com")
LEGAL = ("Inc.", "Inc", "LLC", "Corp.", "Ltd", "Limited", "GmbH", "AG", "S.A.", "B.V.", "PLC", "Co.", "")
TLDS = ("com", "io", "net", "co", "de", "co.uk", "fr", "org")
SHORT = {
    "international": "Intl",
    "technologies": "Tech",
    "technology": "Tech",
    "manufacturing": "Mfg",
    "management": "Mgmt",
    "services": "Svcs",
    "holdings": "Hldgs",
    "systems": "Sys",
    "industries": "Ind",
    "pharmaceuticals": "Pharma",
    "financial": "Fin",
    "university": "Univ",
}
JUNK_DOMAINS = ("facebook.com", "linktr.ee", "business.site")


@dataclass(frozen=True)
class Place:
    country: str
    state: str
    city: str
    postcode: str


@dataclass
class Market:
    """`company_of` says which company an account is; `gold` which company a lead is from, None when it has no account.
    `free_mail` are the leads that write from a free mailbox."""

    accounts: list[Company] = field(default_factory=list)
    leads: list[Company] = field(default_factory=list)
    company_of: dict[str, int] = field(default_factory=dict)
    gold: dict[str, int | None] = field(default_factory=dict)
    free_mail: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Words:
    """The parts real names are made of."""

    heads: Sequence[str]
    tails: Sequence[str]
    places: Sequence[Place]


def words_of(path: Path = WORLD) -> Words:
    """The words and places of the companies in a CSV with the columns name, country, state, city and postcode."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    split = [row["name"].split(maxsplit=1) for row in rows if row["name"].isascii() and len(row["name"]) < 60]
    places = [Place(*(row.get(name, "") for name in ("country", "state", "city", "postcode"))) for row in rows]
    return Words(
        sorted({parts[0] for parts in split if len(parts[0]) > 3}),
        sorted({" ".join(name_words(parts[1])[0]).title() for parts in split if len(parts) > 1}),
        places,
    )


def make_market(accounts: int, leads: int, seed: int = 1, words: Words | None = None) -> Market:
    """So many accounts and leads; 6 % of the companies have two accounts, 3 % of them are families over two countries,
    2 % use the domain of who bought them, and 30 % of the leads are from companies that have no account."""
    return _Maker(random.Random(seed), words or words_of()).make(accounts, leads)


class _Maker:
    def __init__(self, chance: random.Random, words: Words) -> None:
        self.chance = chance
        self.words = words
        self.market = Market()
        self.companies: list[Company] = []
        self.taken: set[str] = set()

    def make(self, accounts: int, leads: int) -> Market:
        while len(self.market.accounts) < accounts:
            company = self._company(len(self.companies))
            self.companies.append(company)
            self._add_account(company)
            kind = self.chance.random()
            if kind < 0.06:
                self._add_account(self._noisy(company))
            elif kind < 0.09:
                self._add_sibling(company)
        for number in range(leads):
            self._add_lead(number)
        return self.market

    def _company(self, number: int) -> Company:
        chance = self.chance
        made = "".join(chance.choices("bcdfghklmnprstvz", k=1)) + chance.choice(self.words.heads)[1:]
        head = chance.choice(self.words.heads) if chance.random() < 0.6 else made.title()
        tail = chance.choice(self.words.tails) if self.words.tails else ""
        more = chance.choice(self.words.tails).partition(" ")[0] if chance.random() < 0.5 else ""
        name = " ".join(part for part in (head, tail, more, chance.choice(LEGAL)) if part)
        domain = self._free_domain(name, number)
        if chance.random() < 0.02 and self.companies:
            domain = chance.choice(self.companies).websites[0]
        elif chance.random() < 0.004:
            domain = chance.choice(JUNK_DOMAINS)
        place = chance.choice(self.words.places)
        phone = f"+1{chance.randrange(2 * 10**9, 10**10)}" if chance.random() < 0.998 else "000-0000000"
        return Company(
            str(number), name, (domain,), (), place.country, place.state, place.city, None, place.postcode, phone
        )

    def _free_domain(self, name: str, number: int) -> str:
        """A domain nobody has: two companies never have the same one by chance, and seldom one but for the ending."""
        words = name_words(name)[0]
        for count in (self.chance.choice((1, 2)), 3, 5):
            label = "".join(words[:count])[:30]
            if label not in self.taken:
                break
        else:
            label = f"{label}{number}"
        self.taken.add(label)
        return f"{label}.{self.chance.choice(TLDS)}"

    def _add_sibling(self, company: Company) -> None:
        """The same name in another country, with an ending of its own: another company of one family."""
        place, label = self.chance.choice(self.words.places), company.websites[0].partition(".")[0]
        sibling = replace(
            company,
            id=str(len(self.companies)),
            websites=(f"{label}.{self.chance.choice(TLDS)}",),
            **{"country": place.country, "state": place.state, "city": place.city, "postcode": place.postcode},
            phone=None,
        )
        self.companies.append(sibling)
        self._add_account(sibling)

    def _add_account(self, company: Company) -> None:
        id_ = f"a{len(self.market.accounts):07d}"
        self.market.company_of[id_] = int(company.id)
        kept = self._forgetful(company, 0.85)
        self.market.accounts.append(replace(kept, id=id_))

    def _add_lead(self, number: int) -> None:
        chance, id_ = self.chance, f"l{number:07d}"
        known = chance.random() < 0.7
        company = chance.choice(self.companies) if known else self._company(len(self.companies) + number)
        self.market.gold[id_] = int(company.id) if known else None
        lead = self._forgetful(self._noisy(company), 0.5)
        lead = replace(lead, id=id_, websites=(), emails=self._mail(company))
        if lead.emails and lead.emails[0].partition("@")[2] in FREE_MAIL:
            self.market.free_mail.add(id_)
        if lead.emails and id_ not in self.market.free_mail and chance.random() < 0.1:
            lead = replace(lead, name=None)
        self.market.leads.append(lead)

    def _mail(self, company: Company) -> tuple[str, ...]:
        chance, domain = self.chance, company.websites[0]
        kind = chance.random()
        if kind < 0.10:
            return ()
        if kind < 0.35:
            return (f"jo@{chance.choice(FREE_MAIL)}",)
        if kind < 0.41:
            return (f"jo@mail.{domain}",)
        if kind < 0.47:
            return (f"jo@{domain.partition('.')[0]}.{chance.choice(TLDS)}",)
        return (f"jo@{domain}",)

    def _forgetful(self, company: Company, kept: float) -> Company:
        drop = {name: None for name in ("country", "state", "city", "postcode", "phone") if self.chance.random() > kept}
        websites = company.websites if self.chance.random() < max(kept, 0.9) else ()
        return replace(company, websites=websites, **drop)

    def _noisy(self, company: Company) -> Company:
        """The same company as another person writes it."""
        return replace(company, name=noisy_name(company.name or "", self.chance))


def noisy_name(name: str, chance: random.Random) -> str:
    """The name as somebody else may write it."""
    words, _ = name_words(name)
    core = [word.title() for word in words]
    kind = chance.random()
    if kind < 0.30:
        return name
    if kind < 0.55:
        return " ".join([*core, chance.choice(LEGAL)]).strip()
    if kind < 0.72:
        return _typo(" ".join(core), chance)
    if kind < 0.82:
        return " ".join(SHORT.get(word.lower(), word[:4] if len(word) > 8 else word) for word in core)
    if kind < 0.90:
        return " ".join(core)[: max(6, chance.randrange(8, 22))].strip()
    if kind < 0.95:
        return " ".join(core[:2]) if len(core) > 2 else " ".join(core)
    if kind < 0.98 and len(core) >= 3:
        return "".join(word[0] for word in core)
    return " ".join(reversed(core))


def _typo(text: str, chance: random.Random) -> str:
    at = chance.randrange(1, max(2, len(text) - 1))
    return {
        0: text[:at] + text[at + 1 :],
        1: text[:at] + text[at - 1] + text[at:],
        2: text[: at - 1] + text[at : at + 1] + text[at - 1] + text[at + 1 :],
    }[chance.randrange(3)]


def write_market(market: Market, folder: Path) -> None:
    """Write the accounts one after the other, and the rest as one."""
    with (folder / "accounts").open("wb") as file:
        for account in market.accounts:
            pickle.dump(account, file)
    with (folder / "leads").open("wb") as file:
        pickle.dump(replace(market, accounts=[]), file)


def read_accounts(folder: Path) -> Iterator[Company]:
    """The accounts of a market that was written, none held for longer than it takes to ask for the next."""
    with (folder / "accounts").open("rb") as file:
        while file.peek(1):
            yield pickle.load(file)


def read_leads(folder: Path) -> Market:
    """A market that was written, without its accounts."""
    with (folder / "leads").open("rb") as file:
        market: Market = pickle.load(file)
    return market
