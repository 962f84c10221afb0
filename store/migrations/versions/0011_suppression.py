"""What records show marketing, as it was written last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, JsonText, Words

revision = "0011_suppression"
down_revision = "0010_targets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suppression",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("shown", JsonText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("next_attempt_at", UTC(), nullable=False),
        sa.Column("lease_until", UTC(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("said", Words(), nullable=False),
        sa.Column("changed_at", UTC(), nullable=False),
        sa.CheckConstraint("state IN ('written', 'unknown', 'rejected')", name=op.f("ck_suppression_state_is_known")),
        sa.PrimaryKeyConstraint("target", "object_type", "remote_id", name=op.f("pk_suppression")),
    )


def downgrade() -> None:
    op.drop_table("suppression")
