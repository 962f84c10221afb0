"""The review queue: what linking could not place without doubt becomes an exception with its evidence and ways out.

One exception for each record that may be another's, its best pair only, so that an import of many does not open one for
each pair. What somebody settled is closed with who did, and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ownership.linking import PROBLEM_KINDS, Problem
from ownership.model import LEAD, Account, Ref
from ownership.verdicts import Verdict, Verdicts, name_of
from store.exceptions import ExceptionItem, NewException
from store.likenesses import REVIEW, Likeness
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identity_part import Part

LEAD_DOUBT = "lead"


def review_problems(
    likenesses: Iterable[Likeness], account_of: Mapping[Ref, str], leads: Mapping[Ref, Account], verdicts: Verdicts
) -> list[Problem]:
    """What comparing left to a person: pairs that are still two accounts, and leads that are still of no account."""
    found: list[Problem] = []
    told: set[frozenset[Ref]] = set()
    for each in sorted(likenesses, key=lambda likeness: likeness.ref):
        lead = leads.get(each.ref)
        here = lead.id if lead else account_of.get(each.ref)
        there = account_of.get(each.other) if each.other else None
        if each.outcome != REVIEW or each.other is None or here is None or there is None or here == there:
            continue
        pair = frozenset({each.ref, each.other})
        if pair in told or (lead and lead.parent_id) or verdicts.are_apart([each.ref], [each.other]):
            continue
        told.add(pair)
        because = f"matched {'account ' if lead else ''}in review, {each.score:.0%} likely: {'; '.join(each.because)}"
        about = f"{LEAD_DOUBT if lead else 'alike'} {name_of(each.ref)}"
        found.append(Problem("doubtful_match", (each.ref, each.other), because, about))
    return found


def note_problems(
    context: RunContext, uow: UnitOfWork, part: Part, problems: Sequence[Problem], after: Mapping[Ref, Account]
) -> None:
    """Open what was found, and close what is settled."""
    now = context.now()
    elsewhere = uow.accounts.by_refs({ref for each in problems for ref in each.refs} - after.keys())
    uow.exceptions.open_many([_to_exception(each, after, elsewhere) for each in problems], context.run_id, now)
    found = {problem.key for problem in problems}
    for kind in PROBLEM_KINDS:
        for item in uow.exceptions.open_items(kind, explained_too=True):
            if item.dedup_key not in found and item.dedup_key.startswith(f"{kind}:") and _is_of(part, item):
                word = _word_on(item, part.verdicts)
                by, how = (word.by, str(word)) if word else ("steward", "no longer found")
                uow.exceptions.close([item.dedup_key], by, how, now)


def _is_of(part: Part, item: ExceptionItem) -> bool:
    """Whether linking this part would have found it again."""
    if part.whole or item.dedup_key.partition(":")[2] in part.keys:
        return True
    records = [tuple(str(each).split("/", 1)) for each in item.detail.get("records", ())]
    return any(place in part.places for place in records) and not _is_crowd(item)


def _is_crowd(item: ExceptionItem) -> bool:
    return item.dedup_key.partition(":")[2].startswith(("domain ", "name "))


def _to_exception(problem: Problem, after: Mapping[Ref, Account], elsewhere: Mapping[Ref, str]) -> NewException:
    refs = problem.refs if problem.about.startswith((LEAD_DOUBT, "alike")) else tuple(sorted(problem.refs))
    accounts = (after[ref].id if ref in after else elsewhere.get(ref) for ref in refs)
    detail: dict[str, Any] = {"records": [name_of(ref) for ref in refs], "because": problem.because}
    if ways := _ways_out(problem, refs, after):
        detail["ways_out"] = ways
    return NewException(problem.kind, problem.key, next((id_ for id_ in accounts if id_), None), detail, "warning")


def _ways_out(problem: Problem, refs: Sequence[Ref], after: Mapping[Ref, Account]) -> list[str]:
    """The commands that settle it."""
    if problem.kind not in ("doubtful_match", "conflicting_owners") or len(refs) != 2:
        return []
    one, other = map(name_of, refs)
    if refs[0] in after and after[refs[0]].kind == LEAD:
        return [f"steward match-lead {one} {other}", f"steward match-lead --not {one} {other}"]
    same = [f"steward same {one} {other}"]
    if problem.kind == "conflicting_owners":
        same.append(f"steward same {other} {one}")
    return [*same, f"steward split {one} {other}"]


def _word_on(item: ExceptionItem, verdicts: Verdicts) -> Verdict | None:
    """The last word on two of the records it is about."""
    records = set(item.detail.get("records", ()))
    said = [each for each in (*verdicts.same, *verdicts.split.values()) if {name_of(r) for r in each.pair} <= records]
    return max(said, key=lambda each: str(each.said_at), default=None)
