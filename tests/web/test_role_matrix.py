"""Role × route × object: who may open what, who may change what, and that opening changes nothing.

A route that is not in these tables fails the tests until it is. What counts for a change is the database: the answer's
words may be kind whether or not anything was done.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from config.settings import Settings
from ownership.model import Account, Ref
from ownership.placed_by_people import Person
from store.engine import Store, open_store
from store.exceptions import NewException
from store.notifications import NewNotification
from tasks.context import recorded_run, utc_now
from tasks.placed_by_people import answer_override, open_dispute, request_override
from tasks.tokens import make_token
from tests.policies import read_policy
from tests.store.business import owned_by, record, salesforce
from tests.web.conftest import form_token
from web.access.viewer import Role
from web.app import create_app

# Acme is Dana's. Rachel is her manager, Marcus a rep beside her, Carmen a manager of others.
DANA, MARCUS, RACHEL, CARMEN, OPS = "dana-whitfield", "marcus-oyelaran", "rachel-stein", "carmen-ortiz", "ops"
PEOPLE = {DANA: Role.REP, MARCUS: Role.REP, RACHEL: Role.MANAGER, CARMEN: Role.MANAGER, OPS: Role.OPS}
EVERYBODY = frozenset(PEOPLE)
# What says who looked, logged in, or tried: everything else is what Steward is for.
BESIDE = {"access_log", "web_session", "pipeline_run", "search_trigram"}

OPEN = {
    *("GET /health", "GET /login", "POST /login/development", "GET /login/start", "GET /login/callback"),
    *("POST /webhooks/hubspot", "POST /webhooks/salesforce", "POST /slack/interactivity"),  # signed by the sender
    *("MOUNT /static", "MOUNT /api/v1"),  # the second by token: tests/web/api
}
READ = {
    "GET /": Role.REP,
    "GET /accounts/{account_id}": Role.REP,
    "GET /people/{rep_id}": Role.REP,
    "GET /book": Role.REP,
    "GET /offers/{offer_id}": Role.REP,
    "GET /overrides": Role.REP,
    "GET /disputes": Role.REP,
    "GET /exceptions": Role.MANAGER,
    "GET /kpis": Role.MANAGER,
    "GET /kpis/{kpi}": Role.MANAGER,
    "GET /kpis/{kpi}/list.csv": Role.MANAGER,
    "GET /notices": Role.MANAGER,
    "GET /tokens": Role.OPS,
    "GET /access": Role.OPS,
}


@dataclass(frozen=True)
class World:
    """Ids of what there is in the database at `path`."""

    path: Path
    offer: str
    in_queue: str
    override: str
    dispute: str
    exception: str
    token: str
    notice: str
    approved: str

    def address(self, path: str) -> str:
        """A route's path with the objects about Dana's accounts in it."""
        names = {
            **{"account_id": "acme", "rep_id": DANA, "offer_id": self.offer, "kpi": "coverage"},
            **{"overrides_id": self.override, "disputes_id": self.dispute},
        }
        return path.replace("/{id}", "/{" + path.split("/")[1] + "_id}").format(**names)


@dataclass(frozen=True)
class Act:
    """A form, and for whom it changes something of Dana's. `fields` may name what the world holds, as in "{offer}"."""

    changed_by: frozenset[str]
    fields: dict[str, str]
    path: str = ""


ACTS = {
    "POST /logout": Act(frozenset(), {}),
    "POST /book/accept": Act(frozenset({DANA, RACHEL}), {"offer": "{offer}"}),
    "POST /offers/{offer_id}/accept": Act(frozenset({DANA, RACHEL}), {}),
    "POST /offers/{offer_id}/decline": Act(frozenset({DANA, RACHEL}), {"reason": "not mine"}),
    "POST /offers/{offer_id}/take": Act(frozenset({DANA, RACHEL}), {}, "/offers/{in_queue}/take"),
    "POST /overrides": Act(EVERYBODY, {"account": "acme", "owner": "tom-brannigan", "reason": "knows them"}),
    "POST /overrides/{id}": Act(frozenset({RACHEL, OPS}), {"answer": "approved", "because": "agreed"}),
    "POST /overrides/{id}/withdraw": Act(frozenset({DANA}), {"because": "not needed"}),
    "POST /overrides/{id}/end": Act(frozenset({RACHEL, OPS}), {"because": "over"}, "/overrides/{approved}/end"),
    "POST /disputes/{id}/evidence": Act(frozenset({DANA, MARCUS, RACHEL, OPS}), {"said": "a call"}),
    "POST /disputes/{id}/withdraw": Act(frozenset({MARCUS}), {"because": "a mistake"}),
    "POST /disputes": Act(EVERYBODY - {OPS}, {"account": "bolt", "reason": "mine", "evidence": "mail"}),
    "POST /disputes/{id}": Act(frozenset({RACHEL, OPS}), {"owner": DANA, "because": "hers"}),
    "POST /exceptions/resolve": Act(
        frozenset({RACHEL, OPS}), {"way": "snooze", "exception": "{exception}", "until": "{soon}", "reason": "later"}
    ),
    "POST /notices/{notice_id}/again": Act(frozenset({RACHEL, OPS}), {}, "/notices/{notice}/again"),
    "POST /notices/again": Act(frozenset({OPS}), {}),
    "POST /kpis/take": Act(frozenset({OPS}), {}),
    "POST /tokens/revoke": Act(frozenset({OPS}), {"token": "{token}"}),
}


def routes() -> dict[str, Route | Mount]:
    """Every route of the application, as "METHOD /path"."""
    app = create_app(Settings(_env_file=None))
    found: dict[str, Route | Mount] = {}
    for route in app.routes:
        if isinstance(route, Mount):
            found[f"MOUNT {route.path}"] = route
        elif isinstance(route, Route):
            found.update({f"{method} {route.path}": route for method in (route.methods or set()) - {"HEAD"}})
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    path = tmp_path_factory.mktemp("matrix") / "steward.db"
    settings = Settings(_env_file=None, database_url=f"sqlite:///{path}", policy_dir=Settings().policy_dir)
    store = open_store(settings.database_url)
    store.migrate()
    world = _fill(store, settings, path)
    store.close()
    return world


def _fill(store: Store, settings: Settings, path: Path) -> World:
    now = utc_now()
    fields = {"domains": ["acme.example"], "country": "US", "employees": 2000, "segment": "enterprise"}
    accounts = [
        *(Account(id_, id_.title(), fields, (salesforce(id_),)) for id_ in ("acme", "quiet", "claimed", "lent")),
        Account("bolt", "Bolt", fields, (Ref("salesforce", "Account", "001-bolt"),)),
    ]
    store.run(lambda uow: uow.accounts.save(accounts, now))
    due, ran_out = now + timedelta(hours=5), now - timedelta(minutes=1)
    record(store, owned_by("acme", DANA, offer_due_by=due), now=now - timedelta(hours=1))
    record(store, owned_by("quiet", DANA, offer_due_by=ran_out), now=now - timedelta(hours=1))
    record(store, owned_by("claimed", DANA), owned_by("lent", DANA), owned_by("bolt", "jade-thompson"), now=now)
    with store.transaction() as uow:
        offers = uow.offers.of_accounts(["acme", "quiet"])
        uow.offers.answer(offers["quiet"].offer_id, "expired", "steward", now)
        uow.exceptions.open("unaccepted", "unaccepted:quiet", "quiet", {}, "warning", "run-1", now)
        drift = NewException(
            "owner_drift", "owner_drift:salesforce/Account/001-acme", "acme", {"problem": "x"}, "error"
        )
        uow.exceptions.open_many([drift], "run-1", now)
    with recorded_run("the world", trigger="test", settings=settings) as context:  # which keeps the policy, too
        asked = request_override(context, "acme", Person(DANA, "rep"), "tom-brannigan", "they know him", None, "stay")
        lent = (Person(DANA, "rep"), "tom-brannigan", "for a while", None, "stay")
        approved = request_override(context, "lent", *lent).override_id
        answer_override(context, approved, Person(RACHEL, "manager"), "approved", "agreed")
        open_dispute(context, "claimed", Person(MARCUS, "rep"), "I found them", "a mail")
        token = make_token(context, "warehouse", "ops", None, 30, "ops").split("_")[1]
    told = NewNotification("k1", "dana.whitfield@northwind-data.example", "New account", ("Acme: your turn",))
    store.run(lambda uow: uow.notifications.add([told], now))
    with store.transaction() as uow:
        notice = next(each.notification_id for each in uow.notifications.pending() if each.dedup_key == "k1")
        uow.notifications.tell_together([notice], "k1")
        uow.notifications.settle([notice], "refused", "no such user", now)
        (exception,) = (item for item in uow.exceptions.open_items("owner_drift"))
        ids = asked.override_id, uow.disputes.open_ones()[0].dispute_id
    return World(
        path, offers["acme"].offer_id, offers["quiet"].offer_id, *ids, exception.exception_id, token, notice, approved
    )


@pytest.fixture
def client(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The application over a copy of the world, at `tmp_path/steward.db`."""
    monkeypatch.setattr("web.surroundings.load_policy", read_policy)
    copy = tmp_path / "steward.db"
    shutil.copy(world.path, copy)
    settings = Settings(
        _env_file=None, database_url=f"sqlite:///{copy}", web_login="development", public_url="http://testserver"
    )
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def business(folder: Path) -> dict[str, str]:
    """A hash of every table that is not beside the business."""
    with sqlite3.connect(folder / "steward.db") as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: hashlib.sha256(repr(connection.execute(f"SELECT * FROM {table}").fetchall()).encode()).hexdigest()
            for table in sorted(tables)
            if not any(table.startswith(name) for name in BESIDE)
        }


def log_in(client: TestClient, who: str) -> None:
    client.cookies.clear()
    assert client.post("/login/development", data={"who": who}).status_code == 303


def test_every_route_is_in_these_tables() -> None:
    assert set(routes()) == OPEN | set(READ) | set(ACTS)


def test_everybody_opens_what_their_role_may_and_nothing_else_and_opening_changes_nothing(
    client: TestClient, world: World, tmp_path: Path
) -> None:
    before = business(tmp_path)
    for route, least in READ.items():
        path = world.address(route.removeprefix("GET "))
        client.cookies.clear()
        assert client.get(path).headers["location"].startswith("/login?next="), route
        for who, role in PEOPLE.items():
            log_in(client, who)
            for _ in range(2):  # as what scans mail does
                status = client.get(path).status_code
                assert client.head(path).status_code == status
            allowed = {200} if role.may(least) else {403}
            assert status in (allowed if route != "GET /book" else {200}), (route, who)
    assert business(tmp_path) == before


@pytest.mark.parametrize(
    "path", ["/accounts/bolt", "/people/jade-thompson", "/offers/{offer}", "/exceptions?account=acme"]
)
def test_an_object_of_others_says_no_more_than_everybody_may_know(client: TestClient, world: World, path: str) -> None:
    log_in(client, CARMEN if path.startswith(("/offers", "/exceptions")) else DANA)
    shown = client.get(path.format(offer=world.offer)).text
    for private in ("001-bolt", "001-acme", "they know him", "Accept</button>", "acme.example"):
        assert private not in shown


@pytest.mark.parametrize("route", ACTS)
def test_a_form_changes_something_for_those_it_is_for_and_for_nobody_else(
    route: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = ACTS[route]
    names = {each: getattr(world, each) for each in ("offer", "in_queue", "exception", "token", "notice", "approved")}
    names["soon"] = (utc_now() + timedelta(days=3)).date().isoformat()
    path = (act.path or world.address(route.removeprefix("POST "))).format(**names)
    fields = {name: value.format(**names) for name, value in act.fields.items()}
    monkeypatch.setattr("web.surroundings.load_policy", read_policy)
    changed = {who for who in (None, *PEOPLE) if _changes(world, tmp_path / str(who), who, path, fields)}
    assert changed == act.changed_by


def _changes(world: World, folder: Path, who: str | None, path: str, fields: dict[str, str]) -> bool:
    """Whether this form, sent by somebody, changes the business. Without its token it never may."""
    folder.mkdir()
    shutil.copy(world.path, folder / "steward.db")
    database = f"sqlite:///{folder / 'steward.db'}"
    settings = Settings(_env_file=None, database_url=database, web_login="development", public_url="http://testserver")
    with TestClient(create_app(settings), follow_redirects=False) as client:
        token = ""
        if who is not None:
            log_in(client, who)
            token = form_token(client)
        before = business(folder)
        assert client.post(path, data=fields).status_code in (401, 403)
        assert client.get(path).status_code in (200, 303, 403, 404, 405)
        assert business(folder) == before
        assert client.post(path, data={**fields, "form_token": token}).status_code in (303, 401, 403, 404)
        return business(folder) != before
