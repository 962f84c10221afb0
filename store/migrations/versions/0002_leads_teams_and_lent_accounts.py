"""Leads beside accounts, teams, accounts that are lent for a time, rules that remember, and reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, JsonText

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REMINDED = sa.text("state = 'offered' AND remind_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("account", sa.Column("kind", sa.Text(), nullable=False, server_default="account"))
    op.add_column("decision", sa.Column("team", JsonText(), nullable=True))
    op.add_column("ownership_current", sa.Column("afterwards", JsonText(), nullable=True))
    op.add_column("acceptance", sa.Column("remind_at", UTC(), nullable=True))
    op.create_index(
        "ix_acceptance_remind_at",
        "acceptance",
        ["remind_at"],
        sqlite_where=REMINDED,
        postgresql_where=REMINDED,
    )
    op.create_table(
        "rule_mark",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_rule_mark_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "rule_id", name=op.f("pk_rule_mark")),
    )


def downgrade() -> None:
    op.drop_table("rule_mark")
    op.drop_index("ix_acceptance_remind_at", table_name="acceptance")
    for table, column in (
        ("acceptance", "remind_at"),
        ("ownership_current", "afterwards"),
        ("decision", "team"),
        ("account", "kind"),
    ):
        op.drop_column(table, column)
