"""Situations: what the rules can tell about an account, so that all accounts of one situation are decided alike.

The steps of the policy are walked once for all accounts together. Each step notes what it looks at, and only for the
accounts that no earlier step has decided: what is not asked does not tell two accounts apart. Nothing is decided here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from ownership.day import Day
from ownership.entries import Assign, Rule, Territory
from ownership.model import ACCOUNT
from ownership.territories import serving
from tasks.bulk.answers import Answers
from tasks.bulk.fields import always
from tasks.bulk.kinds import kinds_of
from tasks.bulk.reading import Reading


@dataclass(frozen=True, slots=True)
class Situation:
    """`step` decides (None: none does), by `assign` where that is a rule's or a territory's, of id `rule`. `owner` has
    the account.

    One that `follows` goes before that to its parent's owner, if there is one; equal values say that the steps up to
    there say the same. `first` is one of the accounts.
    """

    step: str | None
    owner: str | None
    assign: Assign | None
    follows: tuple[Any, ...] | None
    first: int
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Situations:
    """`numbers` gives the place in `known` for every account, null for those that were not asked for."""

    known: Sequence[Situation]
    numbers: pl.Series


def situations_of(reading: Reading, fields: Mapping[str, pl.Series], asked: pl.Series) -> Situations:
    """The situations of the accounts `asked` for, of which nothing is said by name and whose owners are there.

    `fields` are those of `tasks.bulk.fields`. One account of each kind is walked through the steps.
    """
    day, owners, below = reading.day, reading.owners, reading.below()
    kinds = kinds_of(fields, day.policy, owners, below, asked)
    answers = Answers({name: column.gather(kinds.firsts) for name, column in fields.items()}, len(kinds.firsts))
    walk = _Walk(day, answers, owners.gather(kinds.firsts), below.gather(kinds.firsts))
    for step in day.steps(ACCOUNT):
        walk.past(step)
    of_kinds = walk.situations()
    firsts = kinds.firsts.gather([each.first for each in of_kinds.known])
    known = [replace(each, first=first) for each, first in zip(of_kinds.known, firsts, strict=True)]
    return Situations(known, of_kinds.numbers.gather(kinds.numbers))


class _Walk:
    def __init__(self, day: Day, answers: Answers, owners: pl.Series, below: pl.Series) -> None:
        self._day, self._answers, self._owners, self._below = day, answers, owners, below
        self._height = len(owners)
        queues = [each for each in day.roster.reps if day.roster.is_queue(each)]
        self._kept = owners.is_not_null() & ~owners.is_in(queues)
        self._left = always(True, self._height, pl.Boolean)  # accounts that no step has decided yet
        self._step = always(None, self._height)
        self._told: dict[str, pl.Series] = {}
        self._until_parent: tuple[str, ...] = ()
        for role in day.policy.team:
            self._tell(f"team {len(self._told)}", answers.holding(role.when))

    def past(self, step: str) -> None:
        """Let a step look at the accounts that are left. Steps that know accounts by name see nothing in them."""
        looks = {
            "do_not_route": self._do_not_route,
            "gate": self._gate,
            "parent_owner": self._parent_owner,
            "existing_owner": self._existing_owner,
            "rules": self._rules,
            "territory": self._territory,
        }
        if step in looks:
            decided = looks[step]() & self._left
            self._step = self._step.set(decided, step)
            self._left &= ~decided

    def situations(self) -> Situations:
        told = pl.DataFrame([column.alias(name) for name, column in {**self._told, "step": self._step}.items()])
        one_of_each = told.with_row_index("first").group_by(told.columns, maintain_order=True)
        known = one_of_each.agg(pl.col("first").first()).with_row_index("number")
        numbers = told.join(known, on=told.columns, how="left", nulls_equal=True, maintain_order="left")["number"]
        found = [self._situation(row) for row in known.iter_rows(named=True)]
        return Situations(found, numbers)

    def _situation(self, told: Mapping[str, Any]) -> Situation:
        by: Rule | Territory | None = None
        if told["step"] == "rules":
            by = self._day.policy.rules[told["rule"]]
        if told["step"] == "territory":
            by = self._served[told["territory"]]
        follows = tuple(told[name] for name in self._until_parent) if told.get("follows") else None
        assign, rule = (by.assign, by.id) if by else (None, "")
        return Situation(told["step"], told.get("owner"), assign, follows, told["first"], rule)

    def _tell(self, name: str, column: pl.Series) -> None:
        if name not in self._told:
            self._told[name] = column.set(~self._left, None)

    # --- what the steps look at; each answers which accounts it decides ---

    def _do_not_route(self) -> pl.Series:
        marked = self._answers.field("do_not_route", pl.Boolean)
        self._tell("do_not_route", marked)
        return marked

    def _gate(self) -> pl.Series:
        in_crm = self._answers.field("in_crm", pl.Boolean)
        self._tell("in_crm", in_crm)
        incomplete = always(False, self._height, pl.Boolean)
        for number, need in enumerate(self._day.policy.requirements):
            missing = ~self._answers.holding(need.when)
            self._tell(f"need {number}", missing)
            incomplete |= missing
        return ~in_crm | (incomplete & ~self._kept)

    def _parent_owner(self) -> pl.Series:
        """Who follows a parent is not known before the parent is decided."""
        self._tell("below", self._below)
        self._tell("follows", self._below & self._answers.holding(self._day.policy.follow_parent))
        self._until_parent = tuple(self._told)
        self._tell("owner", self._owners)
        return always(False, self._height, pl.Boolean)

    def _existing_owner(self) -> pl.Series:
        self._tell("owner", self._owners)
        return self._kept

    def _rules(self) -> pl.Series:
        """The first rule that holds. One that leaves an account with whoever keeps it is passed over by the others."""
        self._tell("owner", self._owners)
        found, left = self._nothing(), self._left
        for number, rule in enumerate(self._day.policy.rules):
            holds = self._answers.holding(rule.when) & left
            if not (rule.assign.owner or rule.assign.pool):
                holds &= self._kept
            found = found.scatter(holds.arg_true(), number)
            left &= ~holds
        self._tell("rule", found)
        return found.is_not_null()

    def _territory(self) -> pl.Series:
        self._tell("owner", self._owners)
        found = self._nothing()
        self._descend(None, self._left, found)
        self._tell("territory", found)
        served = [number for number, server in self._served.items() if server is not None]
        return found.is_in(served).fill_null(False)

    def _descend(self, parent: str | None, left: pl.Series, found: pl.Series) -> None:
        for number, territory in self._children[parent]:
            holds = self._answers.holding(territory.when) & left
            if holds.any():
                found.scatter(holds.arg_true(), number)
                self._descend(territory.id, holds, found)
                left &= ~holds

    def _nothing(self) -> pl.Series:
        return always(None, self._height, pl.Int32)

    @cached_property
    def _children(self) -> dict[str | None, list[tuple[int, Territory]]]:
        """Territories under each, in the order in which siblings are asked."""
        found: dict[str | None, list[tuple[int, Territory]]] = defaultdict(list)
        numbered = enumerate(self._day.policy.territories)
        for number, territory in sorted(numbered, key=lambda each: (-each[1].priority, each[1].id)):
            found[territory.parent].append((number, territory))
        return found

    @cached_property
    def _served(self) -> dict[int, Territory | None]:
        """Who serves each territory: the territory itself, else the nearest above it that is served."""
        by_id = {territory.id: territory for territory in self._day.policy.territories}
        found: dict[int, Territory | None] = {}
        for number, territory in enumerate(self._day.policy.territories):
            path, at = [territory], territory.parent
            while at is not None:
                path.insert(0, by_id[at])
                at = by_id[at].parent
            found[number] = serving(tuple(path))
        return found
