"""Expectations: what a scenario says must be so, compared with what can be seen of a company at one moment.

Nothing is played here (`tasks/scenarios.py`), and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from config.scenario_files import to_instant
from tasks.counterfactual import measure_coverage
from tasks.rehearsal import Rehearsal, user_id

RECORDS = {
    "owners": "the owner",
    "shown": "the owner the CRM shows",
    "reasons": "the reason",
    "because": "the explanation",
    "team": "the team",
    "history": "the owners so far",
    "records": "the records",
}
"""What can be expected of a record, in words."""
WHOLES = {
    "exceptions": "exceptions",
    "told": "told",
    "books": "books",
    "moves": "owner changes in the last run",
    "writes": "writes to the CRMs since the last expectation",
    "uncovered": "accounts nobody covers",
}
"""What is compared as a whole, in words."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A company as it is now. `moves` are those of the last run, `writes` those since the last expectation."""

    company: Rehearsal
    moves: int
    writes: int

    def differences(self, wanted: Mapping[str, Any]) -> list[str]:
        """What of `wanted` (an `expect` of a scenario) does not hold: each what was expected and what was found."""
        return [said for what, expected in wanted.items() for said in self._differences(what, expected)]

    def _differences(self, what: str, expected: Any) -> list[str]:
        if what in RECORDS:
            return self._of_records(what, expected)
        if what in ("notices", "never_told"):
            return self._of_notices(expected, never=what == "never_told")
        if what == "tasks":
            return self._of_tasks(expected)
        if what == "next":
            return _differ("next in turn", expected, {pool: self._next(pool) for pool in expected})
        return _differ(WHOLES[what], expected, self._whole(what))

    def _whole(self, what: str) -> Any:
        company = self.company
        look: Mapping[str, Callable[[], Any]] = {
            "exceptions": company.exceptions,
            "told": lambda: sorted(self._told()),
            "books": self._books,
            "moves": lambda: self.moves,
            "writes": lambda: self.writes,
            "uncovered": self._uncovered,
        }
        return look[what]()

    def _of_records(self, what: str, expected: Mapping[str, Any]) -> list[str]:
        """Compare something of records named as system/id."""
        failures = []
        for name, wanted in expected.items():
            source, _, id_ = name.partition("/")
            actual = self._of_record(what, source, id_)
            if not _fits(what, wanted, actual):
                said = _in_order if what == "history" else _words
                failures.append(f"{RECORDS[what]} of {name}: expected {said(wanted)}, found {said(actual)}")
        return failures

    def _of_record(self, what: str, source: str, id_: str) -> Any:
        company = self.company
        look: Mapping[str, Callable[[str, str], Any]] = {
            "owners": lambda *record: company.owner(*record) or "nobody",
            "shown": lambda *record: company.shown(*record) or "nobody",
            "reasons": company.reason,
            "because": self._because,
            "team": company.team,
            "history": company.history,
            "records": lambda *record: ", ".join(company.records(*record)),
        }
        try:
            return look[what](source, id_)
        except LookupError:
            return "in no account"

    def _of_notices(self, expected: Mapping[str, Any], never: bool) -> list[str]:
        told, wanted = self._told(), "not in it" if never else "in it"
        return [
            f"what {rep} was told: expected '{text}' {wanted}, found '{told.get(rep, 'nothing')}'"
            for rep, text in expected.items()
            if (str(text) in told.get(rep, "")) is never
        ]

    def _next(self, name: str) -> str:
        """Whose turn it is in "pool", or in "pool/rule" where each rule has turns of its own."""
        pool_id, _, rule = name.partition("/")
        pool = next((each for each in self.company.context.policy.policy.pools if each.id == pool_id), None)
        if pool is None:
            return "no such pool"
        if (pool.memory == "rule") != bool(rule):
            return "turns by rule" if pool.memory == "rule" else "turns for all rules together"
        return self.company.next_in(pool_id, rule) or "nobody"

    def _of_tasks(self, expected: Sequence[Mapping[str, str]]) -> list[str]:
        """Every task must be expected and every expected one there, in whichever order."""
        there = self._tasks()
        missing = []
        for wanted in expected:
            fitting = next((task for task in there if _is_task(wanted, task)), None)
            if fitting is None:
                missing.append(f"a task: expected {_words(wanted)}, found none such")
            else:
                there.remove(fitting)
        return missing + [f"a task: expected none, found {_words(task)}" for task in there]

    def _tasks(self) -> list[dict[str, str]]:
        """What a scenario can say of each task in the CRMs."""
        reps = {(name, user_id(name, rep)): rep for name in self.company.targets for rep in self._roster()}
        return [
            {
                "on": f"{name}/{task.remote_id}",
                "for": reps.get((name, task.owner_id), task.owner_id),
                "subject": task.subject,
                "due": task.due_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            for name, task in self.company.tasks()
        ]

    def _roster(self) -> list[str]:
        return list(self.company.context.policy.roster.reps)

    def _because(self, source: str, id_: str) -> str:
        """What every step of the last decision said."""
        last = self.company.decision(source, id_)
        return " | ".join(step.because for step in last.path) if last else "not decided"

    def _told(self) -> dict[str, str]:
        """Everything that was told so far, by rep."""
        reps = {rep.email: rep.id for rep in self.company.context.policy.roster.reps.values()}
        told: dict[str, list[str]] = {}
        for notice in (*self.company.notifier.delivered.values(), *self.company.mailbox.delivered.values()):
            told.setdefault(reps.get(notice.email, notice.email), []).extend((notice.subject, *notice.said))
        return {rep: " | ".join(said) for rep, said in told.items()}

    def _uncovered(self) -> int:
        context = self.company.context
        return measure_coverage(context.store, context.policy, self.company.now[0]).uncovered

    def _books(self) -> dict[str, int]:
        """How many accounts each owner of record has; leads are in nobody's book."""
        with self.company.context.store.transaction(readonly=True) as uow:
            return uow.ledger.book_sizes()


def _fits(what: str, wanted: Any, actual: Any) -> bool:
    """A list says that any of these will do; of a history, that it was these in this order."""
    if what == "because":
        return isinstance(actual, str) and str(wanted) in actual
    if what == "history":
        return bool(actual == (wanted if isinstance(wanted, list) else [wanted]))
    return actual in (wanted if isinstance(wanted, list) else [wanted])


def _is_task(wanted: Mapping[str, str], task: Mapping[str, str]) -> bool:
    """Whether a task is as expected in all that is said of it; instants may be written in several ways."""
    said = {key: value for key, value in wanted.items() if key != "due"}
    return all(task[key] == value for key, value in said.items()) and (
        "due" not in wanted or to_instant(wanted["due"]) == to_instant(task["due"])
    )


def _differ(what: str, expected: Any, actual: Any) -> list[str]:
    expected, actual = _sorted(expected), _sorted(actual)
    return [] if expected == actual else [f"{what}: expected {_words(expected)}, found {_words(actual)}"]


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(sorted(value.items()))
    return sorted(value) if isinstance(value, list) else value


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    if isinstance(value, list):
        return " or ".join(map(str, value)) or "nobody"
    return str(value)


def _in_order(value: Any) -> str:
    return (", then ".join(map(str, value)) or "nobody") if isinstance(value, list) else str(value)
