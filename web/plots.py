"""Plots as SVG, drawn on the server. Colours and sizes are classes of the one style, so that they hold in dark mode.

Each plot names itself to who cannot see it; the page puts the numbers beside it as a table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from math import inf

from markupsafe import Markup

Say = Callable[[float], str]
Point = tuple[str, float | None]
WIDTH, HEIGHT, RIGHT, TOP, BOTTOM = 640, 220, 16, 14, 30
LETTER, LINE = 12, 22  # of the largest text, which is that on a phone
SPARK_WIDTH, SPARK_HEIGHT = 120, 32


def line(points: Sequence[Point], title: str, say: Say, most: float = inf) -> Markup:
    """Values by day, the oldest first, with gaps where there is none. `say` puts a value into words. The axis shows
    nothing above `most`, unless a value is."""
    known = [value for _, value in points if value is not None]
    if not known:
        return Markup("")
    low, high = _bounds(known, most)
    marks = [(value, say(value)) for value in (low, (low + high) / 2, high)]
    left = LETTER * (1 + max(len(words) for _, words in marks))
    xs = _places(len(points), left, WIDTH - RIGHT)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low))

    grid = Markup("").join(_grid_line(left, y(value), words) for value, words in marks)
    runs = Markup("").join(
        _run([(xs[at], y(value)) for at, value in run], None if low else y(low)) for run in _runs(points)
    )
    ends = _text(left, HEIGHT - 8, points[0][0], "start") if len(points) > 1 else Markup("")
    ends += _text(WIDTH - RIGHT, HEIGHT - 8, points[-1][0], "end")
    desc = f"From {say(known[0])} on {points[0][0]} to {say(known[-1])} on {points[-1][0]}."
    return _svg(WIDTH, HEIGHT, "plot", title, desc, grid + runs + ends)


def spark(points: Sequence[Point], title: str, say: Say) -> Markup:
    """The same in a few millimetres, without words; nothing for fewer than two values."""
    known = [value for _, value in points if value is not None]
    if len(known) < 2:
        return Markup("")
    low, high = _bounds(known)
    xs = _places(len(points), 2, SPARK_WIDTH - 4)

    def y(value: float) -> float:
        return 3 + (SPARK_HEIGHT - 6) * (1 - (value - low) / (high - low))

    runs = Markup("").join(_run([(xs[at], y(value)) for at, value in run], None) for run in _runs(points))
    desc = f"From {say(known[0])} to {say(known[-1])}."
    return _svg(SPARK_WIDTH, SPARK_HEIGHT, "spark", title, desc, runs)


def columns(bars: Sequence[tuple[str, float]], title: str, say: Say) -> Markup:
    """A distribution: how many in each span, side by side in their order."""
    most = max((value for _, value in bars), default=0)
    if not most:
        return Markup("")
    step = (WIDTH - 2 * RIGHT) / len(bars)
    drawn = Markup("")
    for number, (label, value) in enumerate(bars):
        height = (HEIGHT - 2 * BOTTOM - LINE) * value / most
        left, top = RIGHT + number * step, HEIGHT - BOTTOM - LINE - height
        drawn += Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="3"/>').format(
            left + step * 0.12, top, step * 0.76, height
        )
        drawn += _text(left + step / 2, top - 6, say(value), "middle")
        for line, words in enumerate(label.split(" ", 1)):  # in two lines, or they would touch each other on a phone
            drawn += _text(left + step / 2, HEIGHT - BOTTOM + LINE * line, words, "middle")
    said = ", ".join(f"{label}: {say(value)}" for label, value in bars)
    return _svg(WIDTH, HEIGHT, "plot", title, said, drawn)


def bar(value: float, most: float, mark: float | None = None) -> Markup:
    """One bar of a table, as long as the value is of the longest; the cell beside it says the value. `mark` draws a
    line at that value."""
    length = 100 * max(value, 0) / most if most > 0 else 0
    drawn = Markup('<rect class="bar" x="0" y="1" width="{:.2f}" height="8"/>').format(length)
    if mark is not None and 0 < mark <= most:
        at = 100 * mark / most
        drawn += Markup('<line class="mark" x1="{:.2f}" x2="{:.2f}" y1="0" y2="10"/>').format(at, at)
    return Markup(
        '<svg class="rod" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(drawn)


def _svg(width: int, height: int, kind: str, title: str, desc: str, drawn: Markup) -> Markup:
    return Markup(
        '<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{} {}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(kind, width, height, f"{title}.", desc, title, desc, drawn)


def _run(places: Sequence[tuple[float, float]], ground: float | None) -> Markup:
    """A line through neighbouring days with a dot on its last. What lies below is filled where the axis begins at zero
    (`ground`): anywhere else its size would say nothing."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    drawn = Markup('<polyline class="line" points="{}"/>').format(path)
    drawn += Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3.5"/>').format(*places[-1])
    if ground is None:
        return drawn
    below = f"{places[0][0]:.1f},{ground:.1f} {path} {places[-1][0]:.1f},{ground:.1f}"
    return Markup('<polygon class="area" points="{}"/>').format(below) + drawn


def _runs(points: Sequence[Point]) -> list[list[tuple[int, float]]]:
    """The stretches without a gap, as positions and values."""
    known = groupby(enumerate(points), key=lambda each: each[1][1] is not None)
    return [[(at, value) for at, (_, value) in some if value is not None] for has_value, some in known if has_value]


def _grid_line(left: float, y: float, said: str) -> Markup:
    drawn = Markup('<line class="grid-line" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
        left, WIDTH - RIGHT, y, y
    )
    return drawn + _text(left - 8, y + 4, said, "end")


def _text(x: float, y: float, said: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, said)


def _bounds(values: Sequence[float], most: float = inf) -> tuple[float, float]:
    """What the axis shows: some room around the values, never nothing, and from zero where they come near it."""
    low, high = min(values), max(values)
    room = (high - low) * 0.1 or abs(high) * 0.1 or 1.0
    bottom = low - room
    return (0.0 if low >= 0 and bottom < high * 0.4 else bottom), max(high, min(high + room, most))


def _places(count: int, left: float, right: float) -> list[float]:
    if count == 1:
        return [right]
    return [left + (right - left) * number / (count - 1) for number in range(count)]
