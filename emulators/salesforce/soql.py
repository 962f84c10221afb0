"""The part of SOQL that this product may use, parsed properly; everything else is MALFORMED_QUERY.

    SELECT path, … | COUNT()  FROM object  [WHERE condition]  [ORDER BY path [ASC|DESC] [NULLS FIRST|LAST], …]
    [LIMIT n]  [OFFSET n]

Conditions: = != <> < <= > >= LIKE IN NOT IN, AND, OR, NOT, parentheses (AND and OR do not mix without them).
Literals: 'text', numbers, true, false, null, dates, date-times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from emulators.salesforce.errors import malformed

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:\\.|[^'\\])*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d(?![\d\w]))
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
RESERVED = frozenset({"from", "where", "order", "limit", "offset", "and", "or", "not", "in", "like", "select", "by"})
COMPARISONS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})

Value = str | float | bool | None


class Token(NamedTuple):
    kind: str
    text: str


class Literal(NamedTuple):
    """`kind` is text, number, boolean, null, date or datetime (then in the form records hold)."""

    kind: str
    value: Value


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is one of COMPARISONS (with != for <>), "like", "in" or "not in"."""

    path: str
    operator: str
    literals: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Junction:
    """All ("and") or any ("or") of the parts, or not the only one ("not")."""

    how: str
    parts: tuple[Condition, ...]


Condition = Comparison | Junction


@dataclass(frozen=True, slots=True)
class Order:
    path: str
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """`paths` is empty for COUNT()."""

    paths: tuple[str, ...]
    kind: str
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


def parse_soql(text: str) -> Query:
    """Raises `ApiError` MALFORMED_QUERY."""
    return _Parser(_tokens(text)).query()


def instant_text(at: datetime) -> str:
    """As records hold it: 2026-11-22T05:00:00.000+0000, which sorts as text."""
    at = at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"


def _tokens(text: str) -> list[Token]:
    tokens, place, end = [], 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None:
            rest = text[place:].lstrip()
            raise malformed(f"line 1:{place} no viable alternative at character '{rest[:1]}'")
        kind = found.lastgroup or ""
        tokens.append(Token(kind, found[kind]))
        place = found.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens, one method for each rule."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._place = tokens, 0

    def query(self) -> Query:
        self._expect("select")
        paths = self._selected()
        self._expect("from")
        kind = self._name()
        where = self._condition() if self._accept("where") else None
        order = self._orders() if self._accept("order") else ()
        limit = self._whole() if self._accept("limit") else None
        offset = self._whole() if self._accept("offset") else 0
        if self._place < len(self._tokens):
            raise self._unexpected()
        return Query(paths, kind, where, order, limit, offset)

    def _selected(self) -> tuple[str, ...]:
        if self._peek().text.lower() == "count" and self._peek(1).text == "(":
            self._place += 1
            self._expect("(")
            self._expect(")")
            return ()
        paths = [self._name()]
        while self._accept(","):
            paths.append(self._name())
        return tuple(paths)

    def _condition(self) -> Condition:
        parts = [self._negation()]
        how = self._peek().text.lower()
        if how not in ("and", "or"):
            return parts[0]
        while self._accept(how):
            parts.append(self._negation())
        if self._peek().text.lower() in ("and", "or"):
            raise self._unexpected()
        return Junction(how, tuple(parts))

    def _negation(self) -> Condition:
        if self._accept("not"):
            return Junction("not", (self._term(),))
        return self._term()

    def _term(self) -> Condition:
        if self._accept("("):
            inside = self._condition()
            self._expect(")")
            return inside
        path = self._name()
        operator = self._operator()
        if operator in ("in", "not in"):
            return Comparison(path, operator, self._list())
        return Comparison(path, operator, (self._literal(),))

    def _operator(self) -> str:
        token = self._next()
        operator = token.text.lower()
        if operator == "not":
            self._expect("in")
            return "not in"
        if operator not in COMPARISONS | {"like", "in"}:
            raise self._unexpected(token)
        return "!=" if operator == "<>" else operator

    def _list(self) -> tuple[Literal, ...]:
        self._expect("(")
        literals = [self._literal()]
        while self._accept(","):
            literals.append(self._literal())
        self._expect(")")
        return tuple(literals)

    def _literal(self) -> Literal:
        token = self._next()
        if token.kind == "text":
            return Literal("text", re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), token.text[1:-1]))
        if token.kind == "number":
            return Literal("number", float(token.text))
        if token.kind == "datetime":
            return Literal("datetime", self._instant(token))
        if token.kind == "date":
            return Literal("date", token.text)
        word = token.text.lower()
        if token.kind == "word" and word in ("true", "false"):
            return Literal("boolean", word == "true")
        if token.kind == "word" and word == "null":
            return Literal("null", None)
        raise self._unexpected(token)

    def _instant(self, token: Token) -> str:
        try:
            return instant_text(datetime.fromisoformat(token.text))
        except ValueError:
            raise self._unexpected(token) from None

    def _orders(self) -> tuple[Order, ...]:
        self._expect("by")
        orders = [self._order()]
        while self._accept(","):
            orders.append(self._order())
        return tuple(orders)

    def _order(self) -> Order:
        path = self._name()
        descending = self._accept("desc")
        if not descending:
            self._accept("asc")
        nulls_last = False
        if self._accept("nulls"):
            nulls_last = self._accept("last")
            if not nulls_last:
                self._expect("first")
        return Order(path, descending, nulls_last)

    def _whole(self) -> int:
        token = self._next()
        if token.kind != "number" or not token.text.isdigit():
            raise self._unexpected(token)
        return int(token.text)

    def _name(self) -> str:
        token = self._next()
        if token.kind != "word" or token.text.lower() in RESERVED:
            raise self._unexpected(token)
        return token.text

    def _peek(self, ahead: int = 0) -> Token:
        place = self._place + ahead
        return self._tokens[place] if place < len(self._tokens) else Token("end", "<EOF>")

    def _next(self) -> Token:
        token = self._peek()
        self._place += 1
        return token

    def _accept(self, text: str) -> bool:
        token = self._peek()
        if token.kind in ("word", "sign") and token.text.lower() == text:
            self._place += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._unexpected()

    def _unexpected(self, token: Token | None = None) -> Exception:
        found = token or self._peek()
        return malformed("unexpected token: <EOF>" if found.kind == "end" else f"unexpected token: '{found.text}'")
