"""Many offers that run out in the same minute: one pass moves all on, in few statements, and tells each person once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import event

from ownership.plan import OwnerMove
from store.offers import Offers
from tasks import acceptance
from tasks.acceptance import escalate_due, remind_owners
from tasks.assignment import Assigned
from tasks.context import RunContext
from tasks.notices import deliver_notices
from tasks.rehearsal import Rehearsal, rehearse
from tasks.report import finish
from tests.faults.outside import POLICY
from tests.many_offers import made_offers


@pytest.fixture
def company(tmp_path: Path, store_url: str) -> Iterator[Rehearsal]:
    made = rehearse(tmp_path, POLICY, database_url=store_url)
    yield made
    made.context.store.close()


def statements_of_a_pass(company: Rehearsal, offers: int) -> int:
    """How many statements one pass over so many offers takes."""
    made_offers(company, offers)
    company.pass_time(hours=25)
    company.new_run()
    passed: list[str] = []
    event.listen(company.context.store._engine, "before_cursor_execute", lambda *said: passed.append(said[2]))
    assert escalate_due(company.context).looked_at == offers
    return len(passed)


def test_a_pass_takes_no_more_statements_for_many_offers_than_for_some(tmp_path: Path) -> None:
    some, many = (rehearse(tmp_path / name, POLICY) for name in ("some", "many"))
    assert statements_of_a_pass(many, 90) == statements_of_a_pass(some, 9)


def check_all_moved_on(company: Rehearsal, number: int) -> None:
    """Escalate so many offers in one pass; each once, each told once, and nothing is left."""
    made_offers(company, number)
    company.pass_time(hours=25)
    company.new_run()
    done = escalate_due(company.context)
    assert (done.looked_at, done.recorded, len(done.moves)) == (number, number, number)
    company.new_run()
    assert escalate_due(company.context).looked_at == 0
    with company.context.store.transaction(readonly=True) as uow:
        asked = uow.offers.of_accounts(f"acc_{place}" for place in range(number))
        told = [message for message in uow.notifications.pending() if message.offer_id]
    assert {offer.escalation_level for offer in asked.values()} == {1}
    follow = {offer.offer_id for offer in asked.values()}
    once = Counter((message.channel, message.email, message.offer_id) for message in told if message.offer_id in follow)
    assert {offer for _, _, offer in once} == follow
    assert set(once.values()) == {1}
    assert deliver_notices(company.context).waiting == 0
    assert deliver_notices(company.context).sent == 0


def test_all_that_run_out_in_one_minute_move_on_in_one_pass(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptance, "BATCH", 50)
    check_all_moved_on(company, 120)


@pytest.mark.long
def test_ten_thousand_that_run_out_in_one_minute_move_on_in_one_pass(company: Rehearsal) -> None:
    check_all_moved_on(company, 10_000)


def test_everybody_is_reminded_in_one_pass_however_many_they_are(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_offers(company, 30)
    with company.context.store.transaction() as uow:
        uow._connection.exec_driver_sql("UPDATE acceptance SET remind_at = offered_at")
    to_remind = Offers.to_remind
    monkeypatch.setattr("store.offers.Offers.to_remind", lambda offers, now: to_remind(offers, now, 7))
    assert remind_owners(company.context) == 30
    assert remind_owners(company.context) == 0


def test_what_a_run_keeps_of_itself_are_counts_however_much_it_moved() -> None:
    move = OwnerMove("acc_1", "Firma 1", "ann", "bob", "smb", "escalated", "it was Bob's turn")
    context = SimpleNamespace(run_id="run-1", counts={})
    kept = finish(cast(RunContext, context), assigned=Assigned(moves=(move, move), offers=(move,)))
    assert (kept["assigned"]["moves"], kept["assigned"]["offers"]) == (2, 1)  # type: ignore[index]
