"""Seals over the ledger and the decisions, each over what was recorded since the one before it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC

revision = "0004_seals"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_seal",
        sa.Column("seal_no", sa.BigInteger(), nullable=False),
        sa.Column("until", UTC(), nullable=False),
        sa.Column("ledger_rows", sa.BigInteger(), nullable=False),
        sa.Column("decisions", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("sealed_at", UTC(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seal_no", name=op.f("pk_ledger_seal")),
    )


def downgrade() -> None:
    op.drop_table("ledger_seal")
