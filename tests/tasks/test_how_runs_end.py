"""How a run ends: completed, failed, or refused, where a person asked for what cannot be done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ownership.acceptance import NotYours
from ownership.placed_by_people import MayNot, Person, TooLate
from store.runs import Run
from tasks.acceptance import NoSuchOffer, accept_offer
from tasks.context import RunContext, kept_run
from tasks.identity_words import Refused, Word, say_same
from tasks.placed_by_people import request_override
from tasks.rehearsal import Rehearsal, rehearse
from tasks.resolving import resolve


@pytest.fixture
def company(tmp_path: Path, sqlite_template: Path) -> Iterator[Rehearsal]:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    founded = rehearse(tmp_path)
    founded.account("salesforce", "001A", name="Acme", owner=None, country="DE", employees=300)
    founded.assign()
    yield founded
    founded.context.store.close()


def asked_for(context: RunContext) -> str:
    with context.store.transaction(readonly=True) as uow:
        (offer,) = uow.offers.of_accounts(account.id for account in uow.accounts.all()).values()
    return offer.offer_id


def ended(company: Rehearsal, run_id: str) -> Run:
    with company.context.store.transaction(readonly=True) as uow:
        run = uow.runs.get(run_id)
    assert run is not None
    return run


REP = Person("dana-whitfield", "rep")


@pytest.mark.parametrize(
    ("refusal", "ask"),
    [
        (NotYours, lambda context: accept_offer(context, asked_for(context), "dana-whitfield")),
        (NoSuchOffer, lambda context: accept_offer(context, "none", "dana-whitfield")),
        (MayNot, lambda context: request_override(context, "Acme", REP, "nobody-such", "mine")),
        (MayNot, lambda context: resolve(context, "none", "explain", REP)),
        (Refused, lambda context: say_same(context, ["salesforce/001A"], Word("ops@steward.example"))),
    ],
    ids=["not theirs", "no such offer", "nobody of the roster", "no such exception", "one record"],
)
def test_a_run_that_only_refused_somebody_is_no_failure(company: Rehearsal, refusal: type, ask: object) -> None:
    company.new_run()
    with pytest.raises(refusal), kept_run(fresh(company), "asked", trigger="page", actor="dana-whitfield") as context:
        ask(context)  # type: ignore[operator]
    run = ended(company, context.run_id)
    assert (run.state, run.counts) == ("refused", {"refused": refusal.__name__})
    assert run.ended_at is not None


def test_what_is_refused_more_narrowly_says_so(company: Rehearsal) -> None:
    context = fresh(company)
    context.counts = {"looked_at": 1}
    with pytest.raises(MayNot), kept_run(context, "asked", trigger="page", actor="x"):
        raise TooLate("it is over")
    assert ended(company, context.run_id).counts == {"looked_at": 1, "refused": "TooLate"}


def test_whatever_else_is_raised_is_a_failure(company: Rehearsal) -> None:
    with pytest.raises(ValueError, match="broken"), kept_run(fresh(company), "asked", trigger="page", actor="x") as c:
        raise ValueError("broken")
    assert ended(company, c.run_id).state == "failed"


def fresh(company: Rehearsal) -> RunContext:
    """Surroundings of a run of its own."""
    here = company.context
    return RunContext(here.settings, here.store, here.connectors, here.policy, clock=here.clock)
