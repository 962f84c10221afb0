"""What key figures are worked out of, their values by day, and offers by when they were answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, JsonText, Words

revision = "0020_kpis"
down_revision = "0019_api_tokens"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_health",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seen_at", UTC(), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text()),
        sa.Column("owned_since", UTC()),
        sa.Column("supported", sa.Boolean(), nullable=False),
        sa.Column("arr_cents", sa.BigInteger(), nullable=False),
        sa.Column("arr_known", sa.Boolean(), nullable=False),
        sa.Column("consent_known", sa.Boolean(), nullable=False),
        sa.Column("has_contact", sa.Boolean(), nullable=False),
        sa.Column("quiet_since", sa.Text()),
        sa.Column("paying", sa.Boolean(), nullable=False),
        sa.Column("churned", sa.Boolean(), nullable=False),
        sa.Column("renewal_on", sa.Text()),
        sa.Column("forecast_cents", sa.BigInteger()),
        sa.Column("booked_cents", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_account_health_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_health")),
    )
    op.create_index("ix_account_health_owner_id", "account_health", ["owner_id"])
    op.create_index("ix_account_health_seen_at_account_id", "account_health", ["seen_at", "account_id"])
    op.create_index("ix_account_health_arr_cents_account_id", "account_health", ["arr_cents", "account_id"])
    op.create_table(
        "account_outcome",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text()),
        sa.Column("owned_days", sa.Integer(), nullable=False),
        sa.Column("arr_before_cents", sa.BigInteger(), nullable=False),
        sa.Column("arr_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('renewed', 'lost', 'expanded', 'shrunk')", name=op.f("ck_account_outcome_outcome_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_account_outcome_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "day", "outcome", name=op.f("pk_account_outcome")),
    )
    op.create_index("ix_account_outcome_day", "account_outcome", ["day"])
    op.create_table(
        "kpi_day",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("period", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("kpi", sa.Text(), nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("note", Words(), nullable=False),
        sa.Column("parts", JsonText(), nullable=False),
        sa.Column("measured_at", UTC(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "period", "day", "kpi", name=op.f("pk_kpi_day")),
    )
    op.create_index("ix_kpi_day_day", "kpi_day", ["day"])
    op.create_index("ix_acceptance_answered_at", "acceptance", ["answered_at"])


def downgrade() -> None:
    op.drop_index("ix_acceptance_answered_at", "acceptance")
    op.drop_table("kpi_day")
    op.drop_table("account_outcome")
    op.drop_table("account_health")
