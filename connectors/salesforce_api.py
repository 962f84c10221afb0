"""Salesforce over HTTPS: login, sending, paging, bulk queries, and the one place where its errors get our names.

Built on simple-salesforce 1.12.10 (login and its exceptions), whose own session refresh is not used: after a 401 it
sends the request again without the caller's headers, so that a conditional PATCH became an unconditional one and
overwrote an owner. Here a session is refreshed once and the call repeated exactly as it was.

Wire formats: Salesforce REST API Developer Guide; Bulk API 2.0 Developer Guide (query jobs).
"""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from simple_salesforce import Salesforce, SalesforceLogin
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError, SalesforceExpiredSession
from simple_salesforce.util import call_salesforce

from connectors.base import OwnerResult, WriteOutcome
from connectors.errors import (
    Ambiguous,
    ConnectorError,
    ConnectorStopped,
    OwnerMoved,
    RecordRejected,
    RetryLater,
    SchemaChanged,
)
from connectors.fields import to_instant
from connectors.http import READ_TIMEOUT_S, Egress, EgressSession, Patience, from_requests

NAME = "salesforce"
CREDENTIALS_MEND = "Check STEWARD_SALESFORCE_DOMAIN, STEWARD_SALESFORCE_CLIENT_ID and STEWARD_SALESFORCE_CLIENT_SECRET"
# Calls under way: an org takes 25 that last over 20 seconds; more of ours would only wait for each other's locks.
AT_ONCE = 5
BULK_POLL_S = 2.0
BULK_LONGEST_POLL_S = 30.0
BULK_POLLS = 240  # about two hours at the longest interval
BULK_PAGE = 50_000  # rows a result page, the client library's own default

# Row and request codes that mean "not done, ask again".
NOT_DONE = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"})
# Codes after which asking again, for any record, is useless until a person acts.
STOPPING = {
    "REQUEST_LIMIT_EXCEEDED": "The org's daily API allowance is used up; wait for the next 24 hours or raise it",
    "INVALID_SESSION_ID": CREDENTIALS_MEND,
    "API_DISABLED_FOR_ORG": "Let the integration user use the API (permission API Enabled)",
    "API_CURRENTLY_DISABLED": "Let the integration user use the API (permission API Enabled)",
    "FUNCTIONALITY_NOT_ENABLED": "Let the integration user use the API (permission API Enabled)",
}
SCHEMA = frozenset({"INVALID_FIELD", "INVALID_TYPE", "MALFORMED_QUERY", "UNSUPPORTED_API_VERSION"})


@dataclass(frozen=True, slots=True)
class QueryPage:
    """Some records of a query. `started_at` is the vendor's clock when the query began.

    `resumable` is False where the order of records says nothing, so that no cursor may be taken before the end.
    """

    records: tuple[dict[str, Any], ...]
    expected: int
    started_at: datetime | None
    last: bool
    resumable: bool = True


class SalesforceApi:
    """One org, one integration user (OAuth client credentials). Logs in at the first call."""

    def __init__(
        self,
        domain: str,
        client_id: str,
        client_secret: str,
        *,
        version: str = "66.0",
        egress: Egress | None = None,
        patience: Patience | None = None,
        timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._domain = domain
        self._client_id = client_id
        self._client_secret = client_secret
        self._version = version
        self._patience = patience or Patience()
        self._http = EgressSession(egress or Egress(), timeout_s)
        self._lock = threading.Lock()
        self._lanes = threading.BoundedSemaphore(AT_ONCE)
        self._session: Any = None

    # --- calls ---

    def get(self, path: str, *, params: Mapping[str, Any] | None = None, accept: str | None = None) -> Any:
        """GET below the API's base path (or from the root, when it begins with "/"); the library's response."""
        headers = {"Accept": accept} if accept else {}
        return self._patience.read(lambda: self._call("GET", path, params=params, headers=headers))

    def send(self, method: str, path: str, body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> Any:
        """Write; repeated only where Salesforce said that it was not done. Raises `Ambiguous` when no answer came."""
        return self._patience.write(lambda: self._call(method, path, json=body, headers=headers or {}))

    def _call(self, method: str, path: str, *, headers: Mapping[str, str], **how: Any) -> Any:
        session = self._current()
        try:
            return self._send(session, method, path, headers, how)
        except SalesforceExpiredSession as error:
            if error_code(error) != "INVALID_SESSION_ID":
                raise to_error(error) from error
        except (SalesforceError, requests.RequestException) as error:
            raise to_error(error) from error
        # A 401 says that nothing was done: same call, same headers, new session.
        session = self._current(instead_of=session)
        try:
            return self._send(session, method, path, headers, how)
        except (SalesforceError, requests.RequestException) as error:
            raise to_error(error) from error

    def _send(self, session: Any, method: str, path: str, headers: Mapping[str, str], how: Mapping[str, Any]) -> Any:
        url = f"https://{session.sf_instance}{path}" if path.startswith("/") else session.base_url + path
        with self._lanes:
            return call_salesforce(url, method, self._http, {**session.headers, **headers}, **how)

    def _current(self, instead_of: Any = None) -> Any:
        with self._lock:
            # Another thread may have refreshed it already.
            if self._session is None or self._session is instead_of:
                self._session = self._log_in()
            return self._session

    def _log_in(self) -> Any:
        try:
            session_id, instance = SalesforceLogin(
                session=self._http,
                consumer_key=self._client_id,
                consumer_secret=self._client_secret,
                domain=self._domain,
            )
        except (SalesforceAuthenticationFailed, requests.RequestException) as error:
            # A login changes nothing at the vendor, so that no answer is as good as "not done".
            raise _login_error(error) from error
        except AttributeError as error:  # the library expects an object; an overloaded org answers with a list
            raise RetryLater(NAME, "no token came from the login", code="LOGIN") from error
        return Salesforce(
            session_id=session_id, instance_url=f"https://{instance}", version=self._version, session=self._http
        )

    # --- queries ---

    def query_pages(self, soql: str, *, bulk_above: int | None = None) -> Iterator[QueryPage]:
        """Every record of a query, deleted ones too; over Bulk 2.0 when it has more than `bulk_above` rows.

        Raises `RetryLater` when a page is cut short or the pages do not add up to the vendor's count.
        """
        response = self.get("queryAll/", params={"q": soql})
        started_at = vendor_clock(response)
        body = _query_body(response)
        expected = int(body["totalSize"])
        if bulk_above is not None and expected > bulk_above:
            yield from self._bulk_pages(soql)
            return
        seen = 0
        while True:
            seen += len(body["records"])
            following = body.get("nextRecordsUrl")
            check_page(bool(body["done"]), following, seen, expected)
            yield QueryPage(tuple(body["records"]), expected, started_at, last=not following)
            if not following:
                return
            body = _query_body(self._next_page(following))

    def records(self, soql: str) -> Iterator[dict[str, Any]]:
        """Every record of a query. Raises as `query_pages`."""
        for page in self.query_pages(soql):
            yield from page.records

    def _next_page(self, following: str) -> Any:
        try:
            return self.get(following)
        except RecordRejected as error:
            if error.code != "INVALID_QUERY_LOCATOR":
                raise
            raise cut_short("the org closed the query before its last page") from error

    def _bulk_pages(self, soql: str) -> Iterator[QueryPage]:
        # The library's bulk client neither refreshes a session nor lets us choose how to wait.
        body = {"operation": "queryAll", "query": soql, "columnDelimiter": "COMMA", "lineEnding": "LF"}
        # A second job for the same query costs one job and does no harm.
        created = self._patience.read(lambda: self._call("POST", "jobs/query", json=body, headers={})).json()
        job = self._await_job(str(created["id"]))
        expected, seen, locator = int(job["numberRecordsProcessed"]), 0, ""
        while True:
            params: dict[str, Any] = {"maxRecords": BULK_PAGE} | ({"locator": locator} if locator else {})
            response = self.get(f"jobs/query/{created['id']}/results", params=params, accept="text/csv")
            records = from_bulk_csv(response.content.decode("utf-8"))
            seen += len(records)
            locator = response.headers.get("Sforce-Locator", "null")
            last = locator in ("", "null")
            short = len(records) != int(response.headers.get("Sforce-NumberOfRecords", -1))
            if short or (last and seen != expected):
                raise cut_short(f"a bulk query gave {seen:,} of {expected:,} rows")
            yield QueryPage(tuple(records), expected, to_instant(created.get("createdDate")), last, resumable=False)
            if last:
                return

    def _await_job(self, job_id: str) -> Mapping[str, Any]:
        wait_s = BULK_POLL_S
        for _ in range(BULK_POLLS):
            job: dict[str, Any] = self.get(f"jobs/query/{job_id}").json()
            if job["state"] == "JobComplete":
                return job
            if job["state"] in ("Failed", "Aborted"):
                problem = str(job.get("errorMessage") or "no reason given")
                raise RetryLater(NAME, f"bulk query {job_id} {job['state'].lower()}: {problem}", code="BULK_FAILED")
            self._patience.sleep(wait_s)
            wait_s = min(wait_s * 1.5, BULK_LONGEST_POLL_S)
        raise RetryLater(NAME, f"bulk query {job_id} is still running", code="BULK_SLOW")


def row_results(response: Any, ids: Sequence[str]) -> list[OwnerResult]:
    """What became of each row of a collections call, by the ids that were sent: failed rows carry none of their own.

    Raises `Ambiguous` when there is not one answer for each.
    """
    try:
        answers = response.json()
    except ValueError as error:
        raise Ambiguous(NAME, "the answer to a write is not whole", code="NO_ANSWER") from error
    if not isinstance(answers, list) or len(answers) != len(ids):
        raise Ambiguous(NAME, "the answer does not have one result for each row", code="BAD_ANSWER")
    return [_row_result(id_, answer) for id_, answer in zip(ids, answers, strict=True)]


def _row_result(id_: str, answer: dict[str, Any]) -> OwnerResult:
    """One row: `{"id", "success", "errors": [{"statusCode", "message", "fields"}]}`."""
    if answer.get("success") is True:
        return OwnerResult(id_, WriteOutcome.WRITTEN)
    errors = answer.get("errors") or [{}]
    code, message = str(errors[0].get("statusCode", "")), str(errors[0].get("message", ""))
    return OwnerResult(id_, WriteOutcome.RETRY if code in NOT_DONE else WriteOutcome.REJECTED, code, message)


def check_page(done: bool, following: str | None, seen: int, expected: int) -> None:
    """A page that is not the last must say where the next begins, and the last must complete the count.

    `nextRecordsUrl` ends in the offset of the next record (`/query/01g…-2000`), which tells at once whether all
    records before it came; the count alone would tell only after later pages' cursors had been stored.
    """
    if done == bool(following):
        raise cut_short(f"a page says done={str(done).lower()} and {'has' if following else 'has no'} next page")
    if following:
        offset = re.search(r"-(\d+)$", following)
        if offset is None or int(offset[1]) != seen:
            raise cut_short(f"{seen:,} rows came before a page that begins at {offset[1] if offset else 'nowhere'}")
    elif seen != expected:
        raise cut_short(f"{seen:,} of {expected:,} rows came")


def cut_short(problem: str) -> RetryLater:
    """A result that is not whole must never be taken for one."""
    return RetryLater(NAME, problem, code="CUT_SHORT")


def vendor_clock(response: Any) -> datetime | None:
    """When Salesforce answered, by its own clock (Date header, whole seconds)."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return None


def _query_body(response: Any) -> dict[str, Any]:
    try:
        body = response.json()
    except requests.RequestException as error:
        raise cut_short("a page is not whole JSON") from error
    if not isinstance(body, dict) or not isinstance(body.get("records"), list) or "totalSize" not in body:
        raise SchemaChanged(NAME, "a query answered something else than records", code="BAD_ANSWER")
    return body


BULK_FLAGS = frozenset({"IsDeleted", "IsActive", "IsConverted", "HasOptedOutOfEmail", "Do_Not_Route__c"})
BULK_COUNTS = frozenset({"NumberOfEmployees"})


def from_bulk_csv(text: str) -> list[dict[str, Any]]:
    """Bulk rows in the shape REST gives them: null for empty, true/false, numbers. Unreadable values stay text."""
    # NUL bytes come through bulk results and stop the csv module.
    lines = io.StringIO(text.replace("\0", ""), newline="")
    return [{field: _from_bulk(field, value) for field, value in row.items()} for row in csv.DictReader(lines)]


def _from_bulk(field: str, value: str | None) -> Any:
    if not value:
        return None
    if field in BULK_FLAGS and value in ("true", "false"):
        return value == "true"
    if field in BULK_COUNTS and value.lstrip("-").isdigit():
        return int(value)
    return value


# --- errors ---


def first_error(error: SalesforceError) -> tuple[str, str]:
    """Code and message of the first error in a body of `[{"message", "errorCode", "fields"}]`."""
    content = error.content
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return str(content[0].get("errorCode", "")), str(content[0].get("message", ""))
    return f"HTTP_{error.status}", str(content)[:200]


def error_code(error: SalesforceError) -> str:
    """The vendor's code, or HTTP_<status> when the body has none."""
    return first_error(error)[0]


def to_error(error: Exception) -> ConnectorError:
    """What a failed call means for the caller."""
    if isinstance(error, requests.RequestException):
        return from_requests(NAME, error)
    if not isinstance(error, SalesforceError):
        return Ambiguous(NAME, f"failed: {type(error).__name__}", code="NO_ANSWER")
    code, message = first_error(error)
    return _by_code(code, message) or _by_status(error.status, code, message)


def _by_code(code: str, message: str) -> ConnectorError | None:
    if code in STOPPING:
        return ConnectorStopped(NAME, message, code=code, mend=STOPPING[code])
    if code in NOT_DONE:
        return RetryLater(NAME, message, code=code)
    if code in SCHEMA:
        mend = "Restore the field or object, or let the integration user read it"
        return SchemaChanged(NAME, message, code=code, mend=mend)
    return None


def _by_status(status: int, code: str, message: str) -> ConnectorError:
    if status == 401:
        return ConnectorStopped(NAME, message, code=code, mend=CREDENTIALS_MEND)
    if status == 412:
        return OwnerMoved(NAME, "the record changed since it was read", code="PRECONDITION_FAILED")
    if status in (429, 503):
        return RetryLater(NAME, message, code=code)
    if status >= 500:
        return Ambiguous(NAME, message, code=code)
    return RecordRejected(NAME, message, code=code)


def _login_error(error: Exception) -> ConnectorError:
    if isinstance(error, SalesforceAuthenticationFailed):
        if isinstance(error.code, int) and (error.code == 429 or error.code >= 500):
            return RetryLater(NAME, "the login is not available", code=f"HTTP_{error.code}")
        return ConnectorStopped(
            NAME, f"login refused: {error.auth_message}", code=str(error.code or ""), mend=CREDENTIALS_MEND
        )
    mapped = to_error(error)
    if isinstance(mapped, Ambiguous):
        return RetryLater(NAME, "the login gave no answer", code=mapped.code)
    return mapped


__all__ = ["NAME", "QueryPage", "SalesforceApi", "check_page", "from_bulk_csv", "to_error"]
