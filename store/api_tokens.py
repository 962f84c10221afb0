"""Tokens of the API: who made each, for whom, until when. The token itself is only with whom it was made for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from store.tables import api_token


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One token. `token_hash` is the SHA-256 of it in hex, `role` what it may do, `rep_id` for whom it acts, None when
    that is nobody on the roster. `used_at` is right to the minute."""

    token_id: str
    token_hash: str
    name: str
    role: str
    rep_id: str | None
    made_at: datetime
    made_by: str
    ends_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    def state(self, now: datetime) -> str:
        """Whether it is in force, "expired" or "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        return "in force" if now < self.ends_at else "expired"


class ApiTokens:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, token: ApiToken) -> None:
        self._connection.execute(api_token.insert().values(**asdict(token)))

    def get(self, token_id: str) -> ApiToken | None:
        """The token with this id, in force or not."""
        row = self._connection.execute(select(api_token).where(api_token.c.token_id == token_id)).first()
        return ApiToken(**row._mapping) if row else None

    def all(self) -> list[ApiToken]:
        """Every token there ever was, the newest first."""
        rows = self._connection.execute(
            select(api_token).order_by(api_token.c.made_at.desc(), api_token.c.token_id.desc())
        )
        return [ApiToken(**row._mapping) for row in rows]

    def used(self, token_id: str, now: datetime) -> None:
        """Note that a request came with it."""
        self._connection.execute(update(api_token).where(api_token.c.token_id == token_id).values(used_at=now))

    def revoke(self, token_id: str, by: str, now: datetime) -> bool:
        """End it for good; False when it was revoked before, or there is none."""
        result = self._connection.execute(
            update(api_token)
            .where(api_token.c.token_id == token_id, api_token.c.revoked_at.is_(None))
            .values(revoked_at=now, revoked_by=by)
        )
        return result.rowcount == 1
