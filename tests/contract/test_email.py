"""E-mail keeps every promise of a notifier, before a real SMTP server on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from connectors.base import Notice, Question
from connectors.email import MailNotifier, MailServer
from connectors.errors import ConnectorStopped, RecordRejected, RetryLater
from connectors.http import Patience
from tests.contract.promises import NotifierCase, NotifierPromises

EMAIL = "dana@northwind.example"


class Mailboxes:
    """Takes what is for northwind.example; a mailbox shows a message once. `answers` come in place of the next ones."""

    def __init__(self) -> None:
        self.messages: dict[str, EmailMessage] = {}
        self.answers: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.answers:
            return self.answers.pop(0)
        if not address.endswith("@northwind.example"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=default)
        self.messages[str(message["Message-ID"])] = message  # type: ignore[assignment]
        return "250 OK"


@pytest.fixture
def mailboxes() -> Iterator[tuple[Mailboxes, int]]:
    boxes = Mailboxes()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(boxes, hostname="127.0.0.1", port=port)
    controller.start()
    yield boxes, port
    controller.stop()


def connect(port: int, security: str = "none", **login: str) -> MailNotifier:
    server = MailServer("127.0.0.1", port, security, "steward@northwind.example", **login)
    return MailNotifier(server, patience=Patience(attempts=1))


class TestMail(NotifierPromises):
    @pytest.fixture
    def case(self, mailboxes: tuple[Mailboxes, int]) -> NotifierCase:
        boxes, port = mailboxes
        return NotifierCase(connect(port), EMAIL, lambda: len(boxes.messages))


def test_a_company_named_like_a_header_or_like_html_adds_neither(mailboxes: tuple[Mailboxes, int]) -> None:
    boxes, port = mailboxes
    question = Question("o1", "<b>Acme</b>\r\nBcc: eve@x.example", "https://steward.example/offers/o1")
    connect(port).notify(Notice(EMAIL, "New\r\nBcc: eve@x.example", (), "k", questions=(question,)))
    (message,) = boxes.messages.values()
    assert message["Bcc"] is None
    assert message["Subject"] == "New Bcc: eve@x.example"
    html = message.get_body(("html",))
    assert html is not None
    assert "&lt;b&gt;Acme" in html.get_content()
    assert "https://steward.example/offers/o1" in str(message.get_body(("plain",)))


def test_a_busy_server_is_asked_again_later(mailboxes: tuple[Mailboxes, int]) -> None:
    boxes, port = mailboxes
    boxes.answers = ["451 4.3.0 try later"]
    with pytest.raises(RetryLater, match="try later"):
        connect(port).notify(Notice(EMAIL, "New", ("a",), "k"))


def test_nobody_is_there_is_for_later_and_names_the_settings() -> None:
    with pytest.raises(RetryLater, match="STEWARD_SMTP_HOST"):
        connect(1).check()


@pytest.mark.parametrize("email", ["dana@x.example\r\nBcc: eve@x.example", "", "dana", "dana@[x.example?", "<@>", "\0"])
def test_what_is_no_address_is_refused_before_anything_is_sent(email: str) -> None:
    with pytest.raises(RecordRejected, match="no address"):
        connect(1).notify(Notice(email, "New", ("a",), "k"))


def test_a_server_without_encryption_gets_no_message_meant_to_be_encrypted(mailboxes: tuple[Mailboxes, int]) -> None:
    with pytest.raises(ConnectorStopped, match="STEWARD_SMTP_SECURITY"):
        connect(mailboxes[1], "starttls").check()
