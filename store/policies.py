"""Policies as they were, each under its content hash: what a decision names can always be read again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from store.statements import insert_new
from store.tables import policy_version


class Policies:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, policy_hash: str, canonical_text: str, now: datetime) -> None:
        """Keep a policy; one kept before stays as it is."""
        row = {"policy_hash": policy_hash, "canonical": canonical_text, "recorded_at": now}
        insert_new(self._connection, policy_version, [row], unique=("policy_hash",))

    def get(self, policy_hash: str) -> str | None:
        """The policy's canonical text."""
        return self._connection.execute(
            select(policy_version.c.canonical).where(policy_version.c.policy_hash == policy_hash)
        ).scalar_one_or_none()
