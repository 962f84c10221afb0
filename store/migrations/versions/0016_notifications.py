"""Notifications: over which channel, about which offer, and which message of the vendor's shows them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_notifications"
down_revision = "0012_web_sessions"
branch_labels = None
depends_on = None

_ANSWERABLE = sa.text("answerable")


def upgrade() -> None:
    op.add_column("notification", sa.Column("channel", sa.Text(), nullable=False, server_default="slack"))
    op.add_column("notification", sa.Column("offer_id", sa.Text(), nullable=True))
    op.add_column("notification", sa.Column("message_key", sa.Text(), nullable=True))
    op.add_column("notification", sa.Column("message_id", sa.Text(), nullable=True))
    op.add_column("notification", sa.Column("answerable", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_notification_message_id", "notification", ["message_id"])
    op.create_index(
        "ix_notification_answerable",
        "notification",
        ["offer_id"],
        sqlite_where=_ANSWERABLE,
        postgresql_where=_ANSWERABLE,
    )
    op.create_index(
        "ix_notification_refused",
        "notification",
        ["notification_id"],
        sqlite_where=sa.text("state = 'refused'"),
        postgresql_where=sa.text("state = 'refused'"),
    )


def downgrade() -> None:
    for index in ("refused", "answerable", "message_id"):
        op.drop_index(f"ix_notification_{index}", "notification")
    for column in ("answerable", "message_id", "message_key", "offer_id", "channel"):
        op.drop_column("notification", column)
