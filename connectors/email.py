"""E-mail: messages to the people that ownership concerns, over SMTP.

A connection for each message: messages are few, and a connection kept open is one that the server has closed by then.
"""

from __future__ import annotations

import smtplib
import ssl
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from connectors.base import Notice
from connectors.errors import ConnectorError, ConnectorStopped, Deferred, RecordRejected, RetryLater
from connectors.http import Egress, Patience, untrusted

NAME = "email"
MESSAGES = uuid.UUID("0a6d3f0e-5b1c-5f0e-8a43-6f6a2f1f8f5d")  # namespace of our message ids; any fixed one does
LONGEST_SUBJECT = 200  # characters
TIMEOUT_S = 30
# What greylisting servers ask for at least (RFC 6647, 5); a run does not wait that long.
GREYLISTED_S = 300.0
CLOSING = 421  # the server is about to hang up, whoever it is for (RFC 5321, 4.2.2)
SERVER_MEND = "Check STEWARD_SMTP_HOST, STEWARD_SMTP_PORT and STEWARD_SMTP_SECURITY"
LOGIN_MEND = "Check STEWARD_SMTP_USER and STEWARD_SMTP_PASSWORD"
SENDER_MEND = "Set STEWARD_SMTP_FROM to an address this login may send from"

_TEMPLATES = Environment(
    loader=PackageLoader("connectors"),
    undefined=StrictUndefined,
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mail is handed in. `security` is "starttls", "tls" (from the first byte) or "none"."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = ""


class MailNotifier:
    """One mail server, which takes messages for anybody."""

    name = NAME

    def __init__(
        self,
        server: MailServer,
        *,
        egress: Egress | None = None,
        patience: Patience | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._server = server
        ca_file = egress.ca_file if egress else None
        self._trusted = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        self._patience = patience or Patience()
        self._clock = clock

    def check(self) -> None:
        def once() -> None:
            with _errors_named(), self._connected() as connection:
                connection.noop()

        self._patience.read(once)

    def notify(self, notice: Notice) -> str:
        """Send one message. Its Message-ID follows from the dedup key, so that a repeat is the same message: what
        mailboxes show once."""
        message = self.to_message(notice)

        def once() -> None:
            with _errors_named(notice.email), self._connected() as connection:
                connection.send_message(message)

        self._patience.read(once)
        return str(message["Message-ID"])

    def to_message(self, notice: Notice) -> EmailMessage:
        """The message in plain text and HTML. Raises `RecordRejected` for an address that is none."""
        message = EmailMessage(policy=SMTP)
        message["Subject"] = on_one_line(notice.subject)[:LONGEST_SUBJECT]
        message["From"] = f"Steward <{self._server.sender}>"
        try:
            message["To"] = Address(addr_spec=notice.email)
        except (MessageError, ValueError, IndexError, AttributeError) as problem:  # the last two: its own slips
            raise _no_address(notice.email, str(problem)) from problem
        message["Date"] = format_datetime(self._clock())
        domain = self._server.sender.rpartition("@")[2]
        message["Message-ID"] = f"<{uuid.uuid5(MESSAGES, notice.dedup_key)}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"  # or "out of office" would answer it
        message.set_content(_TEMPLATES.get_template("notice.txt").render(notice=notice))
        message.add_alternative(_TEMPLATES.get_template("notice.html").render(notice=notice), subtype="html")
        return message

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        if server.security == "tls":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=TIMEOUT_S, context=self._trusted
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        with connection:
            if server.security == "starttls":
                connection.starttls(context=self._trusted)
            if server.user:
                connection.login(server.user, server.password)
            yield connection


@contextmanager
def _errors_named(email: str = "") -> Iterator[None]:
    """Turn what smtplib raises into what the caller does next."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        raise _of_mailbox(*next(iter(error.recipients.values())), email) from error
    except smtplib.SMTPResponseException as error:
        raise _from_answer(error, email) from error
    except smtplib.SMTPNotSupportedError as error:
        if "SMTPUTF8" in str(error):
            raise _no_address(email, "the mail server takes ASCII addresses only") from error
        raise ConnectorStopped(NAME, str(error), code="NOT_SUPPORTED", mend=SERVER_MEND) from error
    except ssl.SSLCertVerificationError as error:
        raise untrusted(NAME, error) from error
    except (smtplib.SMTPException, OSError) as error:  # TLS that breaks is an OSError too
        # A server that hung up after the whole message may have taken it: the repeat has the same Message-ID.
        what = f"the mail server cannot be reached: {type(error).__name__}"
        raise RetryLater(NAME, what, code="UNREACHABLE", mend=SERVER_MEND) from error


def _from_answer(error: smtplib.SMTPResponseException, email: str) -> ConnectorError:
    """What a refusal means: of the login or the sender, that no message gets through until somebody acts."""
    code = str(error.smtp_code)
    if error.smtp_code >= 500 and isinstance(error, smtplib.SMTPAuthenticationError):
        return ConnectorStopped(NAME, "the login is refused", code=code, mend=LOGIN_MEND)
    if error.smtp_code >= 500 and isinstance(error, smtplib.SMTPSenderRefused):
        return ConnectorStopped(NAME, _words(error.smtp_error), code=code, mend=SENDER_MEND)
    if isinstance(error, smtplib.SMTPConnectError | smtplib.SMTPHeloError):
        return RetryLater(NAME, f"the mail server is busy: {_words(error.smtp_error)}", code=code)
    return _refused(error.smtp_code, error.smtp_error, email)


def _of_mailbox(code: int, said: bytes | str, email: str) -> ConnectorError:
    """What is said of one recipient; the server takes messages for others."""
    if code >= 500 or code == CLOSING:
        return _refused(code, said, email)
    what = f"{email} is not taken yet: {_words(said)}"
    return Deferred(NAME, what, code=str(code), retry_after_s=GREYLISTED_S)


def _refused(code: int, said: bytes | str, email: str) -> ConnectorError:
    """A 4xx passes by itself; a 5xx is for good, and harms only this message."""
    if code >= 500:
        return RecordRejected(NAME, f"{email} is refused: {_words(said)}", code=str(code))
    return RetryLater(NAME, f"the mail server is busy: {_words(said)}", code=str(code))


def _no_address(email: str, said: str) -> RecordRejected:
    mend = "Correct the address in the roster or the policy"
    return RecordRejected(NAME, f"{on_one_line(email)} is no address mail can go to: {said}", mend=mend)


def on_one_line(text: str) -> str:
    """The text without anything that could end a header line and begin another: a company may be called anything."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _words(said: bytes | str) -> str:
    return on_one_line(said.decode("utf-8", "replace") if isinstance(said, bytes) else said)


__all__ = ["MailNotifier", "MailServer"]
