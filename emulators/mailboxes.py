"""A mail server on loopback (real SMTP, by aiosmtpd) that keeps what it takes, and a page to read it.

By default it takes everything. `POST /mails/answers` on the control plane orders what it says in place of "250 OK":
[{"to": address or "*", "stage": "rcpt" or "data", "answer": "451 4.7.1 Greylisted", "times": 2}]. RFC 5321, 4.2.1: a
4yz passes by itself, a 5yz is for good.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import escape
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

OK = "250 2.0.0 OK"
STAGES = ("rcpt", "data")


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it was taken: for each recipient of the envelope, what it says in plain text and in HTML."""

    sender: str
    to: str
    subject: str
    message_id: str
    text: str
    html: str
    received_at: str


@dataclass(slots=True)
class Answer:
    """What the server says to this recipient in place of taking the message, `times` times (0: always)."""

    to: str
    answer: str
    stage: str = "rcpt"
    times: int = 0
    given: int = 0

    def __post_init__(self) -> None:
        if self.stage not in STAGES or not re.fullmatch(r"[45]\d\d .+", self.answer):
            raise ValueError("an answer has a stage (rcpt or data) and begins with a code of 4xx or 5xx")

    def is_meant(self, stage: str, address: str) -> bool:
        left = not self.times or self.given < self.times
        return left and self.stage == stage and self.to.lower() in ("*", address.lower())


class Mailboxes:
    """The mailboxes of everybody. Handles aiosmtpd's commands."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.mails: list[Mail] = []
        self.answers: list[Answer] = []
        self.routes = [
            Route("/mails", self._list, methods=["GET"]),
            Route("/mails", self._forget, methods=["DELETE"]),
            Route("/mails.html", self._show, methods=["GET"]),
            Route("/mails/answers", self._order, methods=["POST"]),
            Route("/mails/answers", self._lift, methods=["DELETE"]),
        ]

    def protocol(self) -> SMTP:
        """For one connection."""
        return SMTP(self, hostname="mail.northwind-data.example", enable_SMTPUTF8=True)

    def for_(self, address: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.to.lower() == address.lower()]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self._answer("rcpt", [address])
        if said == OK:
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = self._answer("data", envelope.rcpt_tos)
        if said == OK:
            content = envelope.content
            raw = content.encode() if isinstance(content, str) else content or b""
            message: Any = message_from_bytes(raw, policy=default)
            at = self._now().isoformat()
            self.mails += [_to_mail(message, envelope.mail_from or "", to, at) for to in envelope.rcpt_tos]
        return said

    def _answer(self, stage: str, addresses: list[str]) -> str:
        for order in self.answers:
            if any(order.is_meant(stage, address) for address in addresses):
                order.given += 1
                return order.answer
        return OK

    async def _list(self, request: Request) -> Response:
        to = request.query_params.get("to")
        return JSONResponse([asdict(mail) for mail in (self.for_(to) if to else self.mails)])

    async def _forget(self, _: Request) -> Response:
        self.mails.clear()
        return Response(status_code=204)

    async def _order(self, request: Request) -> Response:
        orders = await request.json()
        try:
            self.answers += [Answer(**order) for order in (orders if isinstance(orders, list) else [orders])]
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return Response(status_code=204)

    async def _lift(self, _: Request) -> Response:
        self.answers.clear()
        return Response(status_code=204)

    async def _show(self, _: Request) -> Response:
        shown = "".join(_as_card(mail) for mail in reversed(self.mails[-200:]))
        return HTMLResponse(_PAGE.format(shown=shown or "<p>No mail has come in yet.</p>"))


def _to_mail(message: EmailMessage, sender: str, to: str, at: str) -> Mail:
    def part(kind: str) -> str:
        found = message.get_body((kind,))
        return str(found.get_content()) if found is not None else ""

    subject, message_id = str(message["Subject"] or ""), str(message["Message-ID"] or "")
    return Mail(sender, to, subject, message_id, part("plain"), part("html"), at)


def _as_card(mail: Mail) -> str:
    # The frame may run nothing and reach nothing: what a mail says came from outside.
    return (
        f"<article><h2>{escape(mail.subject)}</h2><p>to {escape(mail.to)}, {escape(mail.received_at[:19])} UTC</p>"
        f"<details><summary>plain text</summary><pre>{escape(mail.text)}</pre></details>"
        f'<iframe sandbox title="HTML" srcdoc="{escape(mail.html)}"></iframe></article>'
    )


_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mail taken</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root {{ color-scheme: light dark }} body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 1rem auto;
padding: 0 1rem }} article {{ border: 1px solid #8888; border-radius: .5rem; padding: 0 1rem 1rem; margin: 0 0 1rem }}
iframe {{ width: 100%; height: 16rem; border: 0; background: #fff }} h2 {{ font-size: 1.1rem }} pre {{ white-space:
pre-wrap }}</style></head><body><h1>Mail taken</h1>{shown}</body></html>"""
