"""What accounts and leads are looked up by: the lines people type the beginning or a part of.

A line is a name or a web domain, folded: without case, accents and doubled blanks. An index in the order of lines finds
beginnings; one of trigrams (FTS5 on SQLite, pg_trgm on PostgreSQL) finds what stands inside. Where PostgreSQL may not
have pg_trgm, what stands inside is looked for line by line.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, delete, select, text

from ownership.conditions import fold
from ownership.model import Account
from store.statements import insert, is_among, select_in
from store.tables import search_line
from store.types import readable

LONGEST = 200  # characters of a line: nobody types more, and a name of 400 kB must cost no more than another
CANDIDATES = 200  # lines that hold the words somewhere, of which the best are shown
GRAM = 3  # what the index of trigrams can look for
LAST = "\U0010ffff"  # after every character


def to_line(said: str) -> str:
    """Text as it is looked up: "  Müller  GmbH" is "muller gmbh"."""
    plain = fold(said[: 2 * LONGEST])
    if not plain.isascii():
        marked = unicodedata.normalize("NFD", plain)
        plain = "".join(each for each in marked if not unicodedata.combining(each))
    return " ".join(readable(plain).split())[:LONGEST]


def lines_of(account: Account) -> set[str]:
    """Everything an account or lead is looked up by, beside its ids."""
    domains = account.fields.get("domains") or [account.fields.get("domain")]
    return {line for said in (account.name, *domains) if isinstance(said, str) and (line := to_line(said))}


class Search:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, accounts: Iterable[Account]) -> None:
        """Make these accounts found by what they say now, and by nothing else."""
        wanted = {each.id: lines_of(each) for each in accounts}
        known = self._lines(wanted)
        changed = {id_: lines for id_, lines in wanted.items() if lines != known.get(id_, set())}
        self.drop(known.keys() & changed.keys())
        rows = [{"account_id": id_, "line": line} for id_, lines in sorted(changed.items()) for line in sorted(lines)]
        insert(self._connection, search_line, rows)

    def drop(self, account_ids: Iterable[str]) -> None:
        """These accounts are found by nothing but their ids any more."""
        self._connection.execute(
            delete(search_line).where(is_among(self._connection, search_line.c.account_id, account_ids))
        )

    def forget_for_good(self, account_ids: Iterable[str]) -> None:
        """`drop`, and nothing of it stays in the file."""
        self.drop(account_ids)
        if self._connection.dialect.name == "sqlite":
            # What was deleted stays in the parts of the index until they are merged.
            self._connection.execute(text("INSERT INTO search_trigram (search_trigram) VALUES ('optimize')"))

    def beginning(self, said: str, limit: int) -> list[str]:
        """Accounts with a line that begins so: a whole line first, then in the order of the lines."""
        line = to_line(said)
        if not line:
            return []
        columns = search_line.c
        statement = (
            select(columns.account_id)
            .where(columns.line >= line, columns.line < line + LAST)
            .order_by(columns.line, columns.account_id)
            .limit(4 * limit)  # an account may have several lines that begin so
        )
        return list(dict.fromkeys(self._connection.execute(statement).scalars()))[:limit]

    def inside(self, said: str, limit: int) -> list[str]:
        """Accounts with a line that holds these words, in any order; at least one must have three characters.

        The shortest line first, of the first `CANDIDATES` that the index gives.
        """
        words = to_line(said).split()
        if not any(len(word) >= GRAM for word in words):
            return []
        rows = self._holding(words)
        rows.sort(key=lambda row: (len(row[1]), row[1], row[0]))
        return list(dict.fromkeys(account_id for account_id, _ in rows))[:limit]

    def _holding(self, words: list[str]) -> list[tuple[str, str]]:
        values: dict[str, object] = {f"word{n}": f"%{_literally(word)}%" for n, word in enumerate(words)}
        holds = " AND ".join(f"search_line.line LIKE :{name} ESCAPE '\\'" for name in values)
        source = "search_line"
        if self._connection.dialect.name == "sqlite":
            source = "search_trigram CROSS JOIN search_line ON search_line.line_id = search_trigram.rowid"
            holds = f"search_trigram MATCH :grams AND {holds}"
            values["grams"] = " AND ".join(map(_quoted, dict.fromkeys(gram for word in words for gram in _grams(word))))
        asked = f"SELECT search_line.account_id, search_line.line FROM {source} WHERE {holds} LIMIT {CANDIDATES}"  # noqa: S608 - values are bound
        return [(row[0], row[1]) for row in self._connection.execute(text(asked), values)]

    def _lines(self, account_ids: Iterable[str]) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        columns = search_line.c
        statement = select(columns.account_id, columns.line)
        for account_id, line in select_in(self._connection, statement, columns.account_id, account_ids):
            found[account_id].add(line)
        return found


def _grams(word: str) -> Iterator[str]:
    """Every three characters that follow each other. The index knows which lines have them and not where (detail=none),
    which makes it a third smaller and twice as fast; that they make up the word is seen in the line."""
    return (word[at : at + GRAM] for at in range(len(word) - GRAM + 1))


def _quoted(word: str) -> str:
    """A word as FTS5 takes it for nothing but text."""
    return '"' + word.replace('"', '""') + '"'


def _literally(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
