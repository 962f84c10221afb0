"""Kinds of exception: the docs say what the code says, and every kind that a step opens is known."""

import re
from pathlib import Path

from ownership.exception_kinds import KINDS, OF_TWO, SNOOZE, WAYS, kind_of, said_of, ways_of
from ownership.explain import REASON_WORDS
from ownership.linking import PROBLEM_KINDS

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs/exceptions.md").read_text()


def rows(title: str) -> dict[str, tuple[str, ...]]:
    section = DOCS.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    cells = (line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `"))
    return {first.strip(" `"): tuple(cell.strip() for cell in rest) for first, *rest in cells}


def test_the_docs_list_every_kind_and_every_way_out_in_the_codes_own_words() -> None:
    assert rows("Kinds") == {
        name: (kind.words, kind.acts.value, str(kind.due_hours), ", ".join(f"`{way}`" for way in kind.ways) or "–")
        for name, kind in KINDS.items()
    }
    assert rows("Ways out") == {
        name: (way.label, way.does, "yes" if way.needs_reason else "no", way.role) for name, way in WAYS.items()
    }


def test_every_kind_that_the_code_opens_is_known() -> None:
    opened = {
        *re.findall(r'exceptions\.open\("(\w+)"', text("tasks")),
        *re.findall(r'NewException\("(\w+)"', text("tasks") + text("store")),
        *re.findall(r'exception="(\w+)"', text("tasks")),
        *re.findall(r'^(?:REJECTED|NO_USER|STOPPED|STORM|DRIFT) = "(\w+)"', text("tasks"), re.M),
        *PROBLEM_KINDS,
    }
    assert len(opened) > 10
    assert opened - KINDS.keys() == set()


def test_every_reason_for_which_an_account_is_left_to_a_person_is_known() -> None:
    rules = text("ownership")
    given = {*re.findall(r'Verdict\([^\n]*?, "(\w+)"', rules), *re.findall(r'because, code = .*, "(\w+)"', rules)}
    assert given >= {"missing_data", "disputed", "nobody_at_work", "handoff_incomplete", "no_rule"}
    assert given - REASON_WORDS.keys() - KINDS.keys() == set()


def text(room: str) -> str:
    return "\n".join(file.read_text() for file in sorted((ROOT / room).rglob("*.py")))


def test_what_is_said_of_two_records_is_no_way_out_of_what_is_about_more() -> None:
    assert ways_of("doubtful_match", {"records": ["a/1", "b/2"]})[:2] == ("same", "different")
    assert not set(OF_TWO) & set(ways_of("doubtful_match", {"records": ["a/1", "b/2", "c/3"]}))
    assert ways_of("a_kind_of_tomorrow", {}) == (SNOOZE,)
    assert kind_of("a_kind_of_tomorrow").words == "a kind of tomorrow"


def test_what_is_known_of_an_exception_is_one_sentence_or_several() -> None:
    assert said_of({"problem": "it is gone", "because": "x"}) == "it is gone"
    assert said_of({"because": ["it pays", "no CRM has it"]}) == "it pays; no CRM has it"
    assert said_of({}) == ""
