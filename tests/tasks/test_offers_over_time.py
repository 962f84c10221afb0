"""Offers over time against a small model of what must become of them: whatever people do, in whatever order.

The model knows no turns of a pool but how many each rep has had, and no SQL; who is asked next it takes from what was
done, and says who it may be. Rules that are wrong by one thing each must be found out, or the machine proves nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from config.policy_files import LoadedPolicy, load_policy
from ownership.acceptance import NotYours
from ownership.entries import Acceptance
from ownership.model import Account, Ref
from ownership.policy import Roster
from store.offers import Offer, Offers
from tasks import acceptance, next_asked
from tasks.acceptance import Answered, accept_offer, decline_offer, escalate_due, remind_owners
from tasks.assignment import decide_at_once
from tasks.rehearsal import rehearse
from tasks.unaccepted import take_unaccepted

pytestmark = pytest.mark.slow

POOL, MANAGER, STRANGER, DESK = ("ann", "bob", "cid"), "mia", "sue", "desk"
REMIND_HOURS = 5
IN_LINE = ("next_in_line", "next_in_line")
CHAINS = ((*IN_LINE, "manager", "queue"), (*IN_LINE, "manager"), (*IN_LINE, "queue"))
EDITS = {
    "hours": st.sampled_from([7, 24]),
    "chain": st.sampled_from(CHAINS),
    "declines": st.booleans(),
    "misses": st.booleans(),
}
QUICK = settings(
    max_examples=8,
    stateful_step_count=14,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
LONG = settings(QUICK, max_examples=300, stateful_step_count=40)


@cache
def loaded() -> LoadedPolicy:
    people: dict[str, dict[str, str]] = {id_: {"manager": MANAGER} for id_ in POOL} | {MANAGER: {}, STRANGER: {}}
    reps = [
        {"id": id_, "name": id_.title(), "email": f"{id_}@team.example", "role": "ae", "team": "sales", **more}
        for id_, more in people.items()
    ]
    policy = {
        "apiVersion": "steward/v1",
        "kind": "Policy",
        "name": "Offers",
        "pools": [{"id": "sales", "members": [{"rep": rep} for rep in POOL]}],
        "territories": [{"id": "us", "when": {"country": "US"}, "pool": "sales"}],
        "acceptance": {"hours": 24, "remind_hours": REMIND_HOURS},
    }
    with TemporaryDirectory() as folder:
        (Path(folder) / "policy.yaml").write_text(json.dumps(policy))
        queues = [{"id": DESK, "name": "Desk", "email": "desk@team.example"}]
        roster = {"apiVersion": "steward/v1", "kind": "Roster", "reps": reps, "queues": queues}
        (Path(folder) / "roster.yaml").write_text(json.dumps(roster))
        return load_policy(Path(folder))


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Asked:
    """An offer as the model knows it."""

    offer_id: str
    account_id: str
    owner: str
    level: int
    due_by: datetime
    remind_at: datetime
    was_a_turn: bool
    state: str = "offered"
    reminded: bool = False


@dataclass
class Firm:
    """An account: everybody who was asked, in order, whose it is, and whether it waits in the queue."""

    asked: list[Asked] = field(default_factory=list)
    holder: str = ""
    is_queued: bool = False
    is_accepted: bool = False


class OffersOverTime(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.company = rehearse(Path(self.folder.name), loaded())
        self.firms: dict[str, Firm] = {}
        self.turns: Counter[str] = Counter()
        self.left: set[str] = set()
        self.told_of_queue: Counter[str] = Counter()
        self.rules = Acceptance(remind_hours=REMIND_HOURS)

    def teardown(self) -> None:
        self.company.context.store.close()
        self.folder.cleanup()

    @property
    def now(self) -> datetime:
        return self.company.now[0]

    @property
    def all_asked(self) -> list[Asked]:
        return [asked for firm in self.firms.values() for asked in firm.asked]

    def open_now(self, due: bool) -> list[Asked]:
        return [each for each in self.all_asked if each.state == "offered" and (self.now >= each.due_by) == due]

    # --- what happens ---

    @initialize(**EDITS, meanwhile=st.sampled_from(["offered", "queue"]))
    def begins(self, hours: int, chain: tuple[str, ...], declines: bool, misses: bool, meanwhile: str) -> None:
        self.rules = replace(self.rules, meanwhile=meanwhile, queue=DESK)
        self.the_policy_is_edited(hours, chain, declines, misses)
        self.a_firm_is_placed()

    @rule()
    def a_firm_is_placed(self) -> None:
        id_ = f"acc_{len(self.firms)}"
        fields = {"country": "US", "domain": f"{id_}.example", "in_crm": True}
        firm = Account(id_, id_, fields, (Ref("salesforce", "Account", id_),))
        self.company.new_run()
        context = self.company.context
        context.store.run(lambda uow: uow.accounts.save([firm], context.now()))
        context.store.run(lambda uow: decide_at_once(context, uow, [id_]))
        self.firms[id_] = Firm()
        self.follows(id_, set(POOL) - self.left, 0, is_a_turn=True)

    @rule(hours=st.sampled_from([1, 6, 8, 25]))
    def time_passes(self, hours: int) -> None:
        self.company.pass_time(hours=hours)

    @precondition(lambda self: self.open_now(due=False))
    @rule(is_early=st.booleans())
    def a_deadline_comes(self, is_early: bool) -> None:
        first = min(each.due_by for each in self.open_now(due=False))
        self.company.now[0] = first - timedelta(microseconds=is_early)

    @rule()
    def people_are_reminded(self) -> None:
        wanted = [each for each in self.open_now(due=False) if each.remind_at <= self.now and not each.reminded]
        self.company.new_run()
        assert remind_owners(self.company.context) == len(wanted)
        for each in wanted:
            each.reminded = True

    @rule()
    def a_pass_is_made(self) -> None:
        due = self.open_now(due=True)
        self.company.new_run()
        assert escalate_due(self.company.context).looked_at == len(due)
        for each in due:
            self.ended(each, "expired")

    @rule(batches=st.integers(0, 2), has_committed=st.booleans())
    def a_pass_is_killed(self, batches: int, has_committed: bool) -> None:
        due = self.open_now(due=True)
        self.company.new_run()
        with pytest.MonkeyPatch.context() as patch, suppress(Killed):
            patch.setattr(acceptance, "BATCH", 1)
            patch.setattr(self.company.context.store, "run", dying(self.company.context.store, batches, has_committed))
            escalate_due(self.company.context)
        done = [each for each in due if self.stored(each).state != "offered"]
        assert len(done) == min(len(due), batches + has_committed)
        for each in done:
            self.ended(each, "expired")

    @rule(pick=st.integers(0, 20), accepts=st.booleans(), by=st.sampled_from(["owner", MANAGER, STRANGER]))
    def somebody_answers(self, pick: int, accepts: bool, by: str) -> None:
        asked = self.all_asked[-1 - pick % len(self.all_asked)]
        who = asked.owner if by == "owner" else by
        is_due, is_open = self.now >= asked.due_by, asked.state == "offered"
        answered = self.told(
            lambda: (
                accept_offer(self.company.context, asked.offer_id, who)
                if accepts
                else decline_offer(self.company.context, asked.offer_id, who, "no")
            )
        )
        if not self.may_answer(asked, who):
            assert answered is None
        elif not is_open or is_due:
            assert answered is not None
            assert answered.outcome == "too_late"
            if is_open:
                self.ended(asked, "expired")
        elif accepts:
            self.accepted(asked, answered, "accepted")
        else:
            assert answered is not None
            assert answered.outcome == "declined"
            self.ended(asked, "declined")

    @precondition(lambda self: any(firm.is_queued for firm in self.firms.values()))
    @rule(pick=st.integers(0, 20), by=st.sampled_from(["owner", MANAGER, STRANGER]))
    def somebody_takes_from_the_queue(self, pick: int, by: str) -> None:
        queued = [each for firm in self.firms.values() if firm.is_queued for each in firm.asked]
        asked = queued[pick % len(queued)]
        who = asked.owner if by == "owner" else by
        answered = self.told(lambda: take_unaccepted(self.company.context, asked.offer_id, who))
        if self.may_answer(asked, who):
            self.accepted(asked, answered, "taken")
        else:
            assert answered is None

    @precondition(lambda self: not self.left)
    @rule(rep=st.sampled_from(POOL))
    def a_rep_leaves(self, rep: str) -> None:
        self.left.add(rep)
        self.adopted()

    @rule(**EDITS)
    def the_policy_is_edited(self, hours: int, chain: tuple[str, ...], declines: bool, misses: bool) -> None:
        self.rules = replace(self.rules, hours=hours, chain=chain, decline_takes_turn=declines, miss_takes_turn=misses)
        self.adopted()

    # --- what must become of it ---

    @invariant()
    def each_offer_has_one_end_and_is_told_once(self) -> None:
        with self.company.context.store.transaction(readonly=True) as uow:
            stored = {
                each.offer_id: each for each in uow.offers.get_many(each.offer_id for each in self.all_asked).values()
            }
            current, rebuilt = uow.ledger.current(), uow.ledger.rebuild_current()
            told = Counter(
                (each.offer_id, each.email) for each in uow.notifications.pending() if each.channel == "slack"
            )
            may_take = Counter(each.email for each in uow.notifications.pending() if "still take" in each.subject)
            queued = {item.account_id for item in uow.exceptions.open_items("unaccepted")}
            turns = uow.turns.load(["sales"], lock=False).get("sales", {}).get("taken", {})
        assert {id_: each.state for id_, each in stored.items()} == {
            each.offer_id: each.state for each in self.all_asked
        }
        assert {id_: each.owner_id for id_, each in current.items()} == {
            id_: firm.holder for id_, firm in self.firms.items()
        }
        assert current == rebuilt
        assert queued == {id_ for id_, firm in self.firms.items() if firm.is_queued}
        for each in self.all_asked:
            assert told[each.offer_id, f"{each.owner}@team.example"] == 1 + each.reminded
        assert may_take == {f"{rep}@team.example": count for rep, count in self.told_of_queue.items()}
        assert {rep: count for rep, count in turns.items() if count} == {r: n for r, n in self.turns.items() if n}

    def may_answer(self, asked: Asked, who: str) -> bool:
        """Who was asked while they are there, and their manager, who can only pass on what a leaver was asked."""
        return who == MANAGER or (who == asked.owner and who not in self.left)

    def accepted(self, asked: Asked, answered: Answered | None, outcome: str) -> None:
        if asked.owner in self.left:
            assert answered is None, "nobody accepts for who has left"
            return
        assert answered is not None
        assert answered.outcome == outcome
        firm = self.firms[asked.account_id]
        firm.holder, firm.is_queued, firm.is_accepted = asked.owner, False, True
        if outcome == "accepted":
            asked.state = "accepted"

    def ended(self, asked: Asked, state: str) -> None:
        """An offer came to nothing; the next one is asked, by the rules of today."""
        asked.state = state
        costs = self.rules.decline_takes_turn if state == "declined" else self.rules.miss_takes_turn
        if asked.was_a_turn and not costs:
            self.turns[asked.owner] -= 1
        before = {each.owner for each in self.firms[asked.account_id].asked}
        for level, step in enumerate(self.rules.chain[asked.level :], asked.level + 1):
            free = set(POOL) - self.left if step == "next_in_line" else {MANAGER} if asked.owner in POOL else set()
            if step == "queue":
                break
            if free - before:
                self.follows(asked.account_id, free - before, level, is_a_turn=step == "next_in_line")
                return
        self.firms[asked.account_id].is_queued = True
        self.told_of_queue.update((before | {asked.owner}) - self.left)
        assert self.stored_open(asked.account_id) is None

    def follows(self, account_id: str, free: set[str], level: int, *, is_a_turn: bool) -> None:
        """One of these is asked now, and nobody else."""
        offer = self.stored_open(account_id)
        assert offer is not None
        assert offer.owner_id in free
        hours = timedelta(hours=self.rules.hours)
        assert (offer.escalation_level, offer.offered_at, offer.due_by) == (level, self.now, self.now + hours)
        self.turns[offer.owner_id] += is_a_turn
        firm, remind_at = self.firms[account_id], self.now + timedelta(hours=REMIND_HOURS)
        firm.holder = offer.owner_id if self.rules.meanwhile == "offered" else DESK
        firm.asked.append(Asked(offer.offer_id, account_id, offer.owner_id, level, offer.due_by, remind_at, is_a_turn))

    # --- what is there ---

    def told(self, answer: Callable[[], Answered]) -> Answered | None:
        """What an answer comes to; None when it is not theirs."""
        self.company.new_run()
        try:
            return answer()
        except NotYours:
            return None

    def stored(self, asked: Asked) -> Offer:
        with self.company.context.store.transaction(readonly=True) as uow:
            return uow.offers.get_many([asked.offer_id])[asked.offer_id]

    def stored_open(self, account_id: str) -> Offer | None:
        with self.company.context.store.transaction(readonly=True) as uow:
            return uow.offers.of_account(account_id)

    def adopted(self) -> None:
        policy = loaded()
        reps = {id_: replace(rep, active=id_ not in self.left) for id_, rep in policy.roster.reps.items()}
        rules = replace(policy.policy, acceptance=self.rules)
        self.company.adopt(replace(policy, policy=rules, roster=Roster(reps)))


def dying(store: Any, batches: int, has_committed: bool) -> Callable[[Any], Any]:
    """`store.run` of a process that dies in the batch after so many, before or after it was committed."""
    run, passed = store.run, [0]

    def run_or_die(work: Any) -> Any:
        def undone(uow: Any) -> Any:
            result = work(uow)
            if passed[0] == batches and not has_committed:
                raise Killed
            return result

        result = run(undone)
        if passed[0] == batches:
            raise Killed
        passed[0] += 1
        return result

    return run_or_die


def test_whatever_happens_offers_end_once_and_go_to_whom_the_policy_says() -> None:
    run_state_machine_as_test(OffersOverTime, settings=QUICK)


@pytest.mark.long
def test_the_same_at_length() -> None:
    run_state_machine_as_test(OffersOverTime, settings=LONG)


def _declines_count_as_misses(patch: pytest.MonkeyPatch) -> None:
    step = next_asked.next_step
    patch.setattr(next_asked, "next_step", lambda offered, *rest: step(replace(offered, declined=None), *rest))


def _answers_count_until_the_next_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(acceptance, "is_over", lambda *_: False)


def _who_missed_it_is_asked_again(patch: pytest.MonkeyPatch) -> None:
    asked = Offers.asked_before
    patch.setattr(Offers, "asked_before", lambda self, ids: dict.fromkeys(asked(self, ids), ()))


def _an_offer_is_due_early(patch: pytest.MonkeyPatch) -> None:
    due = Offers.due
    patch.setattr(Offers, "due", lambda self, now, limit: due(self, now + timedelta(seconds=1), limit))


@pytest.mark.parametrize(
    "wrong",
    [
        _declines_count_as_misses,
        pytest.param(_answers_count_until_the_next_pass, marks=pytest.mark.long),
        pytest.param(_who_missed_it_is_asked_again, marks=pytest.mark.long),
        pytest.param(_an_offer_is_due_early, marks=pytest.mark.long),
    ],
)
def test_control_rules_that_are_wrong_by_one_thing_are_found_out(
    wrong: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(OffersOverTime, settings=settings(QUICK, max_examples=60, report_multiple_bugs=False))
