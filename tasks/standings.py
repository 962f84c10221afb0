"""Say whose turn it is in a pool, who comes after, and by how much each is ahead of their fair share or behind it."""

from __future__ import annotations

from collections.abc import Iterator

from config.yaml_files import hint
from ownership.day import Day
from ownership.rota import Rota
from ownership.turn_queue import Standing
from tasks.context import RunContext
from tasks.state import load_state


def turn_lines(context: RunContext, pool_id: str) -> Iterator[str]:
    """The members of a pool, one a line, whose turn comes first first; of each rule, in a pool that remembers turns by
    rule. Takes no turn."""
    day = Day.of(context.policy.policy, context.policy.roster, context.now())
    if pool_id not in day.index.pools:
        known = ", ".join(sorted(day.index.pools)) or "none"
        yield f"There is no pool '{pool_id}'{hint(pool_id, day.index.pools)}. Pools: {known}."
        return
    with context.store.transaction(readonly=True) as uow:
        rota = load_state(uow, day, [], lock=False).rota(pool_id, day)
    strategy = "takes turns" if rota.pool.strategy == "turns" else f"gives to the smallest book, now {rota.next()}"
    yield f"Pool {pool_id} {strategy}; {len(rota.pool.members)} members."
    if rota.pool.memory == "pool":
        yield from _members(rota, day)
        return
    for rule in day.index.users_of.get(pool_id, ()):
        yield f"For {rule}:"
        yield from _members(rota, day, rule)


def _members(rota: Rota, day: Day, rule: str = "") -> Iterator[str]:
    gates = rota.gates()
    for member in rota.standing(rule):
        said = _balance(member) + _state(rota.taken(member.rep, rule), gates[member.rep])
        yield f"  {_place(member)} {day.name(member.rep):<24} {said}"


def _place(member: Standing) -> str:
    return "  -" if member.next_in is None else f"{member.next_in:>3}"


def _balance(member: Standing) -> str:
    ahead = member.turns_ahead
    said = (
        "exactly at their share"
        if abs(ahead) < 0.005
        else f"{abs(ahead):.2f} turns {'ahead' if ahead > 0 else 'behind'}"
    )
    return said + (f", {member.saved:.2f} owed from leave" if member.saved else "")


def _state(taken: int, gate: str | None) -> str:
    return f", {taken} taken" + (f"; {gate}" if gate else "")
