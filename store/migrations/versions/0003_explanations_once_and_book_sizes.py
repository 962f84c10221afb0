"""What many decisions say alike is kept once, and how many accounts each owner has is counted as it changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BATCH = 1000
NAMES = {"path": ("rule", "matched", "because"), "candidates": ("rep_id", "chosen", "because")}


def upgrade() -> None:
    op.create_table(
        "explanation",
        sa.Column("explanation_hash", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("explanation_hash", name=op.f("pk_explanation")),
    )
    for name in NAMES:
        op.add_column("decision", sa.Column(f"{name}_hash", sa.Text(), nullable=False, server_default=""))
    for rows in _decisions("path, candidates"):
        _put_away(rows)
    for name in NAMES:
        op.drop_column("decision", name)
    op.create_table(
        "book_size",
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("accounts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_book_size")),
    )
    op.execute(
        """
        INSERT INTO book_size (owner_id, accounts)
        SELECT o.owner_id, count(*) FROM ownership_current o JOIN account a ON a.account_id = o.account_id
        WHERE o.role = 'owner' AND o.owner_id IS NOT NULL AND a.kind = 'account' GROUP BY o.owner_id
        """
    )


def downgrade() -> None:
    op.drop_table("book_size")
    for name in NAMES:
        op.add_column("decision", sa.Column(name, sa.Text(), nullable=False, server_default="[]"))
    for rows in _decisions("path_hash, candidates_hash"):
        _take_out(rows)
    for name in NAMES:
        op.drop_column("decision", f"{name}_hash")
    op.drop_table("explanation")


def _decisions(columns: str) -> Iterator[list[Any]]:
    """All decisions, some at a time."""
    statement = sa.text(
        f"SELECT decision_id, {columns} FROM decision WHERE decision_id > :last ORDER BY decision_id LIMIT {BATCH}"  # noqa: S608 - no text from outside
    )
    last = ""
    while rows := list(op.get_bind().execute(statement, {"last": last})):
        yield rows
        last = rows[-1].decision_id


def _put_away(rows: list[Any]) -> None:
    said: dict[str, str] = {}
    changes = []
    for row in rows:
        change = {"id": row.decision_id}
        for name, keys in NAMES.items():
            text = _text([[each[key] for key in keys] for each in json.loads(getattr(row, name))])
            change[name] = sha256(text.encode("ascii")).hexdigest()
            said[change[name]] = text
        changes.append(change)
    connection = op.get_bind()
    connection.execute(
        sa.text("INSERT INTO explanation (explanation_hash, said) VALUES (:hash, :said) ON CONFLICT DO NOTHING"),
        [{"hash": key, "said": text} for key, text in said.items()],
    )
    connection.execute(
        sa.text("UPDATE decision SET path_hash = :path, candidates_hash = :candidates WHERE decision_id = :id"), changes
    )


def _take_out(rows: list[Any]) -> None:
    connection = op.get_bind()
    wanted = sa.text("SELECT said FROM explanation WHERE explanation_hash = :hash")
    changes = []
    for row in rows:
        change = {"id": row.decision_id}
        for name, keys in NAMES.items():
            said = json.loads(connection.execute(wanted, {"hash": getattr(row, f"{name}_hash")}).scalar_one())
            change[name] = _text([dict(zip(keys, each, strict=True)) for each in said])
        changes.append(change)
    connection.execute(
        sa.text("UPDATE decision SET path = :path, candidates = :candidates WHERE decision_id = :id"), changes
    )


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
