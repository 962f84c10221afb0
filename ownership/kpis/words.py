"""How figures are said to people."""

from __future__ import annotations

from ownership.kpis.catalogue import Better, Unit
from ownership.kpis.measuring import in_hours

NOT_ENOUGH = "–"


def said(value: float | None, unit: Unit) -> str:
    """The value with its unit; a dash where there is none."""
    if value is None:
        return NOT_ENOUGH
    match unit:
        case Unit.SHARE:
            return _share(value)
        case Unit.HOURS:
            return in_hours(value)
        case Unit.MONEY:
            return _money(value)
        case Unit.RATE:
            return f"{value:.2f}"
        case Unit.POINTS:
            return f"{value:+.1f} points"
        case Unit.COUNT:
            return f"{value:,.0f}"


def change_said(before: float, now: float, unit: Unit) -> str:
    """By how much a value went up or down: shares in points."""
    if unit is Unit.SHARE:
        return said(100 * (now - before), Unit.POINTS)
    sign = "+" if now > before else "−"
    return sign + said(abs(now - before), unit) if unit is not Unit.POINTS else said(now - before, unit)


def is_better(before: float, now: float, better: Better) -> bool | None:
    """Whether a value went the way that is wanted; None when it stayed, or when neither way is."""
    if before == now or better is Better.NEITHER:
        return None
    return (now > before) == (better is Better.MORE)


def _share(value: float) -> str:
    """Never "100 %" for what is not all, nor "0 %" for what is not nothing."""
    shown = round(100 * value, 1)
    if value < 1 <= shown / 100:
        return "over 99.9 %"
    if value > 0 >= shown:
        return "under 0.1 %"
    return f"{shown:g} %"


def _money(value: float) -> str:
    for size, word in ((1_000_000_000, "bn"), (1_000_000, "m"), (10_000, "k")):
        if abs(value) >= size:
            return f"{value / (1000 if word == 'k' else size):,.1f} {word}"
    return f"{value:,.0f}"
