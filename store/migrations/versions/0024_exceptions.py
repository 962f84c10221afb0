"""What people do about exceptions: snoozed, explained away, and an answer for each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, Words

revision = "0024_exceptions"
down_revision = "0023_search"
branch_labels = None
depends_on = None

ITEM, ANSWER = "exception_item", "exception_answer"
OPEN, STAYS = sa.text("state = 'open'"), sa.text("stays_closed")


def upgrade() -> None:
    op.add_column(ITEM, sa.Column("snoozed_until", UTC(), nullable=True))
    op.add_column(ITEM, sa.Column("stays_closed", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, columns, where in (
        ("ix_exception_item_open_kind", ["kind", "exception_id", "snoozed_until"], OPEN),
        ("ix_exception_item_open_exception_id", ["exception_id"], OPEN),
        ("ix_exception_item_stays_closed", ["dedup_key"], STAYS),
    ):
        op.create_index(name, ITEM, columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        ANSWER,
        sa.Column("answer_id", sa.Text(), nullable=False),
        sa.Column("exception_id", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("said_by", Words(), nullable=False),
        sa.Column("because", Words(), nullable=False),
        sa.Column("came_of_it", Words(), nullable=False),
        sa.Column("said_at", UTC(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exception_id"], ["exception_item.exception_id"], name=op.f("fk_exception_answer_exception_id")
        ),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_exception_answer")),
    )
    op.create_index("ix_exception_answer_exception_id", ANSWER, ["exception_id"])


def downgrade() -> None:
    op.drop_table(ANSWER)
    for name in ("open_kind", "open_exception_id", "stays_closed"):
        op.drop_index(f"ix_exception_item_{name}", ITEM)
    op.drop_column(ITEM, "stays_closed")
    op.drop_column(ITEM, "snoozed_until")
