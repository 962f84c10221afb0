"""Who was erased by whom and why, and which records of theirs are not let in again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.types import UTC, JsonText, Words

revision = "0005_erasures"
down_revision = "0004_seals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("erasure_id", sa.Text(), nullable=False),
        sa.Column("erased_by", Words(), nullable=False),
        sa.Column("because", Words(), nullable=False),
        sa.Column("counts", JsonText(), nullable=False),
        sa.Column("erased_at", UTC(), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasure")),
    )
    op.create_table(
        "erased_record",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("erasure_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasure.erasure_id"], name=op.f("fk_erased_record_erasure_id")),
        sa.PrimaryKeyConstraint("source", "stream", "external_id", name=op.f("pk_erased_record")),
    )


def downgrade() -> None:
    op.drop_table("erased_record")
    op.drop_table("erasure")
