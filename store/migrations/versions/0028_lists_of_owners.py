"""The accounts of an owner in the order in which lists behind a figure show them."""

from __future__ import annotations

from alembic import op

revision = "0028_lists_of_owners"
down_revision = "0027_overrides"
branch_labels = None
depends_on = None

COLUMNS = ["owner_id", "arr_cents", "account_id"]


def upgrade() -> None:
    op.create_index("ix_account_health_owner_id_arr_cents_account_id", "account_health", COLUMNS)
    op.drop_index("ix_account_health_owner_id", "account_health")


def downgrade() -> None:
    op.create_index("ix_account_health_owner_id", "account_health", ["owner_id"])
    op.drop_index("ix_account_health_owner_id_arr_cents_account_id", "account_health")
