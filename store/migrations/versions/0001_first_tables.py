"""The first tables, and the triggers that keep the ledger append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, JsonText, Words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES_IN_DROP_ORDER = (
    "push_attempt",
    "latest_decision",
    "ownership_current",
    "outbox",
    "exception_item",
    "decision",
    "assignment_ledger",
    "account_ref",
    "acceptance",
    "webhook_inbox",
    "source_row",
    "source_cursor",
    "remote_state",
    "pool_turns",
    "policy_version",
    "pipeline_run",
    "person_id",
    "notification",
    "input_snapshot",
    "account",
)

REFUSAL = "assignment_ledger is append-only"


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("search_text", Words(), nullable=False),
        sa.Column("fields", JsonText(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("first_seen_at", UTC(), nullable=False),
        sa.Column("changed_at", UTC(), nullable=False),
        sa.Column("gone_at", UTC(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account")),
    )
    op.create_table(
        "input_snapshot",
        sa.Column("inputs_hash", sa.Text(), nullable=False),
        sa.Column("payload", JsonText(), nullable=True),
        sa.Column("recorded_at", UTC(), nullable=False),
        sa.PrimaryKeyConstraint("inputs_hash", name=op.f("pk_input_snapshot")),
    )
    op.create_table(
        "notification",
        sa.Column("notification_id", sa.Text(), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("email", Words(), nullable=False),
        sa.Column("subject", Words(), nullable=False),
        sa.Column("lines", JsonText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", Words(), nullable=False),
        sa.Column("created_at", UTC(), nullable=False),
        sa.Column("settled_at", UTC(), nullable=True),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notification")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_notification_dedup_key")),
    )
    op.create_index(
        "ix_notification_pending",
        "notification",
        ["notification_id"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "person_id",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("email", Words(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seen_at", UTC(), nullable=False),
        sa.PrimaryKeyConstraint("source", "external_id", name=op.f("pk_person_id")),
    )
    op.create_index("ix_person_id_source_email", "person_id", ["source", "email"], unique=False)
    op.create_table(
        "pipeline_run",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Text(), nullable=True),
        sa.Column("deployment", sa.Text(), nullable=True),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("connector_versions", JsonText(), nullable=False),
        sa.Column("policy_hash", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("counts", JsonText(), nullable=False),
        sa.Column("started_at", UTC(), nullable=False),
        sa.Column("ended_at", UTC(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_pipeline_run")),
    )
    op.create_index("ix_pipeline_run_flow_run_id", "pipeline_run", ["flow_run_id"], unique=False)
    op.create_index("ix_pipeline_run_started_at", "pipeline_run", ["started_at"], unique=False)
    op.create_table(
        "policy_version",
        sa.Column("policy_hash", sa.Text(), nullable=False),
        sa.Column("canonical", Words(), nullable=False),
        sa.Column("recorded_at", UTC(), nullable=False),
        sa.PrimaryKeyConstraint("policy_hash", name=op.f("pk_policy_version")),
    )
    op.create_table(
        "pool_turns",
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("state", JsonText(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", UTC(), nullable=True),
        sa.PrimaryKeyConstraint("pool", name=op.f("pk_pool_turns")),
    )
    op.create_table(
        "remote_state",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("observed_owner", Words(), nullable=True),
        sa.Column("observed_at", UTC(), nullable=True),
        sa.Column("confirmed_owner", sa.Text(), nullable=True),
        sa.Column("confirmed_at", UTC(), nullable=True),
        sa.Column("version", Words(), nullable=True),
        sa.Column("modified_at", UTC(), nullable=True),
        sa.Column("modified_by", Words(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("target", "object_type", "remote_id", name=op.f("pk_remote_state")),
    )
    op.create_table(
        "source_cursor",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("high_water", sa.Text(), nullable=False),
        sa.Column("tie_break", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("updated_at", UTC(), nullable=False),
        sa.PrimaryKeyConstraint("source", "stream", name=op.f("pk_source_cursor")),
    )
    op.create_table(
        "source_row",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("fields", JsonText(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("modified_at", UTC(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("problem", Words(), nullable=True),
        sa.Column("pulled_at", UTC(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "stream", "external_id", name=op.f("pk_source_row")),
    )
    op.create_table(
        "webhook_inbox",
        sa.Column("inbox_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("body", Words(), nullable=False),
        sa.Column("occurred_at", UTC(), nullable=True),
        sa.Column("received_at", UTC(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done_at", UTC(), nullable=True),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_webhook_inbox")),
        sa.UniqueConstraint("source", "event_key", name=op.f("uq_webhook_inbox_source_event_key")),
    )
    op.create_index(
        "ix_webhook_inbox_new",
        "webhook_inbox",
        ["inbox_id"],
        unique=False,
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_table(
        "acceptance",
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("ledger_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("escalation_level", sa.Integer(), nullable=False),
        sa.Column("offered_at", UTC(), nullable=False),
        sa.Column("due_by", UTC(), nullable=False),
        sa.Column("answered_at", UTC(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('offered', 'accepted', 'declined', 'expired', 'superseded')",
            name=op.f("ck_acceptance_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_acceptance_account_id")),
        sa.PrimaryKeyConstraint("offer_id", name=op.f("pk_acceptance")),
        sa.UniqueConstraint("ledger_id", name=op.f("uq_acceptance_ledger_id")),
    )
    op.create_index("ix_acceptance_account_id", "acceptance", ["account_id"], unique=False)
    op.create_index(
        "ix_acceptance_due_by",
        "acceptance",
        ["due_by"],
        unique=False,
        sqlite_where=sa.text("state = 'offered'"),
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.create_index("ix_acceptance_owner_id", "acceptance", ["owner_id"], unique=False)
    op.create_table(
        "account_ref",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("shown_owner", Words(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_account_ref_account_id")),
        sa.PrimaryKeyConstraint("source", "object_type", "external_id", name=op.f("pk_account_ref")),
    )
    op.create_index("ix_account_ref_account_id", "account_ref", ["account_id"], unique=False)
    op.create_index("ix_account_ref_external_id", "account_ref", ["external_id"], unique=False)
    op.create_table(
        "assignment_ledger",
        sa.Column("ledger_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("prev_owner_id", sa.Text(), nullable=True),
        sa.Column("valid_from", UTC(), nullable=False),
        sa.Column("recorded_at", UTC(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_assignment_ledger_seq_starts_at_one")),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_assignment_ledger_account_id")),
        sa.PrimaryKeyConstraint("ledger_id", name=op.f("pk_assignment_ledger")),
        sa.UniqueConstraint("account_id", "role", "seq", name=op.f("uq_assignment_ledger_account_id_role_seq")),
    )
    op.create_index(
        "ix_assignment_ledger_owner_id_recorded_at", "assignment_ledger", ["owner_id", "recorded_at"], unique=False
    )
    op.create_index("ix_assignment_ledger_run_id", "assignment_ledger", ["run_id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("turn", sa.Text(), nullable=True),
        sa.Column("policy_hash", sa.Text(), nullable=False),
        sa.Column("inputs_hash", sa.Text(), nullable=False),
        sa.Column("path", JsonText(), nullable=False),
        sa.Column("candidates", JsonText(), nullable=False),
        sa.Column("recorded_at", UTC(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_decision_account_id")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision")),
        sa.UniqueConstraint("idem_key", name=op.f("uq_decision_idem_key")),
    )
    op.create_index(
        "ix_decision_account_id_role_recorded_at", "decision", ["account_id", "role", "recorded_at"], unique=False
    )
    op.create_index("ix_decision_run_id", "decision", ["run_id"], unique=False)
    op.create_table(
        "exception_item",
        sa.Column("exception_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("detail", JsonText(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first_seen_at", UTC(), nullable=False),
        sa.Column("last_seen_at", UTC(), nullable=False),
        sa.Column("times_seen", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("resolved_at", UTC(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolution", Words(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_exception_item_state_is_known")),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_exception_item_account_id")),
        sa.PrimaryKeyConstraint("exception_id", name=op.f("pk_exception_item")),
    )
    op.create_index("ix_exception_item_account_id", "exception_item", ["account_id"], unique=False)
    op.create_index(
        "uq_exception_item_open_dedup_key",
        "exception_item",
        ["dedup_key"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "outbox",
        sa.Column("outbox_id", sa.Text(), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("ledger_id", sa.Text(), nullable=False),
        sa.Column("desired_owner", sa.Text(), nullable=False),
        sa.Column("expected_remote_owner", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UTC(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", UTC(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("recorded_at", UTC(), nullable=False),
        sa.Column("done_at", UTC(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'unknown', 'confirmed', 'superseded', 'rejected', 'dead')",
            name=op.f("ck_outbox_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_outbox_account_id")),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("idem_key", name=op.f("uq_outbox_idem_key")),
    )
    op.create_index("ix_outbox_account_id_role_seq", "outbox", ["account_id", "role", "seq"], unique=False)
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["target", "next_attempt_at", "outbox_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('pending', 'unknown')"),
        postgresql_where=sa.text("state IN ('pending', 'unknown')"),
    )
    op.create_index("ix_outbox_remote", "outbox", ["target", "object_type", "remote_id", "outbox_id"], unique=False)
    op.create_table(
        "ownership_current",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("ledger_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", UTC(), nullable=False),
        sa.Column("acceptance_state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_ownership_current_account_id")),
        sa.PrimaryKeyConstraint("account_id", "role", name=op.f("pk_ownership_current")),
    )
    op.create_index("ix_ownership_current_owner_id", "ownership_current", ["owner_id"], unique=False)
    op.create_table(
        "latest_decision",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_latest_decision_account_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.decision_id"], name=op.f("fk_latest_decision_decision_id")),
        sa.PrimaryKeyConstraint("account_id", "role", name=op.f("pk_latest_decision")),
    )
    op.create_table(
        "push_attempt",
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("outbox_id", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", Words(), nullable=False),
        sa.Column("message", Words(), nullable=False),
        sa.Column("observed_owner", Words(), nullable=True),
        sa.Column("started_at", UTC(), nullable=False),
        sa.Column("ended_at", UTC(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.outbox_id"], name=op.f("fk_push_attempt_outbox_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_push_attempt")),
        sa.UniqueConstraint("outbox_id", "fence", name=op.f("uq_push_attempt_outbox_id_fence")),
    )

    if op.get_bind().dialect.name == "postgresql":
        _guard_ledger_on_postgresql()
    else:
        _guard_ledger_on_sqlite()


def downgrade() -> None:
    for table in TABLES_IN_DROP_ORDER:
        op.drop_table(table)  # takes its triggers with it
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION assignment_ledger_refuse()")


def _guard_ledger_on_postgresql() -> None:
    op.execute(
        f"""
        CREATE FUNCTION assignment_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER assignment_ledger_no_change BEFORE UPDATE OR DELETE ON assignment_ledger
        FOR EACH ROW EXECUTE FUNCTION assignment_ledger_refuse()
        """
    )
    op.execute(
        """
        CREATE TRIGGER assignment_ledger_no_truncate BEFORE TRUNCATE ON assignment_ledger
        FOR EACH STATEMENT EXECUTE FUNCTION assignment_ledger_refuse()
        """
    )


def _guard_ledger_on_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"""
            CREATE TRIGGER assignment_ledger_no_{change.lower()} BEFORE {change} ON assignment_ledger
            BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
            """
        )
