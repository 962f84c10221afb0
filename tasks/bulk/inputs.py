"""The inputs hash of many accounts: of the very text that `ownership.assignment` hashes for one, put together by
columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import polars as pl

from tasks.bulk.fields import by_value

AT_ONCE = 50_000  # accounts
ESCAPED = r"[^ !#-\[\]-~]"
"""Characters that JSON does not write as they are."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the rules read of accounts that were lent to nobody and are remembered by no rule.

    `owners` have them now, `since` then (None: that does not count); `fields` are those of `tasks.bulk.fields`, of
    which `several` hold several texts. `parents` are their parents, each with its owner, as JSON. `named_by_id`:
    whether a record's id can decide.
    """

    ids: pl.Series
    owners: pl.Series
    fields: Mapping[str, pl.Series]
    several: frozenset[str]
    since: pl.Series | None
    parents: pl.Series
    named_by_id: bool

    def hashes(self) -> Iterator[str]:
        """One for each account, as hexadecimal digits."""
        for offset in range(0, len(self.ids), AT_ONCE):
            for text in self._canonical(offset).cast(pl.Binary).to_list():
                yield sha256(text).hexdigest()

    def _canonical(self, offset: int) -> pl.Series:
        """The text that is hashed, of the accounts from one place on."""
        ids, owners = (_json(column.slice(offset, AT_ONCE)) for column in (self.ids, self.owners))
        parts: list[str | pl.Series] = ['{"account":', ids, ',"fields":{', self._fields(offset), "}"]
        if self.since is not None:
            since = _json(self.since.slice(offset, AT_ONCE))
            parts.append(_joined([',"holding":[', since, ",null]"]).set(owners.is_null(), None).fill_null(""))
        parts += [',"owner":', owners.fill_null("null")]
        parts.append(_joined([',"parent":', self.parents.slice(offset, AT_ONCE)]).fill_null(""))
        if self.named_by_id:
            is_record = self.ids.slice(offset, AT_ONCE).str.contains("/", literal=True)
            parts += [',"records":[', ids.set(~is_record, ""), "]"]
        return _joined([*parts, "}"])

    def _fields(self, offset: int) -> pl.Series:
        known = [self._field(name, self.fields[name].slice(offset, AT_ONCE)) for name in sorted(self.fields)]
        return pl.select(pl.concat_str(known, separator=",", ignore_nulls=True)).to_series()

    def _field(self, name: str, column: pl.Series) -> pl.Series | pl.Expr:
        """A member of the object of fields; where all accounts say the same it is written once."""
        same = column[0] is not None and (column == column[0]).all(ignore_nulls=False)
        column = column[:1] if same else column
        value = _json(column) if column.dtype == pl.String and name not in self.several else column.cast(pl.String)
        member = _joined([f"{json.dumps(name)}:", value])
        return pl.lit(member[0]) if same else member


def _joined(parts: Sequence[str | pl.Series]) -> pl.Series:
    """Text beside text; null where a part is."""
    return pl.select(pl.concat_str([pl.lit(part) if isinstance(part, str) else part for part in parts])).to_series()


def _json(texts: pl.Series) -> pl.Series:
    """Each text as JSON writes it."""
    plain = _joined(['"', texts, '"'])
    odd = texts.str.contains(ESCAPED).fill_null(False)
    return plain.zip_with(~odd, by_value(texts.set(~odd, None), json.dumps, pl.String)) if odd.any() else plain
