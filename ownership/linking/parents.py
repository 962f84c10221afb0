"""Parents: the account above each account, as people and the systems' parent fields say; who comes first holds."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ownership.linking.problems import Problem
from ownership.matching.hierarchy import SOURCES, ParentEdge, ParentProblem, build_hierarchy
from ownership.model import Account, AccountRecord, Ref

KINDS = {"parent_cycle": "parent_cycle"}
"""What a person is told of; everything else that is wrong with parents is a `parent_conflict`."""


def with_parents(
    accounts: Sequence[Account],
    records: Mapping[Ref, AccountRecord],
    account_of: Mapping[Ref, str],
    said: Mapping[Ref, Ref],
) -> tuple[list[Account], list[Problem]]:
    """The accounts under their parents. Who would be their own ancestor has none. `said` are parents people named: what
    a system says beside them is no conflict any more."""
    tree = build_hierarchy([*_edges(accounts, records, account_of), *_said_edges(account_of, said)])
    by_id = {account.id: account for account in accounts}
    settled = {child for child, edge in tree.above.items() if edge.source == "person"}
    problems = [_to_problem(each, by_id) for each in tree.problems if not _is_settled(each, settled)]
    return [replace(account, parent_id=tree.parent_of(account.id)) for account in accounts], problems


def _edges(
    accounts: Iterable[Account], records: Mapping[Ref, AccountRecord], account_of: Mapping[Ref, str]
) -> Iterator[ParentEdge]:
    for account in accounts:
        for ref in account.refs:
            parent = records[ref].parent_external_id
            above = account_of.get(Ref(ref.source, ref.object_type, parent)) if parent else None
            if above is not None:
                yield ParentEdge(account.id, above, ref.source if ref.source in SOURCES else "crm")


def _said_edges(account_of: Mapping[Ref, str], said: Mapping[Ref, Ref]) -> Iterator[ParentEdge]:
    for child, parent in said.items():
        if child in account_of and parent in account_of:
            yield ParentEdge(account_of[child], account_of[parent], "person")


def _is_settled(problem: ParentProblem, settled: Container[str]) -> bool:
    return problem.kind in ("parent_conflict", "parent_dispute") and problem.accounts[0] in settled


def _to_problem(found: ParentProblem, accounts: Mapping[str, Account]) -> Problem:
    because = found.because
    for account_id in found.accounts:
        because = because.replace(account_id, accounts[account_id].name)
    told = found.accounts if found.kind in KINDS else found.accounts[:1]
    refs = tuple(sorted(ref for account_id in told for ref in accounts[account_id].refs))
    return Problem(KINDS.get(found.kind, "parent_conflict"), refs, because)
