"""Reading YAML that people wrote: everything wrong with a file is found at once and named by file and line.

YAML 1.2, so that `NO` is Norway and not false. Aliases, duplicate keys, unknown keys and ids that are not text are
refused: a file either loads whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.tokens import AliasToken, TagToken

from ownership.local_time import zone_names
from ownership.model import Period

MAX_BYTES = 2_000_000
API_VERSION = "steward/v1"


class PolicyError(ValueError):
    """The files cannot be used. `problems` are lines of "file:line: what is wrong. What to do"."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("this does not load:\n  " + "\n  ".join(self.problems))


class Document:
    """One YAML file with the problems found in it so far. `root` is empty when the file is no mapping."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self.root: CommentedMap = CommentedMap()
        try:
            raw = path.read_bytes()
            text = raw.decode("utf-8")
        except OSError as problem:
            self.problems.append(f"{path.name}: cannot be read ({problem.strerror}). Put it into {path.parent}")
            return
        except UnicodeDecodeError:
            self.problems.append(f"{path.name}: is not UTF-8 text. Save it as UTF-8")
            return
        if len(raw) > MAX_BYTES:
            self.problems.append(f"{path.name}: is larger than {MAX_BYTES:,} bytes. Split off what is no policy")
            return
        self._parse(text)

    def _parse(self, text: str) -> None:
        root: Any = None
        try:
            self._refuse_tricks(text)
            root = YAML(typ="rt", pure=True).load(text) if not self.problems else None
        except DuplicateKeyError as problem:
            self.say(_line_of(problem), "has the same key twice", "Keep one of them")
        except MarkedYAMLError as problem:
            self.say(_line_of(problem), f"is no YAML: {problem.problem}", "Correct the line")
        except Exception as problem:  # the parser fails in many ways on what is hardly YAML
            self.problems.append(f"{self.path.name}: is no YAML we can read ({type(problem).__name__}). Correct it")
        if isinstance(root, CommentedMap):
            self.root = root
        elif not self.problems:
            self.say(0, "is not a mapping", f"Start it with apiVersion: {API_VERSION}")

    def _refuse_tricks(self, text: str) -> None:
        """What makes a small file a large one (aliases), or a value another than it looks (tags)."""
        if not any(sign in text for sign in "*!"):
            return None
        for token in YAML(typ="rt", pure=True).scan(text):
            if isinstance(token, AliasToken):
                return self.say(token.start_mark.line, "uses a YAML alias", "Write the value out")
            if isinstance(token, TagToken):
                return self.say(token.start_mark.line, "uses a YAML tag", "Write the plain value")
        return None

    def say(self, line: int, wrong: str, mend: str) -> None:
        """Note a problem at a line counted from zero."""
        self.problems.append(f"{self.path.name}:{line + 1}: {wrong}. {mend}")


def _line_of(problem: MarkedYAMLError) -> int:
    return problem.problem_mark.line if problem.problem_mark else 0


def line_of(node: Any, key: Any = None) -> int:
    """Zero-based line of a node, or of one of its keys or items."""
    position = getattr(node, "lc", None)
    if position is None:
        return 0
    if key is not None and position.data and key in position.data:
        return int(position.data[key][0])
    return int(position.line or 0)


class Reader:
    """Typed access to a document that notes what is wrong instead of raising."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def say(self, node: Any, key: Any, wrong: str, mend: str) -> None:
        self.document.say(line_of(node, key), wrong, mend)

    def header(self, kind: str) -> None:
        """Check that the file is of this kind and of the version we read."""
        root = self.document.root
        for key, wanted in (("apiVersion", API_VERSION), ("kind", kind)):
            if key in root and root[key] != wanted:
                self.say(root, key, f"{key} is {root[key]!r}", f"Write {key}: {wanted}")

    def keys(self, node: CommentedMap, what: str, required: Iterable[str], optional: Iterable[str] = ()) -> None:
        """Check which keys a mapping has."""
        known = [*required, *optional]
        for key in node:
            if key not in known:
                wrong = f"{what} has an unknown key '{key}'{hint(str(key), known)}"
                self.say(node, key, wrong, f"It takes {', '.join(known)}")
        for key in required:
            if key not in node:
                self.say(node, None, f"{what} has no '{key}'", f"Add '{key}'")

    def text(self, node: CommentedMap, key: str, what: str, default: str = "") -> str:
        if key not in node:
            return default
        value = node[key]
        if value is None or value == "":
            self.say(node, key, f"{key} of {what} is empty", "Fill it in, or leave the key out where it may be missing")
        elif isinstance(value, str):
            return str(value)
        else:
            self.say(node, key, f"{key} of {what} is {value!r}, not text", "Put it in quotes")
        return default

    def whole(self, node: CommentedMap, key: str, what: str, default: int, least: int = 0) -> int:
        value = node.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= 2**53:
            return int(value)
        self.say(node, key, f"{key} of {what} is {value!r}"[:200], f"Give a whole number of at least {least}")
        return default

    def hours(self, node: CommentedMap, key: str, what: str, default: float = 0, least: float = 0) -> float:
        """A number of hours, whole or not, of a year at most."""
        value = node.get(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= 8784:
            return float(value)
        self.say(node, key, f"{key} of {what} is {value!r}"[:200], f"Give hours from {least:g} to 8784")
        return default

    def one_of(self, node: CommentedMap, key: str, what: str, known: tuple[str, ...]) -> str:
        """One of some words, the first when the key is missing."""
        word = self.text(node, key, what, known[0])
        if word not in known:
            self.say(node, key, f"{key} of {what} is '{word}'{hint(word, known)}", f"It is one of {', '.join(known)}")
        return word

    def timezone(self, node: CommentedMap, what: str) -> str:
        """An IANA time zone, UTC when none is given."""
        name = self.text(node, "timezone", what, "UTC")
        if name in zone_names():
            return name
        wrong = f"timezone of {what} is '{name}'{hint(name, zone_names())}"
        self.say(node, "timezone", wrong, "Write an IANA name such as Europe/Berlin")
        return "UTC"

    def flag(self, node: CommentedMap, key: str, what: str, default: bool) -> bool:
        value = node.get(key, default)
        if isinstance(value, bool):
            return value
        self.say(node, key, f"{key} of {what} is {value!r}", "Write true or false")
        return default

    def words(self, node: CommentedMap, key: str, what: str) -> frozenset[str]:
        """A list of words, none of them twice."""
        words = self.items(node, key, f"{key} of {what}")
        for word in words:
            if not isinstance(word, str) or not word:
                self.say(node, key, f"{key} of {what} holds {word!r}, not text", "Put it in quotes")
        return frozenset(str(word) for word in words)

    def day(self, node: CommentedMap, key: str, what: str) -> str | None:
        """An ISO date, None when the key is missing."""
        text = self.text(node, key, what)
        return self.iso_day(node, key, text, what) if text else None

    def iso_day(self, node: CommentedMap, key: str, text: object, what: str = "the file") -> str | None:
        """An ISO date that is one of the values of `key`; None when it is none, which is then reported."""
        try:
            return date.fromisoformat(str(text)).isoformat()
        except ValueError:
            self.say(node, key, f"{key} of {what} is '{text}', which is no date", 'Write it as "2026-12-31"')
            return None

    def period(self, node: CommentedMap, what: str) -> Period:
        """The days from `from` to `until`, both included; either may be missing."""
        since, until = self.day(node, "from", what), self.day(node, "until", what)
        if since and until and until < since:
            self.say(node, "until", f"{what} ends before it begins", "Correct one of the dates")
        return Period(since, until)

    def items(self, node: CommentedMap, key: str, what: str) -> list[Any]:
        value = node.get(key)
        if isinstance(value, CommentedSeq):
            return list(value)
        if key in node:
            self.say(node, key, f"{what} is not a list", "Start each entry with a dash")
        return []

    def mappings(self, node: CommentedMap, key: str, what: str, each: str) -> list[CommentedMap]:
        """The entries of a list of mappings; those that are none are reported and left out."""
        found = []
        for position, item in enumerate(self.items(node, key, what)):
            if isinstance(item, CommentedMap):
                found.append(item)
            else:
                self.say(node[key], position, f"{each} is not a mapping", "Write it as key: value lines")
        return found

    def mapping(self, node: CommentedMap, key: str, what: str) -> CommentedMap:
        """A mapping inside a mapping; empty when it is missing or none."""
        value = node.get(key)
        if isinstance(value, CommentedMap):
            return value
        if key in node:
            self.say(node, key, f"{what} is not a mapping", "Write it as key: value lines")
        return CommentedMap()

    def once(self, node: CommentedMap, key: str, what: str, name: str, seen: set[str]) -> None:
        """Report a name that was there before."""
        if name in seen:
            self.say(node, key, f"{what} '{name}' is there twice", "Rename or remove one of them")
        seen.add(name)


def hint(word: str, known: Iterable[str] | Mapping[str, Any]) -> str:
    """ " (did you mean '…'?)" when some known word is close, else nothing."""
    close = get_close_matches(word, [str(name) for name in known], 1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def to_plain(node: Any) -> Any:
    """What a node says, without comments, positions and the ways of writing it."""
    if isinstance(node, Mapping):
        return {str(key): to_plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [to_plain(item) for item in node]
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, int):
        return int(node)
    return float(node) if isinstance(node, float) else str(node)
