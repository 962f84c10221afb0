"""Messages that one mailbox would not take yet have a time to be tried again, and are found by whom they are for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC

revision = "0026_notices"
down_revision = "0024_exceptions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notification", sa.Column("not_before", UTC()))
    op.create_index("ix_notification_email", "notification", ["email", "notification_id"])


def downgrade() -> None:
    op.drop_index("ix_notification_email", "notification")
    op.drop_column("notification", "not_before")
