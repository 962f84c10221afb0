"""The API over a small company: accounts of two teams, offers, an exception, drift, and a token for each role."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from ownership.model import Candidate, Step
from store.drift import NewDrift
from store.engine import Store, open_store
from store.overrides import OpenedDispute, OverrideRequest
from store.recording import Recording
from store.runs import RunStart
from store.statements import new_id
from tasks.context import open_context, utc_now
from tasks.tokens import make_token
from tests.policies import read_policy
from tests.store.business import know, owned_by, record, undecided
from web.app import create_app

REP, MANAGER, FOREIGN = "dana-whitfield", "rachel-stein", "tom-brannigan"
Ask = Callable[..., TestClient]


@pytest.fixture
def store(web_settings: Settings) -> Iterator[Store]:
    """Acme is Dana's and offered to her, Bolt Tom's and offered to him, Crate nobody's; Delta is Dana's."""
    opened = open_store(web_settings.database_url)
    fill(opened)
    yield opened
    opened.close()


def fill(store: Store) -> None:
    now = utc_now()
    know(store, "acme", "bolt", "crate", "delta")
    run = RunStart("run-1", "assign-owners", "f-1", None, "schedule", "steward", "0.1.0", {}, None)
    store.run(lambda uow: uow.runs.start(run, now))
    record(
        store,
        explained(owned_by("acme", REP, offer_due_by=now + timedelta(hours=8))),
        owned_by("bolt", FOREIGN, offer_due_by=now + timedelta(hours=8)),
        undecided("crate"),
        owned_by("delta", REP),
    )
    heads = store.run(lambda uow: uow.ledger.current())
    found = NewDrift(
        *("salesforce", "Account", "001-acme", "v1", heads["acme"].ledger_id, "acme", REP, "?005X", "005Y", None),
        *("person", "hold", "a person did it"),
    )
    store.run(lambda uow: uow.drift.add([found], "run-1", now))
    store.run(
        lambda uow: uow.exceptions.open("owner_drift", "k", "acme", {"problem": "differs"}, "warning", "run-1", now)
    )


def explained(recording: Recording) -> Recording:
    path = (Step("named", False, "it is not named"), Step("territory", True, "it lies in emea"))
    candidates = (Candidate(REP, True, "covers emea"), Candidate(FOREIGN, False, "is on leave"))
    return replace(recording, decision=replace(recording.decision, path=path, candidates=candidates))


@pytest.fixture
def api(web_settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The application, without a token."""
    monkeypatch.setattr("web.surroundings.load_policy", read_policy)
    monkeypatch.setattr("tasks.context.load_policy", read_policy)
    with TestClient(create_app(web_settings), base_url="http://testserver/api/v1", follow_redirects=False) as client:
        yield client


@pytest.fixture
def token(web_settings: Settings, api: TestClient) -> Callable[..., str]:
    """A new token, by role and for whom it acts."""

    def made(role: str, rep_id: str | None = None, days: int = 30) -> str:
        context = open_context(web_settings)
        try:
            return make_token(context, f"a test's {role}", role, rep_id, days, "tests")
        finally:
            context.store.close()

    return made


@pytest.fixture
def as_(api: TestClient, token: Callable[..., str]) -> Ask:
    """The application as called by "rep" (Dana), "manager" (Rachel, hers) or "ops"."""
    acts_for = {"rep": REP, "manager": MANAGER, "ops": None}

    def called_by(role: str, rep_id: str | None = None) -> TestClient:
        api.headers["Authorization"] = f"Bearer {token(role, rep_id or acts_for[role])}"
        return api

    return called_by


def asked_and_claimed(store: Store) -> dict[str, str]:
    """Dana asks that Priya own Acme, and Tom claims Delta; the ids of both by the names that paths give them."""
    now = utc_now()
    asked = OverrideRequest(new_id(), "acme", "priya-raman", "they know her", REP, now, now.date().isoformat())
    claim = OpenedDispute(new_id(), "delta", FOREIGN, "I called first", FOREIGN, now, now + timedelta(hours=48))
    store.run(lambda uow: (uow.overrides.ask(asked), uow.disputes.open(claim)))
    return {"override_id": asked.override_id, "dispute_id": claim.dispute_id}


def offer_of(store: Store, account_id: str) -> str:
    offer = store.run(lambda uow: uow.offers.of_account(account_id))
    assert offer is not None
    return offer.offer_id
