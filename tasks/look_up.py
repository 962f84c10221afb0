"""Who owns this? What people type, and the accounts, leads and reps they may mean. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unicodedata import category

from ownership.conditions import fold
from ownership.linking.keys import address_key
from ownership.model import Account, Outcome, Rep
from ownership.names import registrable_domain
from ownership.policy import Roster
from store.ledger import CurrentOwner
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext

LONGEST = 200  # characters of what is typed; nothing is found by more
AT_ONCE = 20
REPS_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class Hit:
    """One account or lead with its owner of record. `reason` is why they own it, "" when nobody does; then `waits`
    says whether a person has to place it. `parent` is the account it is part of."""

    account: Account
    owner: CurrentOwner | None
    reason: str
    waits: bool
    team: Mapping[str, str]
    parent: Account | None


@dataclass(frozen=True, slots=True)
class Found:
    """What was looked up for `said`. `domain`: nothing has these words, and the hits are those of their web domain."""

    said: str
    hits: Sequence[Hit] = ()
    reps: Sequence[Rep] = ()
    domain: str = ""


def look_up(context: RunContext, typed: str) -> Found:
    """Everything that may be meant by what somebody typed, best first."""
    said = as_typed(typed)
    if not said:
        return Found("")
    with context.store.transaction(readonly=True) as uow:
        accounts, domain = find_accounts(uow, said, AT_ONCE), ""
        if not accounts and (domain := _domain_in(said)):
            accounts = uow.accounts.find(domain, AT_ONCE)
        hits = _with_owners(uow, accounts)
    return Found(said, hits, _reps(context.policy.roster, said), domain if hits else "")


def as_typed(text: str) -> str:
    """What can be looked up of a text: its beginning, with a blank for every control character."""
    seen = (" " if category(each) in ("Cc", "Cs") else each for each in text[: 2 * LONGEST])
    return " ".join("".join(seen).split())[:LONGEST].strip()


def find_accounts(uow: UnitOfWork, said: str, limit: int) -> list[Account]:
    """Live accounts and leads by an id they have or had, a person's e-mail address, a name or a web domain."""
    if not said:
        return []
    before = uow.identity.now_ids([said]).get(said)
    ids = {*([before] if before else []), *uow.identity.accounts_of(said), *_with_address(uow, said)}
    found = [*uow.accounts.live(ids), *uow.accounts.find(said, limit)]
    return list({each.id: each for each in found}.values())[:limit]


def _with_address(uow: UnitOfWork, said: str) -> set[str]:
    """The leads of the person with this e-mail address."""
    if "@" not in said:
        return set()
    return uow.accounts.of_places((each.row.source, each.place) for each in uow.keys.holders([address_key(said)]))


def _domain_in(said: str) -> str:
    """The web domain of an address of a page or mailbox; free mail is nobody's."""
    domain = registrable_domain(said) or ""
    return domain if domain != said.casefold() else ""


def _with_owners(uow: UnitOfWork, accounts: Sequence[Account]) -> list[Hit]:
    ids = [each.id for each in accounts]
    owners, teams, last = uow.ledger.current(ids), uow.ledger.teams(ids), uow.decisions.latest(ids)
    reasons = uow.ledger.reasons(owner.ledger_id for owner in owners.values())
    parents = uow.accounts.get_many({each.parent_id for each in accounts if each.parent_id})
    hits = []
    for each in accounts:
        owner, decided = owners.get(each.id), last.get(each.id)
        hits.append(
            Hit(
                account=each,
                owner=owner,
                reason=reasons.get(owner.ledger_id, "") if owner else "",
                waits=owner is None and decided is not None and decided.outcome == Outcome.EXCEPTION.value,
                team=teams.get(each.id, {}),
                parent=parents.get(each.parent_id or ""),
            )
        )
    return hits


def _reps(roster: Roster, said: str) -> list[Rep]:
    """Who on the roster has this id or address, or names that begin with these words."""
    wanted = fold(said)
    words = wanted.split()

    def is_meant(rep: Rep) -> bool:
        names = fold(rep.name).split()
        return wanted in (rep.id, rep.email.casefold()) or all(
            any(name.startswith(word) for name in names) for word in words
        )

    return sorted(filter(is_meant, roster.reps.values()), key=lambda rep: (rep.name, rep.id))[:REPS_AT_ONCE]
