"""Disputes that were opened before each piece of evidence said whose it is."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from store import migrations
from store.engine import Store
from tests.store.business import MONDAY, know


def test_what_was_said_before_is_kept_as_said_by_who_opened_the_dispute(store: Store, store_url: str) -> None:
    know(store, "acme")
    engine = create_engine(store_url)
    with engine.begin() as connection:
        migrations.downgrade(connection, "0020_kpis")
        columns = "dispute_id, account_id, claimed_by, reason, evidence, opened_by, opened_at, rule_by, state"
        values = "'d1', 'acme', 'ann', 'mine', '[\"a call\",\"a mail\"]', 'ann', :at, :at, 'open'"
        at = MONDAY.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        connection.execute(text(f"INSERT INTO dispute ({columns}) VALUES ({values})"), {"at": at})
        migrations.upgrade(connection)
        migrations.downgrade(connection, "0026_notices")
        assert connection.execute(text("SELECT evidence FROM dispute")).scalar_one() == '["a call","a mail"]'
        migrations.upgrade(connection)
    engine.dispose()
    with store.transaction(readonly=True) as uow:
        (opened,) = uow.disputes.open_ones()
        said = uow.disputes.evidence(["d1"])["d1"]
    assert [(each.said, each.added_by, each.added_at) for each in said] == [
        ("a call", "ann", opened.opened_at),
        ("a mail", "ann", opened.opened_at),
    ]
