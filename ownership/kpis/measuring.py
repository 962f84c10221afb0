"""The figures themselves: from the counts of one scope and period to a value, what it was counted over, and its parts.

A value is None where the data says nothing, and `note` says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from ownership.kpis.catalogue import BOOKED, ENOUGH, FORECAST
from ownership.kpis.counts import Cell, Slice, Wait, by_label, by_owner, total

QUARTER_DAYS = 91
PARTS = 40
REASONS = {"": "no reason kept"}
WAITED = ((1, "under 1 h"), (4, "1–4 h"), (8, "4–8 h"), (24, "8–24 h"), (72, "1–3 days"), (float("inf"), "over 3 days"))


@dataclass(frozen=True, slots=True)
class Part:
    """One bar: what a figure comes to for one rep, territory, reason or span of time. `owner_id` for a rep's."""

    label: str
    value: float
    n: int
    owner_id: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one scope. `n` is what it was counted over; parts are the most telling first."""

    value: float | None
    n: int
    note: str = ""
    parts: tuple[Part, ...] = ()


def measure(one: Slice) -> dict[str, Figure]:
    """Every key figure of the catalogue, by its id."""
    return {id_: work_out(one) for id_, work_out in _FIGURES.items()}


def gini(values: Sequence[float]) -> float:
    """0 when all are equal, near 1 when one of many has everything; of nothing at all it is 0."""
    ordered, everything = sorted(values), sum(values)
    if not everything:
        return 0.0
    count = len(ordered)
    ranked = sum(rank * value for rank, value in enumerate(ordered, 1))
    return 2 * ranked / (count * everything) - (count + 1) / count


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of all are at or below, between two neighbours in proportion."""
    return values[0] if len(values) == 1 else quantiles(values, n=100, method="inclusive")[percent - 1]


def _unassigned(one: Slice) -> Figure:
    present = one.company.present
    left = [cell for cell in one.accounts if cell.owner_id is not None and cell.owner_id not in present]
    nobody = total((cell for cell in one.accounts if cell.owner_id is None), "accounts")
    of_leavers = by_owner(left, "accounts")
    parts = [Part("no owner of record", nobody, nobody)] if nobody else []
    parts += [
        Part(f"{one.company.roster.name(id_)} (left)", count, count, id_) for id_, count in of_leavers.most_common()
    ]
    return Figure(nobody + of_leavers.total(), total(one.accounts, "accounts"), parts=tuple(parts[:PARTS]))


def _overloaded(one: Slice) -> Figure:
    full = _fullness(one)
    over = [part for part in full if part.value > 1]
    above = sum(part.n - _capacity(one, str(part.owner_id)) for part in over)
    note = f"{above:,} {'account' if above == 1 else 'accounts'} above capacity" if over else ""
    parts = tuple(sorted(over, key=lambda part: (-part.value, part.label)))  # all: their accounts are listed
    return Figure(len(over), len(full), note or _no_capacity(full), parts)


def _no_activity(one: Slice) -> Figure:
    owned = [cell for cell in one.accounts if cell.owner_id is not None]
    quiet = by_owner(owned, "quiet")
    return Figure(quiet.total(), total(owned, "accounts"), parts=_of_owners(one, quiet, by_owner(owned, "accounts")))


def _coverage(one: Slice) -> Figure:
    accounts = total(one.accounts, "accounts")
    parts = _by_territory(one)
    return Figure(_share(sum(map(_covered(one), one.accounts)), accounts), accounts, _none(accounts, "account"), parts)


def _territory_coverage(one: Slice) -> Figure:
    parts = _by_territory(one)
    weakest = parts[0] if parts else None
    return Figure(
        weakest.value if weakest else None,
        len(parts),
        f"{weakest.label}, {weakest.n:,} accounts" if weakest else _none(0, "account"),
        parts,
    )


def _time_to_ownership(one: Slice) -> Figure:
    hours = sorted(wait.hours for wait in one.waits if wait.hours is not None)
    waiting = sum(1 for wait in one.waits if wait.hours is None)
    still = f"{waiting:,} still wait" if waiting else ""
    if not hours:
        return Figure(None, 0, still or "nothing was first seen in the period")
    late = f"90th percentile {in_hours(percentile(hours, 90))}"
    said = [late, *_accepted_after(one.waits), *([still] if still else [])]
    return Figure(percentile(hours, 50), len(hours), "; ".join(said), _spread(one.waits))


def _accepted_after(waits: Sequence[Wait]) -> list[str]:
    after = sorted(wait.accepted_after for wait in waits if wait.accepted_after is not None)
    return [f"accepted {in_hours(percentile(after, 50))} after the first offer"] if after else []


def _sla(one: Slice) -> Figure:
    offers = one.happened.offers
    counted = _answered(offers)
    return Figure(
        _share(total(offers, "in_time"), counted),
        counted,
        _none(counted, "offer answered"),
        _shares_of_owners(one, offers, "in_time"),
    )


def _acceptance(one: Slice) -> Figure:
    offers = one.happened.offers
    counted = _answered(offers)
    said = f"{total(offers, 'declined'):,} declined, {total(offers, 'expired'):,} ran out"
    return Figure(
        _share(total(offers, "accepted"), counted),
        counted,
        said if counted else _none(0, "offer answered"),
        _shares_of_owners(one, offers, "accepted"),
    )


def _reassignment(one: Slice) -> Figure:
    owned = total((cell for cell in one.accounts if cell.owner_id is not None), "accounts")
    moves = by_label(one.happened.moves, "moves")
    changes, note = moves.total(), "" if owned else "nothing is owned yet"
    rate = changes / owned * QUARTER_DAYS / one.period if owned else None
    parts = tuple(Part(reason or REASONS[""], count, count) for reason, count in moves.most_common(PARTS))
    return Figure(rate, changes, note, parts)


def _revenue_per_owner(one: Slice) -> Figure:
    owned = [cell for cell in one.accounts if cell.owner_id in one.loads]
    known = total(owned, "arr_known")
    if not known:
        return Figure(None, 0, "no owned account has `mrr_cents`; connect billing, or read the field from a CRM")
    owners = {id_ for id_, count in by_owner(owned, "accounts").items() if count}
    revenue, books = by_owner(owned, "arr_cents"), by_owner(owned, "accounts")
    parts = [Part(one.company.roster.name(id_), revenue[id_] / 100, books[id_], id_) for id_ in owners]
    return Figure(revenue.total() / 100 / len(owners), known, f"{len(owners):,} owners", _most(parts))


def _workload_balance(one: Slice) -> Figure:
    full = _fullness(one)
    if len(full) < 2:
        return Figure(None, len(full), _no_capacity(full) or "one rep alone cannot be out of balance", _most(full))
    # Notes name nobody: who may see the figure of a company may not see everybody's book.
    note = f"the fullest at {max(part.value for part in full):.0%} of capacity"
    return Figure(gini([part.value for part in full]), len(full), note, _most(full))


def _contact_known(one: Slice) -> Figure:
    accounts = total(one.accounts, "accounts")
    parts = _shares(one, one.accounts, "with_contact", "accounts")
    return Figure(_share(total(one.accounts, "with_contact"), accounts), accounts, _none(accounts, "account"), parts)


def _consent_known(one: Slice) -> Figure:
    accounts, leads = total(one.accounts, "accounts"), total(one.accounts, "leads")
    of_accounts, of_leads = total(one.accounts, "accounts_consent"), total(one.accounts, "leads_consent")
    parts = [
        Part(label, known / count, count)
        for label, known, count in (("accounts", of_accounts, accounts), ("leads", of_leads, leads))
        if count
    ]
    counted = accounts + leads
    return Figure(_share(of_accounts + of_leads, counted), counted, _none(counted, "account or lead"), tuple(parts))


def _drift(one: Slice) -> Figure:
    events = by_label(one.happened.drift, "events")
    still_open = total(one.happened.drift, "open")
    parts = tuple(Part(label, count, count) for label, count in events.most_common(PARTS) if count)
    return Figure(events.total(), events.total(), f"{still_open:,} open" if still_open else "none open", parts)


def _renewal_lift(one: Slice) -> Figure:
    return _lift(one.happened.outcomes, "renewed", "lost", "renewals and losses")


def _expansion_lift(one: Slice) -> Figure:
    return _lift(one.happened.outcomes, "expanded", "shrunk", "changes of revenue")


def _lift(cells: Sequence[Cell], good: str, bad: str, what: str) -> Figure:
    """The share of the good among both with a stable owner, minus that without one, in points."""
    counts = {
        (side, label): total((cell for cell in cells if cell.label == label), side)
        for side in ("stable", "other")
        for label in (good, bad)
    }
    stable, other = (counts[side, good] + counts[side, bad] for side in ("stable", "other"))
    if min(stable, other) < ENOUGH:
        note = f"not enough data: {stable} {what} under stable owners and {other} under others, of {ENOUGH} needed each"
        return Figure(None, stable + other, note)
    return _difference(counts["stable", good] / stable, stable, counts["other", good] / other, other)


def _forecast_delta(one: Slice) -> Figure:
    def accuracy(side: str) -> tuple[int, float | None]:
        booked = total(one.accounts, f"booked_{side}")
        missed = total(one.accounts, f"missed_{side}")
        return total(one.accounts, f"forecasts_{side}"), 1 - missed / booked if booked else None

    (stable, of_stable), (other, of_other) = accuracy("stable"), accuracy("other")
    if not stable + other:
        return Figure(None, 0, f"no account has `{FORECAST}` and `{BOOKED}`; docs/kpis.md says how to provide them")
    if min(stable, other) < ENOUGH or of_stable is None or of_other is None:
        note = f"not enough data: {stable} accounts under stable owners and {other} under others, of {ENOUGH} needed"
        return Figure(None, stable + other, note)
    return _difference(of_stable, stable, of_other, other)


def _difference(of_stable: float, stable: int, of_other: float, other: int) -> Figure:
    parts = (Part("stable owner", of_stable, stable), Part("owner changed lately", of_other, other))
    return Figure(100 * (of_stable - of_other), stable + other, parts=parts)


def _covered(one: Slice) -> Callable[[Cell], int]:
    """How many accounts of a cell are covered."""
    name = "supported" if one.company.overlays_count else "nobody"
    present = one.company.present
    return lambda cell: cell.counts.get("accounts" if cell.owner_id in present else name, 0)


def _by_territory(one: Slice) -> tuple[Part, ...]:
    """Coverage of each territory with accounts, the lowest first."""
    accounts: dict[str, int] = {}
    covered: dict[str, int] = {}
    count = _covered(one)
    for cell in one.accounts:
        accounts[cell.territory] = accounts.get(cell.territory, 0) + cell.counts.get("accounts", 0)
        covered[cell.territory] = covered.get(cell.territory, 0) + count(cell)
    names = {"": "in no territory", **one.company.territories}
    parts = [Part(names.get(id_, id_), covered[id_] / size, size) for id_, size in accounts.items() if size]
    return tuple(sorted(parts, key=lambda part: (part.value, -part.n, part.label)))


def _fullness(one: Slice) -> list[Part]:
    """Each rep with a capacity: how full their book is."""
    return [
        Part(one.company.roster.name(id_), load / capacity, load, id_)
        for id_, load in one.loads.items()
        if (capacity := _capacity(one, id_))
    ]


def _capacity(one: Slice, rep_id: str) -> int:
    return one.company.roster.reps[rep_id].capacity_on(one.company.day) or 0


def _answered(offers: Iterable[Cell]) -> int:
    some = list(offers)
    return sum(total(some, answer) for answer in ("accepted", "declined", "expired"))


def _shares_of_owners(one: Slice, offers: Sequence[Cell], name: str) -> tuple[Part, ...]:
    counted = [Cell(cell.owner_id, "", {**cell.counts, "all": _answered([cell])}) for cell in offers]
    return _shares(one, counted, name, "all")


def _shares(one: Slice, cells: Sequence[Cell], name: str, of: str) -> tuple[Part, ...]:
    """That share for each owner, the lowest first."""
    good, every = by_owner(cells, name), by_owner(cells, of)
    names = one.company.roster.name
    parts = [Part(names(id_), good[id_] / count, count, id_) for id_, count in every.items() if count]
    return tuple(sorted(parts, key=lambda part: (part.value, -part.n, part.label))[:PARTS])


def _of_owners(one: Slice, counts: Mapping[str, int], among: Mapping[str, int]) -> tuple[Part, ...]:
    names = one.company.roster.name
    return _most(Part(names(id_), count, among[id_], id_) for id_, count in counts.items() if count)


def _most(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: (-part.value, part.label))[:PARTS])


def _spread(waits: Sequence[Wait]) -> tuple[Part, ...]:
    """How many waited how long."""
    counts = dict.fromkeys((label for _, label in WAITED), 0)
    for wait in waits:
        if wait.hours is not None:
            counts[next(label for most, label in WAITED if wait.hours < most)] += 1
    return tuple(Part(label, count, count) for label, count in counts.items())


def in_hours(hours: float) -> str:
    """A length of time for people: minutes, hours or days."""
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def _share(some: int, everything: int) -> float | None:
    return some / everything if everything else None


def _none(count: int, what: str) -> str:
    return "" if count else f"there is no {what} to count"


def _no_capacity(full: Sequence[Part]) -> str:
    return "" if full else "nobody here has a `capacity` on the roster"


_FIGURES: Mapping[str, Callable[[Slice], Figure]] = {
    "unassigned": _unassigned,
    "overloaded": _overloaded,
    "no_activity": _no_activity,
    "coverage": _coverage,
    "territory_coverage": _territory_coverage,
    "time_to_ownership": _time_to_ownership,
    "sla": _sla,
    "acceptance": _acceptance,
    "reassignment": _reassignment,
    "revenue_per_owner": _revenue_per_owner,
    "workload_balance": _workload_balance,
    "contact_known": _contact_known,
    "consent_known": _consent_known,
    "drift": _drift,
    "renewal_lift": _renewal_lift,
    "expansion_lift": _expansion_lift,
    "forecast_delta": _forecast_delta,
}
