"""What has to go with an owner, kept until it did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, JsonText, Words

revision = "0009_transfers"
down_revision = "0007_crm_tasks"
branch_labels = None
depends_on = None

DUE = sa.text("state = 'due'")


def upgrade() -> None:
    op.create_table(
        "transfer",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("formers", JsonText(), nullable=False),
        sa.Column("team", JsonText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UTC(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("said", Words(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("updated_at", UTC(), nullable=False),
        sa.CheckConstraint("state IN ('prepared', 'due', 'done')", name=op.f("ck_transfer_state_is_known")),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_transfer_account_id_account")),
        sa.PrimaryKeyConstraint("target", "object_type", "remote_id", name=op.f("pk_transfer")),
    )
    op.create_index("ix_transfer_account_id", "transfer", ["account_id"])
    op.create_index("ix_transfer_remote_id", "transfer", ["remote_id"])
    op.create_index(
        "ix_transfer_due", "transfer", ["target", "next_attempt_at"], sqlite_where=DUE, postgresql_where=DUE
    )


def downgrade() -> None:
    op.drop_table("transfer")
