"""Salesforce keeps every promise, on a good day and on the bad ones: expired tokens, bursts, locks, lost answers."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send
from urllib3.exceptions import ProtocolError

from connectors.base import Cursor, NewTask, OwnerChange, OwnerResult, RecordState, SourceRow, WriteOutcome
from connectors.errors import Ambiguous, ConnectorStopped, RecordRejected, RetryLater, SchemaChanged
from connectors.salesforce import SalesforceConnector
from connectors.salesforce_api import SalesforceApi
from emulators.exchange import Call, Reply
from emulators.faults import Fault
from emulators.salesforce.app import Salesforce
from emulators.vendor import DROP_CONNECTION
from emulators.world.ids import salesforce_id
from ownership.model import AccountRecord
from tests.contract.promises import (
    DUE,
    FieldCase,
    FieldTargetPromises,
    HistoryCase,
    OwnerHistoryPromises,
    OwnerTargetPromises,
    SourceCase,
    SourcePromises,
    TargetCase,
    TaskTargetPromises,
    everything,
)
from tests.contract.wire import Wire

PAGE, BATCH = 2_000, 200  # rows of a query page and of a collections call, as Salesforce has them
IDS = [salesforce_id("001", n) for n in range(2 * PAGE + 100)]
PUSHED = IDS[: 2 * BATCH + 50]
UNKNOWN = salesforce_id("001", 900_000)
LEAD_IDS = [salesforce_id("00Q", n) for n in range(PAGE + 100)]
UNKNOWN_LEAD = salesforce_id("00Q", 900_000)
OWNERS = (salesforce_id("005", 1), salesforce_id("005", 2))
GONE = salesforce_id("005", 3)
INTEGRATION = salesforce_id("005", 4)
QUEUE = salesforce_id("00G", 1)
LONG_AGO = "2026-01-01T00:00:00.000+0000"


def user(id_: str) -> dict[str, Any]:
    mail = f"{id_.lower()}@northwind-data.example"
    return {
        "Id": id_, "Name": f"User {id_}", "Username": mail, "Email": mail, "IsActive": id_ != GONE,
        "UserType": "Standard", "CreatedDate": LONG_AGO, "LastModifiedDate": LONG_AGO, "SystemModstamp": LONG_AGO,
    }  # fmt: skip


def account(n: int, id_: str) -> dict[str, Any]:
    # Three to a second: a data load gives many rows one timestamp.
    at = f"2026-11-20T{n // 10_800:02}:{n // 180 % 60:02}:{n // 3 % 60:02}.000+0000"
    return {
        "Id": id_, "Name": f"Company {n}", "BillingCountry": "DE", "NumberOfEmployees": n, "OwnerId": OWNERS[1],
        "CreatedDate": LONG_AGO, "LastModifiedDate": at, "SystemModstamp": at, "LastModifiedById": INTEGRATION,
    }  # fmt: skip


def lead(n: int, id_: str) -> dict[str, Any]:
    name = {"FirstName": "Ada", "LastName": f"Number {n}", "Name": f"Ada Number {n}", "Company": f"Company {n}"}
    fixed = {"Status": "Open - Not Contacted", "HasOptedOutOfEmail": n % 2 == 0, "OwnerId": OWNERS[1]}
    dated = account(n, id_)
    when = {field: dated[field] for field in ("CreatedDate", "LastModifiedDate", "SystemModstamp", "LastModifiedById")}
    return {"Id": id_, "Email": f"ada{n}@company{n}.example", **name, **fixed, **when}


USERS = [user(id_) for id_ in (*OWNERS, GONE, INTEGRATION)]
ACCOUNTS = [account(n, id_) for n, id_ in enumerate(IDS)]
LEADS = [lead(n, id_) for n, id_ in enumerate(LEAD_IDS)]
# An org with a rule that gives leads to a queue, as many have: whoever writes a lead must ask it to stay out.
TRIAGE = {
    "queues": [{"Id": QUEUE, "Name": "Triage", "Type": "Queue"}],
    "lead_rule_owner": QUEUE,
}
# What is easily lost on the way through CSV.
ODD = [
    {"Name": 'Müller, "Söhne" & Co'},
    {"Name": "Two\nlines"},
    {"Name": "0042"},
    {"Name": "true"},
    {"Name": "null"},
    {"Website": None, "NumberOfEmployees": None, "BillingPostalCode": "00501"},
    {"Do_Not_Route__c": True, "LastActivityDate": "2026-10-31", "Segment__c": "smb"},
    {"ParentId": IDS[0], "Primary_Contact_Email__c": "a@b.example", "Billing_Customer_Id__c": "cus_1"},
    {"IsDeleted": True},
]


@dataclass(frozen=True)
class Sent:
    """One request as it reached the org, without the token it came with."""

    operation: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    token: str


class Door:
    """Stands before the org: keeps what was sent, lets somebody act first, and breaks connections when told to."""

    name = "salesforce"
    hosts = ("northwind.my.salesforce.com",)

    def __init__(self, vendor: Salesforce) -> None:
        self.vendor = vendor
        self.sent: list[Sent] = []
        self._before: dict[str, Callable[[], object]] = {}

    @property
    def app(self) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
        return self._serve

    def seed(self, world: dict[str, Any]) -> None:
        self.vendor.seed(world)

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        return self.vendor.edit(command)

    def snapshot(self) -> dict[str, Any]:
        return self.vendor.snapshot()

    def before_next(self, operation: str, act: Callable[[], object]) -> None:
        """Let somebody act just before the next request of this kind is answered."""
        self._before[operation] = act

    def of(self, operation: str) -> list[Sent]:
        return [sent for sent in self.sent if sent.operation == operation]

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body, headers = await request.body(), dict(request.headers)
        path, query = scope["path"], scope["query_string"].decode()
        operation = self.vendor.operation(Call(scope["method"], path, query, headers, body))
        token = headers.pop("authorization", "")
        self.sent.append(Sent(operation, scope["method"], path, query, headers, body, token))
        self._before.pop(operation, lambda: None)()
        answering = False

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def answer(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        def drop() -> None:
            if not answering:
                raise ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))

        scope["extensions"][DROP_CONNECTION] = drop
        await self.vendor.app(scope, replay, answer)


class Org:
    """The emulated org behind its door, a connector to it, and the hands of the people who work in it."""

    def __init__(
        self, wire: Wire, accounts: list[dict[str, Any]], leads: list[dict[str, Any]] | None = None, **options: Any
    ) -> None:
        self.wire = wire
        self.vendor = Salesforce(wire.surroundings, **options)
        self.door = Door(self.vendor)
        access = {"domain": "northwind.my", "client_id": "steward", "client_secret": "s3cret"}
        rows = {"users": USERS, "accounts": accounts, "leads": leads or [], **TRIAGE}
        wire.seed(self.door, {"salesforce": access | rows | {"integration_user": INTEGRATION}})
        self.connector = self.connect()

    def connect(self, secret: str = "s3cret", **options: Any) -> SalesforceConnector:
        api = SalesforceApi("northwind.my", "steward", secret, patience=self.wire.patience)
        # One call after the other, unless asked otherwise: a failure is ordered by the number of its call.
        return SalesforceConnector(api, **{"at_once": 1, **options})

    def edit(self, id_: str, **fields: Any) -> None:
        """A person writes, a second after whatever happened last."""
        self.wire.wait(1)
        self.vendor.edit({"object": object_of(id_), "id": id_, "fields": fields, "by": OWNERS[0]})

    def delete(self, id_: str) -> None:
        self.wire.wait(1)
        self.vendor.edit({"object": object_of(id_), "id": id_, "action": "delete", "by": OWNERS[0]})

    def convert(self, id_: str, account_id: str) -> None:
        self.wire.wait(1)
        self.vendor.edit({"object": "Lead", "id": id_, "action": "convert", "account": account_id, "by": OWNERS[0]})

    def fail(self, operation: str, kind: str, *, nth: int | None = 1, every: int | None = None, **params: Any) -> None:
        """Order a failure; `every` of them instead of the `nth` only."""
        when = {"nth": None, "every": every} if every else {"nth": nth}
        self.wire.faults.install(Fault("salesforce", operation, kind, params=params, **when))

    def owner(self, id_: str) -> str:
        """Who owns it by the org's own tables."""
        return str(self.vendor.org.tables[object_of(id_)][id_]["OwnerId"])

    def writes(self, id_: str) -> int:
        """How often this record was written since the world began."""
        return self.vendor.org.revisions.get(id_, 0)

    def calls(self, operation: str | None = None) -> int:
        """Calls that count against the allowance: logging in does not."""
        entries = self.wire.journal.entries("salesforce", operation)
        return sum(entry.operation != "token" for entry in entries)

    def logins(self) -> int:
        return self.wire.journal.count("salesforce", "token")


def object_of(id_: str) -> str:
    return "Lead" if id_.startswith("00Q") else "Account"


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(monkeypatch)


@pytest.fixture
def org(wire: Wire) -> Org:
    """As many accounts as need three pages."""
    return Org(wire, ACCOUNTS)


@pytest.fixture
def small(wire: Wire) -> Org:
    """As many accounts as need three collections calls."""
    return Org(wire, ACCOUNTS[: len(PUSHED)])


@pytest.fixture
def inbound(wire: Wire) -> Org:
    """A few accounts, and as many leads as need two pages."""
    return Org(wire, ACCOUNTS[:100], LEADS)


def to(owner: str, ids: list[str] = PUSHED) -> list[OwnerChange]:
    return [OwnerChange("Account", id_, owner) for id_ in ids]


def outcomes(results: tuple[OwnerResult, ...]) -> list[WriteOutcome]:
    return [result.outcome for result in results]


def version_of(org: Org, id_: str) -> str:
    version = org.connector.read_owners([id_])[0].version
    assert version is not None
    return version


class TestSalesforceSource(SourcePromises):
    @pytest.fixture
    def case(self, org: Org) -> SourceCase:
        return SourceCase(
            org.connector,
            "accounts",
            IDS,
            UNKNOWN,
            change=lambda id_: org.edit(id_, BillingCity="Ulm"),
            delete=org.delete,
            damage=lambda id_: org.edit(id_, NumberOfEmployees=-5),
        )


def who_sets(org: Org, kind: str, ids: list[str], unknown: str, field: str) -> HistoryCase:
    def touch(id_: str) -> None:
        org.wire.wait(1)
        org.vendor.edit({"object": kind, "id": id_, "fields": {field: "Ulm"}, "by": INTEGRATION})

    return HistoryCase(
        *(org.connector, kind, ids, unknown, OWNERS, OWNERS[0]),
        human_moves=lambda id_, owner: org.edit(id_, OwnerId=owner),
        integration_touches=touch,
        forgets=lambda: setattr(org.vendor.org.owner_history, "is_tracked", False),
    )


class TestSalesforceTarget(OwnerTargetPromises, OwnerHistoryPromises, TaskTargetPromises):
    @pytest.fixture
    def case(self, small: Org) -> TargetCase:
        return TargetCase(
            small.connector,
            "Account",
            PUSHED,
            UNKNOWN,
            OWNERS,
            GONE,
            human_moves=lambda id_, owner: small.edit(id_, OwnerId=owner),
        )

    @pytest.fixture
    def history(self, small: Org) -> HistoryCase:
        return who_sets(small, "Account", PUSHED, UNKNOWN, "BillingCity")


class TestSalesforceLeads(SourcePromises):
    @pytest.fixture
    def case(self, inbound: Org) -> SourceCase:
        return SourceCase(
            inbound.connector,
            "leads",
            LEAD_IDS,
            UNKNOWN_LEAD,
            change=lambda id_: inbound.edit(id_, City="Ulm"),
            delete=inbound.delete,
            damage=lambda id_: inbound.edit(id_, NumberOfEmployees=-5),
        )


class TestSalesforceLeadTarget(OwnerTargetPromises, OwnerHistoryPromises, TaskTargetPromises):
    @pytest.fixture
    def case(self, inbound: Org) -> TargetCase:
        return TargetCase(
            inbound.connector,
            "Lead",
            LEAD_IDS[: len(PUSHED)],
            UNKNOWN_LEAD,
            OWNERS,
            GONE,
            human_moves=lambda id_, owner: inbound.edit(id_, OwnerId=owner),
        )

    @pytest.fixture
    def history(self, inbound: Org) -> HistoryCase:
        return who_sets(inbound, "Lead", LEAD_IDS[: len(PUSHED)], UNKNOWN_LEAD, "City")


@pytest.mark.parametrize("kind", ["Account", "Lead"])
class TestSalesforceFields(FieldTargetPromises):
    @pytest.fixture
    def field_case(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> FieldCase:
        org, size = Org(Wire(monkeypatch), ACCOUNTS[:250], LEADS[:250]), BATCH + 20

        def shown(id_: str, field: str) -> Any:
            return org.vendor.snapshot()[kind][id_].get(field)

        ids, unknown = (IDS, UNKNOWN) if kind == "Account" else (LEAD_IDS, UNKNOWN_LEAD)
        flag, date = "Human_Outreach_In_Progress__c", "Do_Not_Market_Until__c"
        return FieldCase(org.connector, kind, ids[:size], unknown, flag, date, shown)


# --- what it costs ---


def test_a_pull_costs_one_call_for_each_page_and_one_login(org: Org) -> None:
    rows, _ = everything(org.connector, "accounts")
    assert len(rows) == len(IDS)
    assert org.calls() <= 1.2 * math.ceil(len(rows) / PAGE)
    assert org.logins() == 1


def test_a_later_pull_costs_what_changed_and_not_what_is_there(org: Org) -> None:
    _, cursor = everything(org.connector, "accounts")
    org.edit(IDS[7], BillingCity="Ulm")
    org.wire.journal.clear()
    rows, _ = everything(org.connector, "accounts", cursor)
    assert IDS[7] in {row.id for row in rows}
    assert len(rows) < PAGE
    assert org.calls() == 1


def test_a_push_costs_one_write_for_each_two_hundred_owners(org: Org) -> None:
    changes = to(OWNERS[0], IDS[: 5 * BATCH])
    assert set(outcomes(org.connector.update_owners(changes))) == {WriteOutcome.WRITTEN}
    writes = [entry for entry in org.wire.journal.entries("salesforce") if entry.method != "GET"]
    logins = [entry for entry in writes if entry.operation == "token"]
    assert len(writes) - len(logins) <= 1.2 * math.ceil(len(changes) / BATCH)
    assert len(logins) == 1


def test_owners_and_rows_of_many_accounts_are_read_five_hundred_at_a_time(org: Org) -> None:
    """The ids travel in the address, and the vendor refuses one of more than 16,384 bytes."""
    assert len(org.connector.read_owners(IDS[:1_000])) == 1_000
    assert org.calls() == 2
    assert all(not row.deleted for row in org.connector.pull_rows("accounts", IDS[:1_000]))
    assert org.calls() == 4


# --- tokens ---


def test_a_token_that_expires_in_the_middle_of_a_pull_is_fetched_once_and_no_row_is_lost(org: Org) -> None:
    org.fail("query_more", "expire_token")
    rows, _ = everything(org.connector, "accounts")
    assert sorted(row.id for row in rows) == sorted(IDS)
    assert org.logins() == 2
    refused, repeated, _ = org.door.of("query_more")
    assert (refused.path, refused.query) == (repeated.path, repeated.query)
    assert refused.token != repeated.token


def test_a_token_that_expires_in_the_middle_of_a_push_is_fetched_once_and_the_write_repeated_as_it_was(
    small: Org,
) -> None:
    small.fail("collections_update", "expire_token", nth=2)
    results = small.connector.update_owners(to(OWNERS[0]))
    assert outcomes(results) == [WriteOutcome.WRITTEN] * len(PUSHED)
    assert small.logins() == 2
    _, refused, repeated, _ = small.door.of("collections_update")
    assert (refused.method, refused.path, refused.query) == (repeated.method, repeated.path, repeated.query)
    assert (refused.headers, refused.body) == (repeated.headers, repeated.body)
    assert refused.token != repeated.token
    assert {small.writes(id_) for id_ in PUSHED} == {1}


@pytest.mark.parametrize("refused", ["row_read", "row_update"])
def test_a_persons_edit_while_a_new_token_is_fetched_wins_over_a_conditional_write(small: Org, refused: str) -> None:
    version = version_of(small, IDS[0])
    small.fail(refused, "expire_token")
    small.door.before_next("token", lambda: small.edit(IDS[0], BillingCity="Ulm", OwnerId=OWNERS[1]))
    result = small.connector.update_owner_if(OwnerChange("Account", IDS[0], OWNERS[0]), version)
    assert result.outcome is WriteOutcome.MOVED
    assert small.owner(IDS[0]) == OWNERS[1]
    assert small.logins() == 2


def test_a_conditional_write_is_repeated_with_its_condition_after_a_new_token(small: Org) -> None:
    version = version_of(small, IDS[0])
    small.fail("row_update", "expire_token")
    result = small.connector.update_owner_if(OwnerChange("Account", IDS[0], OWNERS[0]), version)
    assert result.outcome is WriteOutcome.WRITTEN
    refused, repeated = small.door.of("row_update")
    assert (refused.method, refused.path, refused.body) == (repeated.method, repeated.path, repeated.body)
    assert refused.headers == repeated.headers
    assert refused.headers["if-match"]
    assert small.writes(IDS[0]) == 1


def test_salesforce_five_tokens_environments_that_share_a_user_log_each_other_out_and_a_push_goes_on(
    small: Org,
) -> None:
    small.connector.check()
    for _ in range(5):
        small.connect().check()  # five other environments: the sixth session of one user revokes the oldest
    results = small.connector.update_owners(to(OWNERS[0]))
    assert outcomes(results) == [WriteOutcome.WRITTEN] * len(PUSHED)
    assert {small.writes(id_) for id_ in PUSHED} == {1}
    assert small.logins() == 7


def test_tokens_that_last_only_a_few_calls_carry_a_long_push(wire: Wire) -> None:
    org = Org(wire, ACCOUNTS, session_calls=2)
    results = org.connector.update_owners(to(OWNERS[0], IDS[: 5 * BATCH]))
    assert set(outcomes(results)) == {WriteOutcome.WRITTEN}
    assert org.logins() == 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_login_that_is_not_available_for_a_moment_is_waited_out(small: Org, status: int) -> None:
    for nth in (1, 2):
        small.fail("token", "status", nth=nth, status=status)
    results = small.connector.update_owners(to(OWNERS[0]))
    assert set(outcomes(results)) == {WriteOutcome.WRITTEN}
    assert small.logins() == 3


@pytest.mark.parametrize("kind", ["reset", "truncate"])
def test_a_login_whose_answer_is_lost_is_repeated(small: Org, kind: str) -> None:
    small.fail("token", kind)
    results = small.connector.update_owners(to(OWNERS[0]))
    assert set(outcomes(results)) == {WriteOutcome.WRITTEN}
    assert {small.writes(id_) for id_ in PUSHED} == {1}


def test_a_wrong_secret_stops_the_connector_and_names_the_setting(small: Org) -> None:
    with pytest.raises(ConnectorStopped, match="STEWARD_SALESFORCE_CLIENT_SECRET"):
        small.connect(secret="guessed").check()
    assert small.logins() == 1


# --- bursts and limits ---


@pytest.mark.parametrize("status", [429, 503])
def test_a_burst_of_refusals_is_waited_out_by_a_pull(org: Org, status: int) -> None:
    for nth in (2, 3, 4):
        org.fail("*", "status", nth=nth, status=status)
    began_at = org.wire.at
    rows, _ = everything(org.connector, "accounts")
    assert len(rows) == len(IDS)
    assert org.wire.at - began_at > timedelta(seconds=1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_burst_of_refusals_is_waited_out_by_a_push_and_nothing_is_written_twice(small: Org, status: int) -> None:
    for nth in (2, 3):
        small.fail("collections_update", "status", nth=nth, status=status)
    began_at = small.wire.at
    results = small.connector.update_owners(to(OWNERS[0]))
    assert outcomes(results) == [WriteOutcome.WRITTEN] * len(PUSHED)
    assert {small.writes(id_) for id_ in PUSHED} == {1}
    assert small.wire.at - began_at > timedelta(seconds=1)


def test_a_system_that_stays_away_gives_the_push_back_with_what_was_not_written(small: Org) -> None:
    small.connector.update_owners(to(OWNERS[0], PUSHED[:1]))
    small.fail("collections_update", "status", every=1, status=503)
    with pytest.raises(RetryLater):
        small.connector.update_owners(to(OWNERS[0], PUSHED[1:]))
    assert {small.owner(id_) for id_ in PUSHED[1:]} == {OWNERS[1]}


def test_an_allowance_that_runs_out_in_the_middle_of_a_pull_stops_the_connector_and_names_a_mend(wire: Wire) -> None:
    org = Org(wire, ACCOUNTS, daily_calls=2)
    pages = org.connector.pull("accounts")
    assert len(next(pages).rows) == PAGE
    assert len(next(pages).rows) == PAGE
    with pytest.raises(ConnectorStopped) as caught:
        next(pages)
    assert caught.value.code == "REQUEST_LIMIT_EXCEEDED"
    assert caught.value.mend
    assert caught.value.mend in str(caught.value)
    assert org.calls() == 3, "asking again would be useless"


def test_an_allowance_that_is_gone_before_a_push_stops_the_connector_and_names_a_mend(wire: Wire) -> None:
    org = Org(wire, ACCOUNTS[: len(PUSHED)], daily_calls=0)
    with pytest.raises(ConnectorStopped) as caught:
        org.connector.update_owners(to(OWNERS[0]))
    assert caught.value.code == "REQUEST_LIMIT_EXCEEDED"
    assert caught.value.mend
    assert org.calls() == 1


def test_side_by_side_an_allowance_that_runs_out_leaves_the_rest_to_be_tried_again(wire: Wire) -> None:
    org = Org(wire, ACCOUNTS, daily_calls=7)
    results = org.connect(at_once=5).update_owners(to(OWNERS[0], IDS[: 10 * BATCH]))
    assert outcomes(results).count(WriteOutcome.WRITTEN) == 7 * BATCH
    left = [result.remote_id for result in results if result.outcome is WriteOutcome.RETRY]
    assert {org.owner(id_) for id_ in left} == {OWNERS[1]}
    assert len(left) == 3 * BATCH


def test_side_by_side_every_account_is_written_once(wire: Wire) -> None:
    org = Org(wire, ACCOUNTS)
    results = org.connect(at_once=5).update_owners(to(OWNERS[0], IDS[: 10 * BATCH]))
    assert outcomes(results) == [WriteOutcome.WRITTEN] * 10 * BATCH
    assert {org.writes(id_) for id_ in IDS[: 10 * BATCH]} == {1}
    assert org.logins() == 1
    assert org.calls("collections_update") == 10


def test_an_allowance_that_runs_out_in_the_middle_of_a_push_leaves_the_rest_to_be_tried_again(wire: Wire) -> None:
    org = Org(wire, ACCOUNTS[: len(PUSHED)], daily_calls=1)
    results = org.connector.update_owners(to(OWNERS[0]))
    written = [result for result in results if result.outcome is WriteOutcome.WRITTEN]
    waiting = [result for result in results if result.outcome is WriteOutcome.RETRY]
    assert (len(written), len(waiting)) == (BATCH, len(PUSHED) - BATCH)
    assert {result.code for result in waiting} == {"REQUEST_LIMIT_EXCEEDED"}
    assert {org.owner(result.remote_id) for result in waiting} == {OWNERS[1]}
    assert org.calls() == 2


# --- answers that get lost ---

LOST = {
    "a connection reset": ("reset", {"after_commit": True}),
    "silence": ("timeout_after_commit", {"seconds": 0}),
    "half an answer": ("truncate", {}),
}
lost = pytest.mark.parametrize(("kind", "params"), LOST.values(), ids=LOST)


@lost
def test_owners_whose_answer_is_lost_after_the_commit_are_unknown_and_are_not_sent_again(
    small: Org, kind: str, params: dict[str, Any]
) -> None:
    small.fail("collections_update", kind, nth=2, **params)
    results = small.connector.update_owners(to(OWNERS[0]))
    told = outcomes(results)
    assert [told.count(outcome) for outcome in (WriteOutcome.WRITTEN, WriteOutcome.UNKNOWN)] == [250, 200]
    assert small.calls("collections_update") == 3
    assert {small.writes(id_) for id_ in PUSHED} == {1}
    assert {one.owner_id for one in small.connector.read_owners(PUSHED)} == {OWNERS[0]}


def test_owners_that_never_reached_the_org_are_unknown_too(small: Org) -> None:
    small.fail("collections_update", "reset")
    results = small.connector.update_owners(to(OWNERS[0]))
    unknown = [result.remote_id for result in results if result.outcome is WriteOutcome.UNKNOWN]
    assert len(unknown) == BATCH
    assert {small.owner(id_) for id_ in unknown} == {OWNERS[1]}
    assert small.calls("collections_update") == 3


def test_a_push_that_fails_inside_the_org_is_unknown_and_is_not_sent_again(small: Org) -> None:
    small.fail("collections_update", "status", status=500)
    results = small.connector.update_owners(to(OWNERS[0], PUSHED[:3]))
    assert outcomes(results) == [WriteOutcome.UNKNOWN] * 3
    assert small.calls("collections_update") == 1


@pytest.mark.parametrize("kind", ["reset", "timeout_after_commit"])
def test_a_conditional_write_whose_answer_is_lost_is_unknown_and_is_not_sent_again(small: Org, kind: str) -> None:
    version = version_of(small, IDS[0])
    small.fail("row_update", kind, after_commit=True, seconds=0)
    result = small.connector.update_owner_if(OwnerChange("Account", IDS[0], OWNERS[0]), version)
    assert result.outcome is WriteOutcome.UNKNOWN
    assert small.calls("row_update") == 1
    assert small.owner(IDS[0]) == OWNERS[0]


def test_a_task_whose_answer_is_lost_is_not_made_twice(small: Org) -> None:
    small.fail("row_create", "reset", after_commit=True)
    with pytest.raises(Ambiguous):
        small.connector.create_task(NewTask("Account", IDS[0], OWNERS[0], "Introduce yourself", DUE, "k1"))
    (made,) = small.vendor.org.tables["Task"]
    assert small.connector.find_task("Account", IDS[0], "k1") == made


def test_a_task_is_due_on_the_day_of_who_gets_it_and_says_its_key(small: Org) -> None:
    small.connector.create_task(NewTask("Account", IDS[0], OWNERS[0], "Introduce yourself", DUE, "k1"))
    (task,) = small.vendor.org.tables["Task"].values()
    assert (task["ActivityDate"], task["Description"]) == ("2026-11-27", "Made by Steward (k1)")
    assert (task["Status"], task["Priority"]) == ("Not Started", "Normal")


def test_a_task_somebody_deleted_meanwhile_is_found_and_not_made_again(small: Org) -> None:
    made = small.connector.create_task(NewTask("Account", IDS[0], OWNERS[0], "Introduce yourself", DUE, "k1"))
    small.vendor.org.tables["Task"][made]["IsDeleted"] = True
    assert small.connector.find_task("Account", IDS[0], "k1") == made


def test_salesforce_does_not_filter_by_a_description(small: Org) -> None:
    """Why a task is found by reading those of its record."""
    with pytest.raises(SchemaChanged, match="can not be filtered"):
        list(small.connector._api.records("SELECT Id FROM Task WHERE Description = 'Made by Steward (k1)'"))


@pytest.mark.parametrize("operation", ["query_all", "query_more"])
def test_a_page_cut_short_once_is_fetched_again_and_is_whole(org: Org, operation: str) -> None:
    org.fail(operation, "truncate")
    rows, _ = everything(org.connector, "accounts")
    assert sorted(row.id for row in rows) == sorted(IDS)


@pytest.mark.parametrize(("operation", "whole"), [("query_all", 0), ("query_more", 1)])
def test_pages_that_are_always_cut_short_raise_and_never_give_a_short_result(
    org: Org, operation: str, whole: int
) -> None:
    org.fail(operation, "truncate", every=1)
    pages = org.connector.pull("accounts")
    assert [len(next(pages).rows) for _ in range(whole)] == [PAGE] * whole
    with pytest.raises(RetryLater):
        next(pages)


def test_owners_that_are_read_from_a_page_cut_short_raise_and_are_never_taken_for_missing(small: Org) -> None:
    small.fail("query_all", "truncate", every=1)
    with pytest.raises(RetryLater):
        small.connector.read_owners(PUSHED)


def test_a_query_that_the_org_closes_in_the_middle_goes_on_from_the_last_cursor(org: Org) -> None:
    pages = org.connector.pull("accounts")
    first = next(pages)
    org.vendor.expire_cursors()
    with pytest.raises(RetryLater):
        next(pages)
    rest, _ = everything(org.connector, "accounts", first.cursor)
    assert {row.id for row in (*first.rows, *rest)} == set(IDS)


def test_a_query_that_the_org_closed_is_not_asked_for_again(org: Org) -> None:
    """It is gone for good: a minute of asking costs calls and time and cannot help."""
    pages = org.connector.pull("accounts")
    next(pages)
    org.vendor.expire_cursors()
    with pytest.raises(RetryLater):
        next(pages)
    assert org.calls("query_more") == 1


@pytest.mark.parametrize(
    ("operation", "bulk_above"),
    [("query_all", 50_000), ("query_more", 50_000), ("bulk_query_results", PAGE)],
    ids=["first page", "later page", "bulk"],
)
def test_a_page_that_lacks_a_row_raises(
    org: Org, monkeypatch: pytest.MonkeyPatch, operation: str, bulk_above: int
) -> None:
    lose_last(org, operation, monkeypatch)
    with pytest.raises(RetryLater) as caught:
        everything(org.connect(bulk_above=bulk_above), "accounts")
    assert caught.value.code == "CUT_SHORT"


def test_owners_whose_answer_lacks_a_row_are_unknown_as_nobody_can_say_which(
    small: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_last(small, "collections_update", monkeypatch)
    results = small.connector.update_owners(to(OWNERS[0], PUSHED[:3]))
    assert outcomes(results) == [WriteOutcome.UNKNOWN] * 3
    assert small.calls("collections_update") == 1


def lose_last(org: Org, operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of this kind come whole by the rules of HTTP, but without their last row."""
    whole = org.vendor.answer

    def answer(call: Call) -> Reply:
        reply = whole(call)
        if org.vendor.operation(call) != operation:
            return reply
        if isinstance(reply.body, bytes):
            return replace(reply, body=b"\n".join(reply.body.splitlines()[:-1]))
        (reply.body if isinstance(reply.body, list) else reply.body["records"]).pop()
        return reply

    monkeypatch.setattr(org.vendor, "answer", answer)


def test_an_edit_made_while_a_pull_runs_is_pulled_the_next_time(org: Org) -> None:
    edited = IDS[0]  # on the first page, which is here already
    org.door.before_next("query_more", lambda: org.edit(edited, BillingCity="Ulm"))
    first, cursor = everything(org.connector, "accounts")
    assert [row.fields["BillingCity"] for row in first if row.id == edited] == [None]
    rows, _ = everything(org.connector, "accounts", cursor)
    assert [row.fields["BillingCity"] for row in rows if row.id == edited] == ["Ulm"]


# --- rows that fail ---


def test_rows_that_are_locked_are_to_be_tried_again_and_the_others_are_written(small: Org) -> None:
    places = (1, 201, 450)
    for nth in places:
        small.fail("row", "row_lock", nth=nth)
    results = small.connector.update_owners(to(OWNERS[0]))
    locked = [result for result in results if result.outcome is WriteOutcome.RETRY]
    in_order_of_writing = sorted(PUSHED)
    assert {result.remote_id for result in locked} == {in_order_of_writing[nth - 1] for nth in places}
    assert {result.code for result in locked} == {"UNABLE_TO_LOCK_ROW"}
    assert outcomes(results).count(WriteOutcome.WRITTEN) == len(PUSHED) - 3
    assert {small.owner(result.remote_id) for result in locked} == {OWNERS[1]}


def test_an_owner_who_is_inactive_is_rejected_by_name(small: Org) -> None:
    changes = [*to(OWNERS[0], PUSHED[:1]), *to(GONE, PUSHED[1:2])]
    good, bad = small.connector.update_owners(changes)
    assert good.outcome is WriteOutcome.WRITTEN
    assert (bad.outcome, bad.code) == (WriteOutcome.REJECTED, "INACTIVE_OWNER_OR_USER")
    assert GONE in bad.message
    single = small.connector.update_owner_if(changes[1], version_of(small, PUSHED[1]))
    assert (single.outcome, single.code) == (WriteOutcome.REJECTED, "INACTIVE_OWNER_OR_USER")


def test_a_deleted_account_is_told_from_one_that_never_was_and_cannot_be_written(small: Org) -> None:
    small.delete(IDS[0])
    seen = small.connector.read_owners([IDS[0], UNKNOWN])
    assert [one.state for one in seen] == [RecordState.DELETED, RecordState.MISSING]
    (result,) = small.connector.update_owners(to(OWNERS[0], IDS[:1]))
    assert (result.outcome, result.code) == (WriteOutcome.REJECTED, "ENTITY_IS_DELETED")
    with pytest.raises(RecordRejected):
        small.connector.create_task(NewTask("Account", IDS[0], OWNERS[0], "Introduce yourself", DUE, "k1"))


def test_an_id_that_is_none_of_salesforces_is_missing_and_harms_only_itself(small: Org) -> None:
    """Ids come from webhooks and links too. The vendor refuses a whole query for one id it cannot read."""
    misspelt = [f"{IDS[n][:15]}{'BAA' if IDS[n].endswith('AAA') else 'AAA'}" for n in (0, 1)]
    for bad in ("", "acme", "' OR Name != '", *misspelt):
        assert [one.state for one in small.connector.read_owners([IDS[1], bad])] == [
            RecordState.LIVE,
            RecordState.MISSING,
        ]
        assert [row.deleted for row in small.connector.pull_rows("accounts", [bad, IDS[1]])] == [True, False]


def test_the_short_form_of_an_id_names_the_same_account(small: Org) -> None:
    """Reports and old exports give 15 characters: to call that account missing would be wrong."""
    (seen,) = small.connector.read_owners([IDS[0][:15]])
    assert (seen.state, seen.owner_id) == (RecordState.LIVE, OWNERS[1])
    (row,) = small.connector.pull_rows("accounts", [IDS[0][:15]])
    assert not row.deleted


def test_a_persons_edit_within_the_same_second_wins_over_a_conditional_write(small: Org) -> None:
    """Salesforce shows its timestamps in whole seconds."""
    small.edit(IDS[0], OwnerId=OWNERS[0])
    version = version_of(small, IDS[0])
    small.vendor.edit({"object": "Account", "id": IDS[0], "fields": {"OwnerId": OWNERS[1]}, "by": OWNERS[1]})
    result = small.connector.update_owner_if(OwnerChange("Account", IDS[0], INTEGRATION), version)
    assert result.outcome is WriteOutcome.MOVED
    assert small.owner(IDS[0]) == OWNERS[1]


# --- bulk ---


def odd_rows() -> list[dict[str, Any]]:
    return [record | ODD[n] if n < len(ODD) else record for n, record in enumerate(ACCOUNTS[:50])]


def meanings(connector: SalesforceConnector, rows: list[SourceRow]) -> list[tuple[Any, ...]]:
    """What rows say, in whatever form they came."""
    said = [(row.id, row.modified_at, row.deleted, connector.to_value(row)) for row in rows]
    assert all(isinstance(value, AccountRecord) for *_, value in said)
    return sorted(said, key=lambda one: str(one[0]))


def test_a_bulk_pull_brings_the_same_rows_as_pages_do(wire: Wire) -> None:
    org = Org(wire, odd_rows())
    by_pages, cursor = everything(org.connector, "accounts")
    assert org.calls("bulk_query_create") == 0
    in_bulk, bulk_cursor = everything(org.connect(bulk_above=10), "accounts")
    assert org.calls("bulk_query_create") == 1
    assert len(in_bulk) == 50
    assert meanings(org.connector, in_bulk) == meanings(org.connector, by_pages)
    assert bulk_cursor == cursor


def test_a_bulk_pull_in_several_parts_gives_no_cursor_before_its_end(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.salesforce_api.BULK_PAGE", 1_000)
    pages = list(org.connect(bulk_above=PAGE).pull("accounts"))
    assert [len(page.rows) for page in pages] == [1_000, 1_000, 1_000, 1_000, 100]
    assert [page.cursor for page in pages[:-1]] == [None] * 4
    assert pages[-1].cursor is not None
    assert sorted(row.id for page in pages for row in page.rows) == sorted(IDS)


def test_a_token_that_expires_in_the_middle_of_a_bulk_pull_is_fetched_once_and_no_row_is_lost(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.salesforce_api.BULK_PAGE", 2_000)
    org.fail("bulk_query_state", "expire_token", nth=2)
    org.fail("bulk_query_results", "expire_token", nth=2)
    rows, _ = everything(org.connect(bulk_above=PAGE), "accounts")
    assert sorted(row.id for row in rows) == sorted(IDS)
    assert org.logins() == 3
    assert org.calls("bulk_query_create") == 1


def test_an_edit_made_while_a_bulk_pull_runs_is_pulled_the_next_time(wire: Wire) -> None:
    org = Org(wire, odd_rows())
    connector = org.connect(bulk_above=10)
    org.door.before_next("bulk_query_results", lambda: org.edit(IDS[20], BillingCity="Ulm"))
    _, cursor = everything(connector, "accounts")
    rows, _ = everything(connector, "accounts", cursor)
    assert [row.fields["BillingCity"] for row in rows if row.id == IDS[20]] == ["Ulm"]


def test_bulk_results_that_are_always_cut_short_raise(org: Org) -> None:
    org.fail("bulk_query_results", "truncate", every=1)
    with pytest.raises(RetryLater):
        everything(org.connect(bulk_above=PAGE), "accounts")


@pytest.mark.parametrize(("kind", "params"), [("reset", {"after_commit": True}), ("status", {"status": 500})])
def test_a_bulk_query_whose_beginning_got_no_answer_is_begun_again(org: Org, kind: str, params: dict[str, Any]) -> None:
    """A query changes nothing, so that asking twice does no harm, though it is sent by POST."""
    org.fail("bulk_query_create", kind, **params)
    rows, _ = everything(org.connect(bulk_above=PAGE), "accounts")
    assert sorted(row.id for row in rows) == sorted(IDS)


def test_a_bulk_job_that_takes_long_is_waited_for(wire: Wire) -> None:
    org = Org(wire, ACCOUNTS[:50], bulk_polls=8)
    began_at = wire.at
    rows, _ = everything(org.connect(bulk_above=10), "accounts")
    assert len(rows) == 50
    assert wire.at - began_at > timedelta(seconds=30)


def test_a_small_change_after_a_bulk_pull_comes_over_pages(org: Org) -> None:
    connector = org.connect(bulk_above=PAGE)
    _, cursor = everything(connector, "accounts")
    assert isinstance(cursor, Cursor)
    org.edit(IDS[5], BillingCity="Ulm")
    rows, _ = everything(connector, "accounts", cursor)
    assert IDS[5] in {row.id for row in rows}
    assert org.calls("bulk_query_create") == 1


def test_an_account_that_lost_in_a_merge_names_its_master(small: Org) -> None:
    rows, cursor = everything(small.connector, "accounts")
    assert {row.merged_into for row in rows} == {None}
    small.wire.wait(1)
    loser, master = IDS[0], IDS[1]
    small.vendor.edit({"object": "Account", "action": "merge", "id": loser, "into": master, "by": OWNERS[0]})
    later, _ = everything(small.connector, "accounts", cursor)
    assert [(row.deleted, row.merged_into) for row in later if row.id == loser] == [(True, master)]
    (read,) = small.connector.pull_rows("accounts", [loser])
    assert (read.deleted, read.merged_into) == (True, master)


def test_an_account_taken_out_of_the_bin_after_a_merge_is_one_of_its_own_again(small: Org) -> None:
    small.vendor.edit({"object": "Account", "action": "merge", "id": IDS[0], "into": IDS[1], "by": OWNERS[0]})
    small.vendor.edit({"object": "Account", "action": "undelete", "id": IDS[0], "by": OWNERS[0]})
    (read,) = small.connector.pull_rows("accounts", [IDS[0]])
    assert (read.deleted, read.merged_into) == (False, None)
