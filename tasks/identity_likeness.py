"""Comparing: records that share no key are held against all accounts, and what comes of it is kept until they change.

Accounts are compared in the runs that link everything, so many at a time; leads also when they arrive. Nearly certain
pairs over two systems become one account; what may be one goes to a person, and so does any pair within one system.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cached_property

from ownership.leads import Compared, people_of
from ownership.matching.apart import why_apart
from ownership.matching.company import Company, Normal
from ownership.matching.matcher import Match, Matcher, Outcome
from ownership.matching.normal import NORM_VERSION, normalise
from ownership.model import Account, LeadRecord, Ref
from ownership.verdicts import Verdicts
from store.canonical import digest
from store.likenesses import MATCH, NONE, REVIEW, Likeness
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.match_files import matcher_of, shipped_model

MOST_COMPARED = 20_000
"""Of accounts that were never compared no more than these are in one run; the next runs go on."""
OUTCOMES = {Outcome.MATCH: MATCH, Outcome.REVIEW: REVIEW, Outcome.NONE: NONE}


class Comparing:
    """All accounts, ready to be compared with: made when the first is asked for, as that takes seconds for many."""

    def __init__(self, context: RunContext, uow: UnitOfWork, everyone: Callable[[], Sequence[Account]]) -> None:
        self._context, self._uow, self._everyone = context, uow, everyone

    @cached_property
    def _accounts(self) -> dict[str, Account]:
        return {account.id: account for account in self._everyone()}

    @cached_property
    def _matcher(self) -> Matcher:
        return matcher_of([to_company(account) for account in self._accounts.values()], shipped_model())

    def compare_accounts(self, known: Mapping[Ref, Likeness], verdicts: Verdicts) -> list[Likeness]:
        """The accounts that say something else than when they were compared last."""
        wanted = []
        for account in self._accounts.values():
            company = to_company(account)
            if company.name and (told := _hash(company)) != _compared(known.get(self._first(account))):
                wanted.append((account, company, told))
        found = []
        some = sorted(wanted, key=lambda each: each[0].id)[:MOST_COMPARED]
        matches = self._match([company for _, company, _ in some], are_accounts=True)
        for (account, company, told), match in zip(some, matches, strict=True):
            other = self._accounts.get(match.account_id or "")
            outcome = self._outcome(account, company, other, match, verdicts)
            there = self._first(other) if other else None
            found.append(_likeness(self._first(account), told, outcome, there, match))
        self._uow.likenesses.put(found, self._context.now())
        return found

    def _first(self, account: Account) -> Ref:
        """The record an account is compared as: one that founds it, as the others may leave it."""
        followers = self._context.connectors.followers
        return next((ref for ref in account.refs if ref.source not in followers), account.refs[0])

    def compare_leads(
        self, records: Sequence[LeadRecord], known: Mapping[Ref, Likeness], here: Container[Ref], anew: bool
    ) -> tuple[list[Likeness], list[Account]]:
        """Leads that name a company, and the accounts that were found. Left out are leads that say what they said when
        they were compared last, if their account is sure and still among those `here`, or if nothing changed since
        (`anew` False)."""
        wanted = []
        for refs, same in people_of(records).items():
            company, before = lead_company(refs[0], same), known.get(refs[0])
            if company is None:
                continue
            sure = before is not None and before.outcome == MATCH and before.other in here
            if not ((sure or not anew) and _compared(before) == _hash(company)):
                wanted.append((refs[0], company))
        matches = self._match([company for _, company in wanted])
        found = [
            _likeness(ref, _hash(company), OUTCOMES[match.outcome], self._found(match), match)
            for (ref, company), match in zip(wanted, matches, strict=True)
        ]
        self._uow.likenesses.put(found, self._context.now())
        return found, [self._accounts[match.account_id] for match in matches if match.account_id]

    def _found(self, match: Match) -> Ref | None:
        account = self._accounts.get(match.account_id or "")
        return self._first(account) if account else None

    def _match(self, companies: Sequence[Company], *, are_accounts: bool = False) -> list[Match]:
        if not companies or not self._accounts:
            return [Match(company.id, Outcome.NONE) for company in companies]
        normal = [normalise(company) for company in companies]
        return self._matcher.match_all(normal, are_accounts=are_accounts)

    def _outcome(
        self, account: Account, company: Company, other: Account | None, match: Match, verdicts: Verdicts
    ) -> str:
        """What comparing two accounts comes to: a family is no doubt, and one system may list a company twice on
        purpose."""
        if other is None or _are_family(account, other) or verdicts.are_apart(account.refs, other.refs):
            return NONE
        one, two = normalise(company), normalise(to_company(other))
        if why_apart(one, two) or set(one.domains) & set(two.domains) or _numbers(one) != _numbers(two):
            return NONE  # what shares a domain was looked at for that already
        if match.outcome is Outcome.MATCH and {ref.source for ref in account.refs} & {ref.source for ref in other.refs}:
            return REVIEW
        return OUTCOMES[match.outcome]


def to_company(account: Account) -> Company:
    """What an account says of its company."""
    fields = account.fields
    return Company(
        id=account.id,
        name=fields.get("name"),
        websites=tuple(fields.get("domains") or ()),
        country=fields.get("country"),
        state=fields.get("state"),
        city=fields.get("city"),
        postcode=fields.get("postcode"),
        industry=fields.get("industry"),
        parent_id=account.parent_id,
        customer=bool(fields.get("paying")) or str(fields.get("lifecycle", "")).casefold() == "customer",
        open_opportunities=int(fields.get("open_opportunities") or 0),
        activity_on=fields.get("activity_on"),
    )


def lead_company(ref: Ref, same: Sequence[LeadRecord]) -> Company | None:
    """What a person says of the company they are from; None when they name none, or their CRM names their account."""
    if not any(each.company for each in same) or any(each.account_external_id for each in same):
        return None

    def first(field: str) -> str | None:
        return next((value for each in same if (value := getattr(each, field)) is not None), None)

    return Company(
        id=f"{ref.source}/{ref.object_type}/{ref.external_id}",
        name=first("company"),
        websites=tuple(each.website for each in same if each.website),
        emails=tuple(each.email for each in same if each.email),
        country=first("country"),
        state=first("state"),
        city=first("city"),
        postcode=first("postcode"),
        phone=first("phone"),
        industry=first("industry"),
    )


def compared_leads(likenesses: Iterable[Likeness]) -> dict[Ref, Compared]:
    """What came of comparing, as linking leads asks for it."""
    return {each.ref: Compared(each.other, each.outcome == MATCH) for each in likenesses}


def _likeness(ref: Ref, told: str, outcome: str, other: Ref | None, match: Match) -> Likeness:
    if other is None or outcome == NONE:
        return Likeness(ref, told, NONE)
    because = (match.because, *match.evidence[:4])
    return Likeness(ref, told, outcome, other, match.score, because)


def _hash(company: Company) -> str:
    """What is compared of a company, told in short."""
    return digest([NORM_VERSION, *(getattr(company, name) for name in _SAID)])


_SAID = ("name", "websites", "emails", "country", "state", "city", "postcode", "phone", "industry")


def _compared(likeness: Likeness | None) -> str:
    return likeness.compared_hash if likeness else ""


def _numbers(company: Normal) -> list[str]:
    """The numbers in its name: Fund 2 is not Fund 3."""
    return [word for word in company.words if any(char.isdigit() for char in word)]


def _are_family(one: Account, other: Account) -> bool:
    return (
        one.parent_id == other.id
        or other.parent_id == one.id
        or (one.parent_id is not None and one.parent_id == other.parent_id)
    )
