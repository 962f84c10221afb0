"""What the demo prints: tables of counts, for people. Nothing here starts, checks or decides anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

from ownership.exception_kinds import kind_of
from ownership.explain import REASON_WORDS
from ownership.plan import OwnerMove
from ownership.policy import Roster
from store.exceptions import ExceptionItem

MOVES_SHOWN = 8


def pulled_table(counts: Mapping[str, Any]) -> Table:
    """Rows by system and stream."""
    table = _table("system", "stream", "rows", "unreadable")
    for stream in counts["pulled"]:
        table.add_row(stream["source"], stream["stream"], _number(stream["rows"]), _number(stream["problems"]))
    return table


def assigned_table(by_reason: Mapping[str, int]) -> Table:
    """Accounts by the rule that decided them, owners first."""
    table = _table("decided by", "accounts", "which means")
    for reason, count in sorted(by_reason.items(), key=lambda item: (item[0] not in REASON_WORDS, -item[1])):
        words = REASON_WORDS.get(reason) or f"exception: {kind_of(reason).words}"
        table.add_row(reason, _number(count), words)
    return table


def pushed_table(states: Mapping[tuple[str, str], int]) -> Table:
    """Outbox rows by system and state."""
    table = _table("system", "state", "records")
    for (target, state), count in sorted(states.items()):
        table.add_row(target, state, _number(count))
    return table


def calls_table(entries: Iterable[Mapping[str, Any]]) -> Table:
    """What the vendors' own journals say the job cost: calls, and the rows they carried."""
    calls: Counter[tuple[str, str]] = Counter()
    rows: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        key = (entry["vendor"], entry["operation"])
        calls[key] += 1
        rows[key] += entry["rows"]
    table = _table("vendor", "operation", "calls", "rows")
    for vendor, operation in sorted(calls):
        key = (vendor, operation)
        table.add_row(vendor, operation, _number(calls[key]), _number(rows[key]))
    return table


def exceptions_table(items: Sequence[ExceptionItem]) -> Table:
    """Open exceptions by reason."""
    table = _table("reason", "open", "which means")
    for kind, count in Counter(item.kind for item in items).most_common():
        table.add_row(kind, _number(count), kind_of(kind).words)
    return table


def moves_table(moves: Sequence[OwnerMove], roster: Roster) -> Table:
    """The first accounts that would get another owner."""
    table = _table("account", "from", "to", "by rule")
    for move in moves[:MOVES_SHOWN]:
        table.add_row(move.name, rep_name(move.before, roster), rep_name(move.after, roster), move.rule)
    return table


def rep_name(owner_id: str | None, roster: Roster) -> str:
    """The rep's name; "nobody" for None, and the id of somebody who is not on the roster."""
    return "nobody" if owner_id is None else roster.name(owner_id)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in columns:
        numeric = column in {"rows", "unreadable", "accounts", "records", "calls", "open"}
        table.add_column(column, justify="right" if numeric else "left", header_style="dim", no_wrap=True)
    return table


def _number(value: int) -> str:
    return f"{value:,}"
