"""Which systems are paused, and which are left alone for a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, Words

revision = "0010_targets"
down_revision = "0009_drift"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "target_state",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("paused_at", UTC(), nullable=True),
        sa.Column("paused_because", Words(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", Words(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("retry_at", UTC(), nullable=True),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_target_state")),
    )


def downgrade() -> None:
    op.drop_table("target_state")
