"""The accounts and leads that hang on an account are found by it."""

from __future__ import annotations

from alembic import op

revision = "0022_account_parent"
down_revision = "0021_access_log"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_account_parent_id"), "account", ["parent_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_account_parent_id"), table_name="account")
