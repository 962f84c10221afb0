"""Overrides and disputes that people make in the running system."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, JsonText, Words

revision = "0017_overrides"
down_revision = "0016_notifications"
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    op.create_table(
        "override_request",
        sa.Column("override_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("requested_by", Words(), nullable=False),
        sa.Column("requested_at", UTC(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("until", sa.Text()),
        sa.Column("afterwards", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", Words()),
        sa.Column("decided_at", UTC()),
        sa.Column("decided_because", Words()),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'refused', 'withdrawn', 'expired')",
            name=op.f("ck_override_request_state_is_known"),
        ),
        sa.CheckConstraint(
            "afterwards IN ('stay', 'return', 'rules')", name=op.f("ck_override_request_afterwards_is_known")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> requested_by OR state = 'withdrawn'",
            name=op.f("ck_override_request_two_people"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_override_request_account_id")),
        sa.PrimaryKeyConstraint("override_id", name=op.f("pk_override_request")),
    )
    op.create_index("ix_override_request_account_id", "override_request", ["account_id"])
    op.create_index("ix_override_request_state", "override_request", ["state", "override_id"])
    op.create_table(
        "dispute",
        sa.Column("dispute_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("evidence", JsonText(), nullable=False),
        sa.Column("opened_by", Words(), nullable=False),
        sa.Column("opened_at", UTC(), nullable=False),
        sa.Column("rule_by", UTC(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ruled_for", sa.Text()),
        sa.Column("ruled_by", Words()),
        sa.Column("ruled_at", UTC()),
        sa.Column("ruled_because", Words()),
        sa.CheckConstraint("state IN ('open', 'ruled', 'withdrawn')", name=op.f("ck_dispute_state_is_known")),
        sa.CheckConstraint(
            "ruled_by IS NULL OR ruled_by <> claimed_by OR state = 'withdrawn'", name=op.f("ck_dispute_two_people")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_dispute_account_id")),
        sa.PrimaryKeyConstraint("dispute_id", name=op.f("pk_dispute")),
    )
    op.create_index("uq_dispute_open", "dispute", ["account_id"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_table("dispute")
    op.drop_table("override_request")
