"""Who asked for what, and whether it was refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, Words

revision = "0021_access_log"
down_revision = "0020_kpis"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("access_id", sa.Text(), nullable=False),
        sa.Column("at", UTC(), nullable=False),
        sa.Column("who", Words(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text()),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("object_id", Words()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.CheckConstraint("role IN ('nobody', 'rep', 'manager', 'ops')", name=op.f("ck_access_log_role_is_known")),
        sa.CheckConstraint("outcome IN ('allowed', 'refused')", name=op.f("ck_access_log_outcome_is_known")),
        sa.PrimaryKeyConstraint("access_id", name=op.f("pk_access_log")),
    )
    op.create_index("ix_access_log_at", "access_log", ["at"])
    op.create_index("ix_access_log_who", "access_log", ["who", "access_id"])
    op.create_index("ix_access_log_object_id", "access_log", ["object_id", "access_id"])


def downgrade() -> None:
    op.drop_table("access_log")
