"""Reads are repeated, writes only when the vendor said they were not done, and nobody waits beyond the budget."""

from __future__ import annotations

from collections.abc import Callable
from http.client import RemoteDisconnected

import pytest
import requests
from urllib3.exceptions import ProxyError

from connectors.base import OwnerChange, OwnerResult, WriteOutcome
from connectors.batches import write_in_batches
from connectors.errors import Ambiguous, ConnectorError, ConnectorStopped, RetryLater
from connectors.http import Egress, EgressSession, Patience, TokenBucket, from_requests, retry_after_s
from connectors.hubspot_api import to_error as hubspot_error


class Script:
    """A call that fails as told, then succeeds."""

    def __init__(self, *errors: ConnectorError) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def patience(waits: list[float], budget_s: float = 60.0) -> Patience:
    return Patience(budget_s=budget_s, sleep=waits.append)


def test_a_read_is_repeated_after_no_answer() -> None:
    call = Script(Ambiguous("x", "timeout"), RetryLater("x", "busy"))
    assert patience([]).read(call) == "done"
    assert call.calls == 3


def test_a_write_without_an_answer_is_never_repeated() -> None:
    call = Script(Ambiguous("x", "timeout"))
    with pytest.raises(Ambiguous):
        patience([]).write(call)
    assert call.calls == 1


def test_a_write_that_was_surely_not_done_is_repeated() -> None:
    call = Script(RetryLater("x", "rate limit"))
    assert patience([]).write(call) == "done"


def test_a_read_that_never_answers_ends_as_retry_later() -> None:
    with pytest.raises(RetryLater):
        patience([]).read(Script(*[Ambiguous("x", "timeout")] * 20))


def test_the_vendors_retry_after_is_honoured() -> None:
    waits: list[float] = []
    patience(waits).read(Script(RetryLater("x", "busy", retry_after_s=7)))
    assert waits == [7]


def test_a_retry_after_beyond_the_budget_is_handed_back_at_once() -> None:
    waits: list[float] = []
    with pytest.raises(RetryLater) as caught:
        patience(waits, budget_s=60).read(Script(RetryLater("x", "busy", retry_after_s=3600)))
    assert waits == []
    assert caught.value.retry_after_s == 3600


def test_waits_never_add_up_to_more_than_the_budget() -> None:
    waits: list[float] = []
    with pytest.raises(RetryLater):
        patience(waits, budget_s=5).read(Script(*[RetryLater("x", "busy")] * 20))
    assert sum(waits) <= 5


def test_a_stopped_connector_is_not_asked_again() -> None:
    call = Script(ConnectorStopped("x", "no"))
    with pytest.raises(ConnectorStopped):
        patience([]).read(call)
    assert call.calls == 1


def test_five_searches_a_second_make_the_sixth_wait() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    bucket = TokenBucket(5, 1.0, clock=lambda: now[0], sleep=sleep)
    at = []
    for _ in range(12):
        bucket.take()
        at.append(now[0])
    assert at == [0.0] * 5 + [1.0] * 5 + [2.0] * 2


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("-1", 0.0), ("soon", None), (None, None)])
def test_retry_after_is_read_as_seconds(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header) == seconds


def test_an_unused_port_is_surely_not_sent_and_a_cut_connection_may_have_been() -> None:
    session = EgressSession(Egress())
    with pytest.raises(requests.RequestException) as refused:
        session.get("http://127.0.0.1:1/")
    assert isinstance(from_requests("x", refused.value), RetryLater)
    assert isinstance(from_requests("x", requests.ReadTimeout()), Ambiguous)


def test_a_connection_that_breaks_behind_a_proxy_may_have_been_sent() -> None:
    # As urllib3 names it when the proxy was reached, the request sent, and the connection then lost.
    broken = ProxyError("Unable to connect to proxy", RemoteDisconnected("Remote end closed connection"))
    refused = ProxyError("Unable to connect to proxy", OSError("Tunnel connection failed: 403 Forbidden"))
    assert isinstance(from_requests("x", requests.exceptions.ProxyError(broken)), Ambiguous)
    assert isinstance(from_requests("x", requests.exceptions.ProxyError(refused)), RetryLater)
    assert isinstance(hubspot_error(broken), Ambiguous)
    assert isinstance(hubspot_error(refused), RetryLater)


def test_the_environment_cannot_change_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    session = EgressSession(Egress())
    settings = session.merge_environment_settings("https://a.example", {}, None, None, None)
    assert settings["proxies"] == {}
    assert settings["verify"] is True


# --- batches ---


def changes(count: int) -> list[OwnerChange]:
    return [OwnerChange("Account", f"a{n:03}", "u1") for n in reversed(range(count))]


def writing(*answers: ConnectorError | None) -> Callable[..., list[OwnerResult]]:
    left = list(answers)

    def write(batch: list[OwnerChange]) -> list[OwnerResult]:
        answer = left.pop(0)
        if answer:
            raise answer
        return [OwnerResult(change.remote_id, WriteOutcome.WRITTEN) for change in batch]

    return write


def test_a_batch_without_an_answer_is_unknown_and_the_next_goes_on() -> None:
    results = write_in_batches(changes(6), 2, writing(None, Ambiguous("x", "timeout"), None))
    by_id = {result.remote_id: result.outcome for result in results}
    assert [by_id[f"a{n:03}"].value for n in range(6)] == ["written"] * 2 + ["unknown"] * 2 + ["written"] * 2


def test_an_allowance_that_ends_halfway_leaves_the_rest_to_retry() -> None:
    results = write_in_batches(changes(6), 2, writing(None, ConnectorStopped("x", "limit", code="LIMIT")))
    outcomes = sorted((result.remote_id, result.outcome.value) for result in results)
    assert [outcome for _, outcome in outcomes] == ["written"] * 2 + ["retry"] * 4


def test_an_allowance_that_was_gone_before_the_first_write_is_raised() -> None:
    with pytest.raises(ConnectorStopped):
        write_in_batches(changes(3), 2, writing(ConnectorStopped("x", "limit")))


def test_results_come_in_the_order_of_the_changes_although_rows_are_locked_in_another() -> None:
    asked = changes(5)
    results = write_in_batches(asked, 2, writing(None, None, None))
    assert [result.remote_id for result in results] == [change.remote_id for change in asked]
