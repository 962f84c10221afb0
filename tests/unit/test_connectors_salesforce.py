"""What Salesforce answers, and what we make of it. The client library is the real one; only the wire is scripted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from connectors.base import Cursor, OwnerChange, SourceRow, WriteOutcome
from connectors.errors import BadRecord, ConnectorStopped, RetryLater, SchemaChanged
from connectors.http import Patience
from connectors.salesforce import SalesforceConnector
from connectors.salesforce_api import SalesforceApi

NOW = "Tue, 24 Nov 2026 02:00:00 GMT"
EXPIRED = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
LIMIT = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
LOCKED = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access", "fields": []}
INACTIVE = {"statusCode": "INACTIVE_OWNER_OR_USER", "message": "operation performed with inactive user", "fields": []}
CHANGE = OwnerChange("Account", "001000000000001AAA", "005000000000001AAA")
Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]] | Exception


class Wire:
    """Answers calls in order, logs in whoever asks, and keeps every request."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[requests.PreparedRequest] = []
        self.logins = 0

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        if request.path_url.endswith("/oauth2/token"):
            self.logins += 1
            token = {"access_token": f"token-{self.logins}", "instance_url": "https://acme.my.salesforce.com"}
            return response(request, 200, token)
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return response(request, *answer)


def response(
    request: requests.PreparedRequest, status: int, body: Any, headers: dict[str, str] | None = None
) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made.url = str(request.url)
    made.request = request
    made.headers.update({"Date": NOW, **(headers or {})})
    made._content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return made


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    monkeypatch.setattr(HTTPAdapter, "send", lambda self, request, **how: wire.send(request))
    return wire


@pytest.fixture
def salesforce() -> SalesforceConnector:
    patience = Patience(sleep=lambda seconds: None)
    return SalesforceConnector(SalesforceApi("acme.my", "id", "secret", patience=patience), bulk_above=5)


def account(n: int, modified: str = "2026-11-20T00:00:00.000+0000", **other: Any) -> dict[str, Any]:
    return {"Id": f"001{n:012}AAA", "Name": f"A{n}", "SystemModstamp": modified, "IsDeleted": False, **other}


def page(records: list[dict[str, Any]], total: int, following: str | None = None) -> Answer:
    return (200, {"totalSize": total, "done": following is None, "records": records, "nextRecordsUrl": following})


def test_a_conditional_write_is_still_conditional_after_the_session_was_refreshed(
    wire: Wire, salesforce: SalesforceConnector
) -> None:
    wire.answers = [(401, EXPIRED), (412, [{"message": "moved", "errorCode": "PRECONDITION_FAILED"}])]
    assert salesforce.update_owner_if(CHANGE, '"etag-1"').outcome is WriteOutcome.MOVED
    assert [request.headers["If-Match"] for request in wire.requests] == ['"etag-1"', '"etag-1"']
    assert [request.headers["Authorization"] for request in wire.requests] == ["Bearer token-1", "Bearer token-2"]


def test_a_session_that_is_refused_again_after_refresh_stops_the_connector(
    wire: Wire, salesforce: SalesforceConnector
) -> None:
    wire.answers = [(401, EXPIRED), (401, EXPIRED)]
    with pytest.raises(ConnectorStopped, match="STEWARD_SALESFORCE_CLIENT_ID"):
        salesforce.check()
    assert wire.logins == 2


def test_a_write_that_times_out_is_unknown_and_is_not_sent_again(wire: Wire, salesforce: SalesforceConnector) -> None:
    wire.answers = [requests.ReadTimeout()]
    assert [result.outcome for result in salesforce.update_owners([CHANGE])] == [WriteOutcome.UNKNOWN]
    assert len(wire.requests) == 1


def test_a_write_that_fails_inside_salesforce_is_unknown(wire: Wire, salesforce: SalesforceConnector) -> None:
    wire.answers = [(500, [{"message": "oops", "errorCode": "UNKNOWN_EXCEPTION"}])]
    assert [result.outcome for result in salesforce.update_owners([CHANGE])] == [WriteOutcome.UNKNOWN]


def test_an_answer_to_a_write_that_breaks_off_is_unknown(wire: Wire, salesforce: SalesforceConnector) -> None:
    wire.answers = [(200, b'[{"id": "001')]
    assert [result.outcome for result in salesforce.update_owners([CHANGE])] == [WriteOutcome.UNKNOWN]


def test_failed_rows_are_told_apart_by_position_as_they_carry_no_id(
    wire: Wire, salesforce: SalesforceConnector
) -> None:
    changes = [OwnerChange("Account", f"001{n:012}AAA", "005000000000001AAA") for n in (2, 1, 3)]
    # Sent in order of id: 1, 2, 3.
    failed = [{"success": False, "errors": [LOCKED]}, {"success": False, "errors": [INACTIVE]}]
    wire.answers = [(200, [failed[0], {"id": "x", "success": True, "errors": []}, failed[1]])]
    outcomes = [result.outcome for result in salesforce.update_owners(changes)]
    assert outcomes == [WriteOutcome.WRITTEN, WriteOutcome.RETRY, WriteOutcome.REJECTED]


def test_an_api_allowance_that_is_used_up_stops_the_connector_without_a_second_try(
    wire: Wire, salesforce: SalesforceConnector
) -> None:
    wire.answers = [(403, LIMIT)]
    with pytest.raises(ConnectorStopped, match="allowance"):
        salesforce.update_owners([CHANGE])
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "answers",
    [
        [page([account(1)], 2)],
        [page([account(1)], 4, "/services/data/v66.0/query/01g-2"), page([account(3), account(4)], 4)],
        [(200, {"totalSize": 2, "done": False, "records": [account(1)]})],
    ],
    ids=["fewer rows than counted", "a page short of the next one's offset", "not done, but no next page"],
)
def test_a_result_that_is_cut_short_is_an_error_and_never_a_short_result(
    wire: Wire, salesforce: SalesforceConnector, answers: list[Answer]
) -> None:
    wire.answers = answers
    with pytest.raises(RetryLater):
        list(salesforce.pull("accounts"))


def test_a_burst_of_server_errors_is_outlasted_by_a_read(wire: Wire, salesforce: SalesforceConnector) -> None:
    busy = [{"message": "busy", "errorCode": "SERVER_UNAVAILABLE"}]
    wire.answers = [(503, busy), (500, busy), requests.ConnectionError(), page([account(1)], 1)]
    assert [row.id for one in salesforce.pull("accounts") for row in one.rows] == [account(1)["Id"]]


def test_a_missing_field_stops_the_stream(wire: Wire, salesforce: SalesforceConnector) -> None:
    wire.answers = [(400, [{"message": "No such column 'Segment__c'", "errorCode": "INVALID_FIELD"}])]
    with pytest.raises(SchemaChanged, match="Segment__c"):
        list(salesforce.pull("accounts"))


def test_a_later_pull_asks_again_for_the_last_minutes(wire: Wire, salesforce: SalesforceConnector) -> None:
    wire.answers = [page([], 0)]
    cursor = Cursor("2026-11-20T10:00:00.000Z")
    (only,) = salesforce.pull("accounts", cursor)
    assert only.cursor == cursor
    assert "SystemModstamp+%3E%3D+2026-11-20T09%3A58%3A00.000Z" in str(wire.requests[0].url)


def test_a_row_that_changes_while_we_page_does_not_carry_the_cursor_past_others(
    wire: Wire, salesforce: SalesforceConnector
) -> None:
    after_the_query_began = account(2, "2026-11-24T02:05:00.000+0000")
    first = page([account(1), after_the_query_began], 3, "/services/data/v66.0/query/01g-2")
    wire.answers = [first, page([account(3, "2026-11-21T00:00:00.000+0000")], 3)]
    cursors = [one.cursor for one in salesforce.pull("accounts")]
    assert [cursor.high_water for cursor in cursors if cursor] == [
        "2026-11-20T00:00:00.000Z",
        "2026-11-21T00:00:00.000Z",
    ]


@pytest.fixture
def bulk_rows() -> Callable[[int], bytes]:
    def rows(count: int) -> bytes:
        lines = [
            f'"001{n:012}AAA","A{n}","1{n}","2026-11-20T00:00:00.000Z","false","true"' for n in range(1, count + 1)
        ]
        return "\n".join(["Id,Name,NumberOfEmployees,SystemModstamp,IsDeleted,Do_Not_Route__c", *lines]).encode()

    return rows


def bulk(total: int, content: bytes, count: int) -> list[Answer]:
    created = {"id": "750x", "state": "UploadComplete", "createdDate": "2026-11-24T02:00:00.000+0000"}
    complete = {**created, "state": "JobComplete", "numberRecordsProcessed": total}
    headers = {"Sforce-Locator": "null", "Sforce-NumberOfRecords": str(count)}
    return [
        page([account(1)], total, "/services/data/v66.0/query/01g-1"),
        (200, created),
        (200, {**created, "state": "InProgress"}),
        (200, complete),
        (200, content, headers),
    ]


def test_many_rows_come_over_bulk_in_the_shape_of_the_others(
    wire: Wire, salesforce: SalesforceConnector, bulk_rows: Callable[[int], bytes]
) -> None:
    wire.answers = bulk(6, bulk_rows(6), 6)
    (only,) = salesforce.pull("accounts")
    values = [salesforce.to_value(row) for row in only.rows]
    assert [(value.employees, value.do_not_route) for value in values if value][:2] == [(11, True), (12, True)]
    assert only.expected == 6
    assert only.cursor == Cursor("2026-11-20T00:00:00.000Z", "001000000000006AAA")


def test_a_bulk_result_with_rows_missing_is_an_error(
    wire: Wire, salesforce: SalesforceConnector, bulk_rows: Callable[[int], bytes]
) -> None:
    wire.answers = bulk(6, bulk_rows(4), 6)
    with pytest.raises(RetryLater):
        list(salesforce.pull("accounts"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("NumberOfEmployees", "about fifty"),
        ("NumberOfEmployees", float("nan")),
        ("NumberOfEmployees", -5),
        ("NumberOfEmployees", True),
        ("Name", "x" * 400_000),
        ("Name", "Acme\0Corp"),
        ("Name", 42),
        ("Do_Not_Route__c", "perhaps"),
        ("LastActivityDate", "yesterday"),
    ],
)
def test_a_value_of_the_wrong_kind_names_the_field_and_the_mend(
    salesforce: SalesforceConnector, field: str, value: object
) -> None:
    row = SourceRow("salesforce", "accounts", "001x", datetime(2026, 11, 20, tzinfo=UTC), account(1) | {field: value})
    with pytest.raises(BadRecord, match=field) as caught:
        salesforce.to_value(row)
    assert field in caught.value.mend
    assert len(str(caught.value)) < 500
