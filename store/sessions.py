"""Who is logged in: sessions by the hash of their token. The token itself is only in the browser."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from store.tables import web_session


@dataclass(frozen=True, slots=True)
class Session:
    """One login. `token_hash` is the SHA-256 of the cookie in hex, `form_token` what its forms must carry."""

    token_hash: str
    email: str
    name: str
    role: str
    form_token: str
    started_at: datetime
    ends_at: datetime


class Sessions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def start(self, session: Session) -> None:
        """Log somebody in; logins that have run out are forgotten."""
        self._connection.execute(delete(web_session).where(web_session.c.ends_at <= session.started_at))
        self._connection.execute(web_session.insert().values(**asdict(session)))

    def find(self, token_hash: str, now: datetime) -> Session | None:
        """The login with this token that has not run out."""
        found = web_session.c.token_hash == token_hash, web_session.c.ends_at > now
        row = self._connection.execute(select(web_session).where(*found)).first()
        return Session(**row._mapping) if row else None

    def end(self, token_hash: str) -> None:
        """Log out."""
        self._connection.execute(delete(web_session).where(web_session.c.token_hash == token_hash))
