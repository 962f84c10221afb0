"""Tokens of the API, and the answers that a repeated request is given again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, JsonText, Words

revision = "0019_api_tokens"
down_revision = "0012_web_sessions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("rep_id", sa.Text()),
        sa.Column("made_at", UTC(), nullable=False),
        sa.Column("made_by", Words(), nullable=False),
        sa.Column("ends_at", UTC(), nullable=False),
        sa.Column("used_at", UTC()),
        sa.Column("revoked_at", UTC()),
        sa.Column("revoked_by", Words()),
        sa.CheckConstraint("role IN ('rep', 'manager', 'ops')", name=op.f("ck_api_token_role_is_known")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_token")),
    )
    op.create_table(
        "api_answer",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("asked_at", UTC(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("body", JsonText()),
        sa.ForeignKeyConstraint(["token_id"], ["api_token.token_id"], name=op.f("fk_api_answer_token_id")),
        sa.PrimaryKeyConstraint("token_id", "idem_key", name=op.f("pk_api_answer")),
    )
    op.create_index("ix_api_answer_asked_at", "api_answer", ["asked_at"])


def downgrade() -> None:
    op.drop_table("api_answer")
    op.drop_table("api_token")
