"""Tasks to be made in the CRMs, kept until they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, Words

revision = "0007_crm_tasks"
down_revision = "0006_identity"
branch_labels = None
depends_on = None

WAITING = sa.text("state IN ('pending', 'unknown')")


def upgrade() -> None:
    op.create_table(
        "crm_task",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("task_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=False),
        sa.Column("subject", Words(), nullable=False),
        sa.Column("due_at", UTC(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UTC(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", UTC(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("vendor_id", Words(), nullable=True),
        sa.Column("said", Words(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("recorded_at", UTC(), nullable=False),
        sa.Column("done_at", UTC(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'unknown', 'created', 'superseded', 'rejected')",
            name=op.f("ck_crm_task_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_crm_task_account_id_account")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_crm_task")),
        sa.UniqueConstraint("task_key", name=op.f("uq_crm_task_task_key")),
    )
    op.create_index("ix_crm_task_account_id", "crm_task", ["account_id"])
    op.create_index(
        "ix_crm_task_due",
        "crm_task",
        ["target", "next_attempt_at", "task_id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )


def downgrade() -> None:
    op.drop_table("crm_task")
