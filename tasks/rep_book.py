"""A rep's book for its page: offers that wait, how full it is, whose turn comes when, and the accounts by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ownership.acceptance import NotYours
from ownership.case import State
from ownership.day import Day
from ownership.model import ACCOUNT, LEAD, Account, Period, Rep
from ownership.turn_queue import Standing
from store.books import BookEntry
from store.offers import Offer
from tasks.acceptance import Answered, NoSuchOffer, accept_offer
from tasks.context import RunContext
from tasks.state import load_state
from tasks.unaccepted import waiting_in_queue

PAGE = 50


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a rep stands in a pool: `next_in` 1 is the next one, None is who gets none now, because of `gate`. `rule`
    is the one it counts for, in a pool that remembers turns by rule."""

    pool: str
    rule: str
    next_in: int | None
    turns_ahead: float
    gate: str | None
    takes_turns: bool


@dataclass(frozen=True, slots=True)
class RepBook:
    """`capacity` None is without limit; what they are asked to take over counts in `promised`. By the offers `in_queue`
    they can still take what nobody accepted. `more` is where the next page begins, None at the last one."""

    rep: Rep
    offers: Sequence[Offer]
    in_queue: Sequence[Offer]
    offered: Mapping[str, Account]
    accounts: int
    leads: int
    promised: int
    capacity: int | None
    leave: Sequence[Period]
    turns: Sequence[Turn]
    page: Sequence[BookEntry]
    more: tuple[str, str] | None


def read_book(context: RunContext, rep: Rep, after: tuple[str, str] | None = None) -> RepBook:
    """The book of somebody on the roster. Takes no turn and writes nothing."""
    day = Day.of(context.policy.policy, context.policy.roster, context.now())
    with context.store.transaction(readonly=True) as uow:
        offers, in_queue = uow.offers.of_owner(rep.id), waiting_in_queue(uow, rep.id)
        sizes = uow.books.sizes(rep.id)
        page = uow.books.page(rep.id, after, PAGE + 1)
        state = load_state(uow, day, [], lock=False)
        offered = uow.accounts.get_many({offer.account_id for offer in (*offers, *in_queue)})
    last = page[PAGE - 1] if len(page) > PAGE else None
    return RepBook(
        rep,
        [offer for offer in offers if offer.account_id in offered],
        [offer for offer in in_queue if offer.account_id in offered],
        offered,
        *(sizes.get(ACCOUNT, 0), sizes.get(LEAD, 0), state.load.get(rep.id, 0)),
        rep.capacity_on(day.date),
        [period for period in rep.leave if not period.until or period.until >= day.date],
        list(_turns(state, day, rep)),
        page[:PAGE],
        (last.name, last.account_id) if last else None,
    )


def _turns(state: State, day: Day, rep: Rep) -> Iterator[Turn]:
    for pool_id, pool in sorted(day.index.pools.items()):
        if rep.id not in pool.members:
            continue
        rota = state.rota(pool_id, day)
        gate = rota.gates()[rep.id]
        rules = ("",) if pool.memory == "pool" else day.index.users_of.get(pool_id, ())
        for rule in rules:
            mine = next((each for each in rota.standing(rule) if each.rep == rep.id), None)
            if mine is not None:
                yield _turn(pool_id, rule, mine, gate, pool.strategy == "turns")


def _turn(pool_id: str, rule: str, mine: Standing, gate: str | None, takes_turns: bool) -> Turn:
    return Turn(pool_id, rule, mine.next_in, mine.turns_ahead, gate, takes_turns)


def accept_offers(context: RunContext, offer_ids: Sequence[str], by: str) -> list[Answered]:
    """Accept each of these offers for `by`, each on its own: one that cannot be keeps no other back."""
    return [_accept(context, offer_id, by) for offer_id in dict.fromkeys(offer_ids)]


def _accept(context: RunContext, offer_id: str, by: str) -> Answered:
    try:
        return accept_offer(context, offer_id, by)
    except (NotYours, NoSuchOffer) as error:
        return Answered("refused", str(error))
