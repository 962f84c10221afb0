"""What others changed of the owners we had confirmed, and what was done about it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, Words

revision = "0009_drift"
down_revision = "0008_transfers"
branch_labels = None
depends_on = None

NOTED = sa.text("state IN ('noted', 'stopped')")
WITH_PERSON = sa.text("action <> 'reassert' AND state <> 'overtaken'")


def upgrade() -> None:
    op.create_table(
        "drift_event",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("drift_id", "target", "object_type", "remote_id")),
        sa.Column("version", Words(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("ledger_id", "account_id", "expected_owner")),
        sa.Column("found_owner", Words(), nullable=True),
        sa.Column("modified_by", Words(), nullable=True),
        sa.Column("modified_at", UTC(), nullable=True),
        sa.Column("hand", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("because", Words(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("detected_at", UTC(), nullable=False),
        sa.Column("settled_at", UTC(), nullable=True),
        sa.Column("released_by", Words(), nullable=True),
        sa.Column("released_because", Words(), nullable=True),
        sa.CheckConstraint(
            "hand IN ('ours', 'integration', 'machine', 'person')", name=op.f("ck_drift_event_hand_is_known")
        ),
        sa.CheckConstraint("action IN ('reassert', 'hold', 'adopt')", name=op.f("ck_drift_event_action_is_known")),
        sa.CheckConstraint(
            "state IN ('noted', 'stopped', 'done', 'overtaken')", name=op.f("ck_drift_event_state_is_known")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_drift_event_account_id_account")),
        sa.PrimaryKeyConstraint("drift_id", name=op.f("pk_drift_event")),
        sa.UniqueConstraint(
            *("target", "object_type", "remote_id", "version", "ledger_id"),
            name=op.f("uq_drift_event_target_object_type_remote_id_version_ledger_id"),
        ),
    )
    op.create_index(
        *("ix_drift_event_noted", "drift_event", ["target", "drift_id"]),
        sqlite_where=NOTED,
        postgresql_where=NOTED,
    )
    op.create_index(
        *("ix_drift_event_with_person", "drift_event", ["target"]),
        sqlite_where=WITH_PERSON,
        postgresql_where=WITH_PERSON,
    )
    op.create_index("ix_drift_event_remote_id", "drift_event", ["remote_id"])
    op.create_index("ix_drift_event_detected_at", "drift_event", ["detected_at"])
    op.create_index("ix_drift_event_account_id", "drift_event", ["account_id"])
    op.create_index("ix_remote_state_confirmed_at", "remote_state", ["confirmed_at"])


def downgrade() -> None:
    op.drop_index("ix_remote_state_confirmed_at", "remote_state")
    op.drop_table("drift_event")
