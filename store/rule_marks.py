"""Marks: since when the conditions of rules that remember have held, by account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from ownership.sustained import Mark
from store.statements import is_among, select_in, upsert
from store.tables import rule_mark

Marks = Mapping[str, Mark]


class RuleMarks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, account_ids: Iterable[str]) -> dict[str, dict[str, Mark]]:
        """The marks of these accounts by rule; accounts without any are missing."""
        found: dict[str, dict[str, Mark]] = defaultdict(dict)
        for row in select_in(self._connection, select(rule_mark), rule_mark.c.account_id, account_ids):
            found[row.account_id][row.rule_id] = Mark(row.since, row.is_on)
        return dict(found)

    def put(self, before: Mapping[str, Marks], after: Mapping[str, Marks]) -> None:
        """Store what is different; both by account and rule."""
        changed = [id_ for id_, marks in after.items() if marks != before.get(id_, {})]
        gone = [id_ for id_ in changed if before.get(id_, {}).keys() - after[id_].keys()]
        if gone:
            self._connection.execute(rule_mark.delete().where(is_among(self._connection, rule_mark.c.account_id, gone)))
        rows = [
            {"account_id": id_, "rule_id": rule, "since": mark.since, "is_on": mark.on}
            for id_ in sorted(changed)
            for rule, mark in sorted(after[id_].items())
        ]
        upsert(self._connection, rule_mark, rows)
