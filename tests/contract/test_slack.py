"""Slack keeps every promise of a notifier, over TLS and through a proxy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from connectors.base import Notice, Question
from connectors.errors import ConnectorStopped, RecordRejected, RetryLater
from connectors.http import Egress, Patience
from connectors.slack import SlackNotifier, to_blocks
from tests.contract.promises import NotifierCase, NotifierPromises

EMAIL = "dana.whitfield@northwind-data.example"
TOKEN = "xoxb-steward"
WORLD = {
    "slack": {
        "token": TOKEN,
        "team_id": "T01",
        "users": [{"id": "U01", "name": "dana", "profile": {"email": EMAIL}}],
    }
}


@pytest.fixture
def vendors(tmp_path: Path) -> Iterator[Any]:
    from emulators.server import EmulatedVendors

    options = {"slack": {"post_interval": timedelta(0)}}
    with EmulatedVendors(WORLD, tmp_path, options=options, only={"slack"}) as vendors:
        yield vendors


def connect(vendors: Any, token: str = TOKEN) -> SlackNotifier:
    return SlackNotifier(token, egress=Egress(vendors.gateway_url, vendors.ca_file), patience=Patience(budget_s=5))


class TestSlack(NotifierPromises):
    @pytest.fixture
    def case(self, vendors: Any) -> NotifierCase:
        def delivered() -> int:
            return sum(len(one["messages"]) for one in vendors.vendors["slack"].snapshot()["conversations"].values())

        return NotifierCase(connect(vendors), EMAIL, delivered)

    def test_a_wrong_token_names_the_setting(self, vendors: Any) -> None:
        with pytest.raises(ConnectorStopped, match="STEWARD_SLACK_TOKEN"):
            connect(vendors, "xoxb-wrong").check()

    def test_an_untrusted_certificate_names_the_setting(self, vendors: Any) -> None:
        with pytest.raises(ConnectorStopped, match="STEWARD_CA_FILE"):
            SlackNotifier(TOKEN, egress=Egress(vendors.gateway_url)).check()


@pytest.mark.parametrize(
    ("status", "page"), [(200, b"<html>Back soon"), (302, b""), (200, "gleich zurück".encode("latin-1")), (200, b"{}")]
)
def test_what_answers_in_place_of_slack_says_nothing_of_anybody(status: int, page: bytes) -> None:
    class InPlace(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    with HTTPServer(("127.0.0.1", 0), InPlace) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        notifier = SlackNotifier(TOKEN, patience=Patience(budget_s=0))
        notifier._slack.base_url = f"http://127.0.0.1:{server.server_port}/api/"
        with pytest.raises(RetryLater) as told:
            notifier.notify(Notice(EMAIL, "New", ("a",), "k"))
        assert "Back soon" not in str(told.value)
        server.shutdown()


def test_a_company_named_like_a_mention_calls_nobody() -> None:
    blocks = to_blocks(Notice(EMAIL, "New account", ("<!channel> & Co is yours",), "k"))
    assert blocks[1]["text"]["text"] == "&lt;!channel&gt; &amp; Co is yours"


def test_what_is_too_long_is_cut_between_two_characters_and_stays_within_the_limits_together() -> None:
    name = "&" * 1000
    question = Question("o1", name, "https://steward.example/offers/o1", name)
    blocks = to_blocks(Notice(EMAIL, "x" * 200, (name,) * 10, "k", questions=(question,) * 10))
    said = [block["text"]["text"] for block in blocks]
    assert sum(map(len, said)) < 13_200
    assert all(not part.replace("&amp;", "").strip("x…*\n") for part in said)


def test_a_message_loses_its_buttons_once_its_offer_has_ended(vendors: Any) -> None:
    slack = connect(vendors)
    asked = Question("o1", "Acme is offered to you", "https://steward.example/offers/o1")
    message = slack.notify(Notice(EMAIL, "New account", (), "k", questions=(asked,)))
    slack.show_anew(message, Notice(EMAIL, "New account", (), "k", questions=(replace(asked, outcome="Accepted"),)))
    (conversation,) = vendors.vendors["slack"].snapshot()["conversations"].values()
    (shown,) = conversation["messages"]
    assert [block["type"] for block in shown["blocks"]] == ["header", "section"]
    slack.tell_in_place(message, "U01", "It was yours")
    assert slack.address_of("U01") == EMAIL
    with pytest.raises(RecordRejected):
        slack.address_of("U99")
