"""A pass over offers that ran out, killed with SIGKILL at a statement, a commit or a message: the next pass finishes.

`make test-faults` takes every place on both databases.
"""

from __future__ import annotations

import os
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from connectors.base import Notice
from connectors.memory import MemoryNotifier
from connectors.registry import Connectors
from store.engine import open_store
from tasks import acceptance, moving_on
from tasks.acceptance import escalate_due
from tasks.context import RunContext
from tasks.notices import deliver_notices
from tasks.rehearsal import START, rehearse
from tests.faults.outside import IN_SLACK
from tests.faults.sigkill import Failpoints
from tests.many_offers import made_offers

OFFERS = 5
Trial = Callable[[], AbstractContextManager["Pass"]]


class JournaledNotifier(MemoryNotifier):
    """A messenger that outlives the process: it keeps the keys of what it was given, and drops what it had before."""

    def __init__(self, journal: Path, failpoints: Failpoints) -> None:
        super().__init__()
        self._journal, self._failpoints = journal, failpoints

    def notify(self, notice: Notice) -> str:
        self._failpoints.reach()
        with self._journal.open("a") as file:
            file.write(f"{notice.dedup_key}\n")
        self._failpoints.reach()
        return super().notify(notice)


@dataclass(frozen=True)
class Pass:
    """One database on which all offers have run out, and the messages that went out."""

    url: str
    journal: Path

    def work(self, number: int, failpoints: Failpoints) -> None:
        store = open_store(self.url)
        failpoints.watch(store)
        notifier = JournaledNotifier(self.journal, failpoints)
        # So far apart that a message which was under way when a pass was killed is free again in the next one.
        now = START + timedelta(hours=25, minutes=10 * number)
        connectors = Connectors({}, {}, notifier, frozenset())
        settings = Settings(database_url=self.url, _env_file=None)
        context = RunContext(settings, store, connectors, IN_SLACK, run_id=f"pass-{number}", clock=lambda: now)
        escalate_due(context)
        deliver_notices(context)
        store.close()

    def killed(self, number: int, die_at: int) -> bool:
        child = os.fork()
        if child == 0:
            try:
                self.work(number, Failpoints(die_at))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return True
        assert os.WEXITSTATUS(status) == 0, f"the pass broke before its failpoint {die_at}"
        return False


def offer_out(folder: Path, url: str) -> None:
    """Offer some firms to their owners and tell them, a day before."""
    company = rehearse(folder, IN_SLACK, database_url=url)
    made_offers(company, OFFERS)
    deliver_notices(company.context)
    company.context.store.close()


@pytest.fixture
def sqlite_trial(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    monkeypatch.setattr(acceptance, "BATCH", 2)
    prepared = tmp_path / "prepared" / "steward.db"
    prepared.parent.mkdir()
    shutil.copy(sqlite_template, prepared)
    offer_out(tmp_path, f"sqlite:///{prepared}")
    trials = tmp_path / "trial"

    @contextmanager
    def trial() -> Iterator[Pass]:
        shutil.rmtree(trials, ignore_errors=True)
        shutil.copytree(prepared.parent, trials)
        yield Pass(f"sqlite:///{trials}/steward.db", trials / "journal")

    return trial


@pytest.fixture
def postgres_trial(tmp_path: Path, postgres_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    monkeypatch.setattr(acceptance, "BATCH", 2)
    with postgres_server.database() as prepared:
        offer_out(tmp_path, prepared)

        @contextmanager
        def trial() -> Iterator[Pass]:
            (tmp_path / "journal").unlink(missing_ok=True)
            with postgres_server.database(prepared.split("@/")[1].split("?")[0]) as url:
                yield Pass(url, tmp_path / "journal")

        yield trial


def problems(done: Pass) -> list[str]:
    """What is not as after one pass that nobody disturbed."""
    store = open_store(done.url)
    with store.transaction(readonly=True) as uow:
        ids = [f"acc_{number}" for number in range(OFFERS)]
        offers = [
            each for state in ("expired", "offered") for each in uow.listings.offers(state, None, None, 2 * OFFERS)
        ]
        asked = uow.offers.of_accounts(ids)
        messages = [each for id_ in delivered(done) for each in uow.notifications.of_message(id_)]
        waiting = uow.notifications.pending()
        rows = {id_: len(uow.ledger.history(id_)) for id_ in ids}
        chain = uow.ledger.verify()
    store.close()
    found = []
    if Counter(each.state for each in offers) != {"expired": OFFERS, "offered": OFFERS}:
        found.append(f"offers are {Counter(each.state for each in offers)}")
    if {each.escalation_level for each in asked.values()} != {1}:
        found.append("somebody is not at the first step of the chain")
    if set(rows.values()) != {2} or chain is not None:
        found.append(f"the ledger has {rows}, {chain}")
    told = Counter((each.email, each.offer_id) for each in messages if each.offer_id)
    wanted = {each.offer_id for each in asked.values()}
    if {offer for _, offer in told} != wanted or set(told.values()) != {1} or len(told) != OFFERS or waiting:
        found.append(f"told {told}, and {len(waiting)} wait")
    return found


def delivered(done: Pass) -> set[str]:
    """The messages that the messenger showed anybody."""
    return set(done.journal.read_text().split()) if done.journal.exists() else set()


def places_to_die(trial: Trial) -> int:
    failpoints = Failpoints()
    with trial() as undisturbed:
        undisturbed.work(0, failpoints)
        assert problems(undisturbed) == []
    return failpoints.passed


def wrong(trial: Trial, places: Iterable[int]) -> dict[int, list[str]]:
    """What was wrong after a pass killed at each of these places and the next pass."""
    found = {}
    for die_at in places:
        with trial() as each:
            killed = each.killed(0, die_at)
            each.work(1, Failpoints())
            if complaints := [*problems(each), *([] if killed else ["nothing was killed"])]:
                found[die_at] = complaints
    return found


def test_a_pass_killed_midway_is_completed_by_the_next_and_tells_everybody_once(sqlite_trial: Trial) -> None:
    places = places_to_die(sqlite_trial)
    assert places > 60
    assert wrong(sqlite_trial, range(3, places + 1, 29)) == {}


@pytest.mark.postgres
def test_the_same_over_postgres(postgres_trial: Trial) -> None:
    places = places_to_die(postgres_trial)
    assert places > 60
    assert wrong(postgres_trial, range(5, places + 1, 67)) == {}


@pytest.mark.long
def test_killed_at_every_place_the_next_pass_completes_it(sqlite_trial: Trial) -> None:
    assert wrong(sqlite_trial, range(1, places_to_die(sqlite_trial) + 1)) == {}


@pytest.mark.long
@pytest.mark.postgres
def test_killed_at_every_place_over_postgres(postgres_trial: Trial) -> None:
    assert wrong(postgres_trial, range(1, places_to_die(postgres_trial) + 1)) == {}


def test_control_notices_told_in_a_transaction_of_their_own_are_lost(
    sqlite_trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classic bug, put in on purpose: the offer is escalated in one commit, the person told in the next."""
    later: list[Callable[[], None]] = []
    add = moving_on.add_owner_notices

    def apart(uow: Any, context: RunContext, moves: Any, key: str) -> None:
        later.append(lambda: context.store.run(lambda uow: add(uow, context, moves, key)))

    pass_once = acceptance._escalate_batch

    def escalate_batch(context: RunContext) -> None:
        while context.store.run(lambda uow: pass_once(context, uow)):
            while later:
                later.pop()()

    monkeypatch.setattr(moving_on, "add_owner_notices", apart)
    monkeypatch.setitem(globals(), "escalate_due", escalate_batch)
    assert any(wrong(sqlite_trial, [die_at]) for die_at in range(38, 60, 4))
