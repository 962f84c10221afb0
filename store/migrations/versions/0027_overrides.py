"""Overrides that are ended before their last day, and evidence that is added while a dispute is open."""

from __future__ import annotations

import json
from collections import defaultdict

import sqlalchemy as sa
from alembic import op

from store.statements import new_id
from store.types import UTC, JsonText, Words

revision = "0027_overrides"
down_revision = "0026_notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("override_request", sa.Column("ended_by", Words()))
    op.add_column("override_request", sa.Column("ended_at", UTC()))
    op.add_column("override_request", sa.Column("ended_because", Words()))
    evidence = op.create_table(
        "dispute_evidence",
        sa.Column("evidence_id", sa.Text(), nullable=False),
        sa.Column("dispute_id", sa.Text(), nullable=False),
        sa.Column("said", Words(), nullable=False),
        sa.Column("added_by", Words(), nullable=False),
        sa.Column("added_at", UTC(), nullable=False),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.dispute_id"], name=op.f("fk_dispute_evidence_dispute_id")),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_dispute_evidence")),
    )
    op.create_index("ix_dispute_evidence_dispute_id", "dispute_evidence", ["dispute_id", "evidence_id"])
    dispute = sa.table(
        "dispute",
        *(sa.column("dispute_id"), sa.column("evidence"), sa.column("opened_by"), sa.column("opened_at", UTC())),
    )
    rows = [
        {"evidence_id": new_id(), "dispute_id": id_, "said": said, "added_by": by, "added_at": at}
        for id_, all_said, by, at in op.get_bind().execute(sa.select(dispute)).all()
        for said in json.loads(all_said)
    ]
    if rows:
        op.bulk_insert(evidence, rows)
    op.drop_column("dispute", "evidence")


def downgrade() -> None:
    op.add_column("dispute", sa.Column("evidence", JsonText(), nullable=False, server_default="[]"))
    _put_back_what_was_said()
    op.drop_table("dispute_evidence")
    for column in ("ended_because", "ended_at", "ended_by"):
        op.drop_column("override_request", column)


def _put_back_what_was_said() -> None:
    """The words of each piece of evidence; whose they are had no place."""
    evidence = sa.table(
        "dispute_evidence", sa.column("dispute_id"), sa.column("said", Words()), sa.column("evidence_id")
    )
    dispute = sa.table("dispute", sa.column("dispute_id"), sa.column("evidence", JsonText()))
    said = defaultdict[str, list[str]](list)
    for id_, words, _ in op.get_bind().execute(sa.select(evidence).order_by(evidence.c.evidence_id)):
        said[id_].append(words)
    for id_, all_said in said.items():
        op.execute(sa.update(dispute).where(dispute.c.dispute_id == id_).values(evidence=all_said))
