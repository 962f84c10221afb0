"""What people said of records, accounts that became others, and the keys by which records find each other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, JsonText, Words

revision = "0006_identity"
down_revision = "0005_erasures"
branch_labels = None
depends_on = None

APPEND_ONLY = ("verdict", "identity_event")
UNMATCHED = sa.text("unmatched")


def upgrade() -> None:
    op.create_table(
        "verdict",
        sa.Column("verdict_id", sa.Text(), nullable=False),
        *(sa.Column(f"{which}_{part}", sa.Text(), nullable=False) for which in ("one", "other") for part in REF),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("said_by", Words(), nullable=False),
        sa.Column("because", Words(), nullable=False),
        sa.Column("said_at", UTC(), nullable=False),
        sa.CheckConstraint(
            "word IN ('same', 'split', 'withdrawn', 'under', 'not_under')", name=op.f("ck_verdict_word_is_known")
        ),
        sa.PrimaryKeyConstraint("verdict_id", name=op.f("pk_verdict")),
    )
    op.create_table(
        "account_alias",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("now_id", sa.Text(), nullable=False),
        sa.Column("since", UTC(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_account_alias_account_id_account")
        ),
        sa.ForeignKeyConstraint(["now_id"], ["account.account_id"], name=op.f("fk_account_alias_now_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_alias")),
    )
    op.create_index("ix_account_alias_now_id", "account_alias", ["now_id"])
    op.create_table(
        "identity_event",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("other_id", sa.Text(), nullable=False),
        sa.Column("records", JsonText(), nullable=False),
        sa.Column("because", Words(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("recorded_at", UTC(), nullable=False),
        sa.CheckConstraint("kind IN ('merged', 'split', 'moved')", name=op.f("ck_identity_event_kind_is_known")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_identity_event")),
    )
    op.create_index("ix_identity_event_account_id", "identity_event", ["account_id"])
    op.create_index("ix_identity_event_other_id", "identity_event", ["other_id"])
    op.create_table(
        "record_key",
        sa.Column("match_key", Words(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("match_key", "source", "stream", "external_id", name=op.f("pk_record_key")),
    )
    op.create_index("ix_record_key_external_id", "record_key", ["external_id", "stream", "source"])
    op.create_index("ix_record_key_says_source", "record_key", ["says", "source"])
    op.create_table(
        "likeness",
        *(sa.Column(part, sa.Text(), nullable=False) for part in REF),
        sa.Column("compared_hash", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        *(sa.Column(f"other_{part}", sa.Text()) for part in REF),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("because", JsonText(), nullable=False),
        sa.Column("compared_at", UTC(), nullable=False),
        sa.CheckConstraint("outcome IN ('match', 'review', 'none')", name=op.f("ck_likeness_outcome_is_known")),
        sa.PrimaryKeyConstraint(*REF, name=op.f("pk_likeness")),
    )
    op.create_index("ix_likeness_other_external_id", "likeness", ["other_external_id"])
    op.add_column("source_row", sa.Column("merged_into", sa.Text(), nullable=True))
    op.add_column("source_row", sa.Column("unmatched", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_index(
        "ix_source_row_unmatched",
        "source_row",
        ["source", "stream", "external_id"],
        sqlite_where=UNMATCHED,
        postgresql_where=UNMATCHED,
    )
    op.create_index(
        "ix_source_row_merged_into",
        "source_row",
        ["merged_into"],
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_index("ix_source_row_external_id", "source_row", ["external_id"])
    for table in APPEND_ONLY:
        _protect(table)


REF = ("source", "object_type", "external_id")


def _protect(table: str) -> None:
    refusal = f"{table} is append-only"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()"
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )


def downgrade() -> None:
    op.drop_index("ix_source_row_external_id", table_name="source_row")
    op.drop_index("ix_source_row_merged_into", table_name="source_row")
    op.drop_index("ix_source_row_unmatched", table_name="source_row")
    op.drop_column("source_row", "unmatched")
    op.drop_column("source_row", "merged_into")
    for table in ("likeness", "record_key", "account_alias", "identity_event", "verdict"):
        op.drop_table(table)  # takes its triggers with it
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_refuse()")
