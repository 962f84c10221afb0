"""Accounts are looked up by lines, with an index of their beginnings and one of trigrams of what stands inside."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ownership.model import Account
from store.search import Search
from store.types import JsonText, Words

revision = "0023_search"
down_revision = "0022_account_parent"
branch_labels = None
depends_on = None

AT_ONCE = 5000
# The table holds the lines; the index of trigrams follows it, whoever writes it.
FOLLOW = (
    "CREATE VIRTUAL TABLE search_trigram USING fts5("
    "line, content='search_line', content_rowid='line_id', detail=none, tokenize='trigram case_sensitive 1')",
    "CREATE TRIGGER search_line_added AFTER INSERT ON search_line BEGIN "
    "INSERT INTO search_trigram (rowid, line) VALUES (new.line_id, new.line); END",
    "CREATE TRIGGER search_line_dropped AFTER DELETE ON search_line BEGIN "
    "INSERT INTO search_trigram (search_trigram, rowid, line) VALUES ('delete', old.line_id, old.line); END",
)
# Lines added since the index was last put in order are gone through one by one: 4 MB of them, as is usual, take 40 ms.
MAY_HAVE_TRIGRAMS = """
DO $$ BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX ix_search_line_trigram ON search_line USING gin (line gin_trgm_ops) WITH (gin_pending_list_limit = 256);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
  RAISE NOTICE 'pg_trgm is not to be had: parts of names are looked for line by line';
END $$
"""


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "search_line",
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("line", Words() if is_sqlite else sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_search_line_account_id_account")),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_search_line")),
    )
    op.create_index("ix_search_line_account_id", "search_line", ["account_id"])
    if is_sqlite:
        for statement in FOLLOW:
            op.execute(statement)
    _fill()
    op.create_index("ix_search_line_line", "search_line", ["line", "account_id"])
    if not is_sqlite:
        op.execute(MAY_HAVE_TRIGRAMS)
    op.drop_column("account", "search_text")


def _fill() -> None:
    """Write the lines of every live account."""
    connection, after = op.get_bind(), ""
    account = sa.table(
        *("account", sa.column("account_id"), sa.column("name"), sa.column("fields", JsonText())), sa.column("gone_at")
    )
    columns = account.c
    page = sa.select(columns.account_id, columns.name, columns.fields).order_by(columns.account_id).limit(AT_ONCE)
    while rows := connection.execute(page.where(columns.account_id > after, columns.gone_at.is_(None))).all():
        Search(connection).keep(Account(row.account_id, row.name, row.fields) for row in rows)
        after = rows[-1].account_id


def downgrade() -> None:
    op.add_column("account", sa.Column("search_text", Words(), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER search_line_added")
        op.execute("DROP TRIGGER search_line_dropped")
        op.execute("DROP TABLE search_trigram")
    op.drop_table("search_line")
