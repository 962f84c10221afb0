"""Who is logged in to the web application."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, Words

revision = "0012_web_sessions"
down_revision = "0011_suppression"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("email", Words(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("form_token", sa.Text(), nullable=False),
        sa.Column("started_at", UTC(), nullable=False),
        sa.Column("ends_at", UTC(), nullable=False),
        sa.CheckConstraint("role IN ('rep', 'manager', 'ops')", name=op.f("ck_web_session_role_is_known")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_session")),
    )
    op.create_index("ix_web_session_ends_at", "web_session", ["ends_at"])


def downgrade() -> None:
    op.drop_table("web_session")
