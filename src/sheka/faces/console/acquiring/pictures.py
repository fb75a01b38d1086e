"""The map of terminals as shapes with words: places to scale on a net of degrees, no tiles from anywhere (S4)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, cos, floor, radians

from sheka.systems.transactions.queries_of_acquiring import Spot

WIDTH, HEIGHT, EDGE = 900, 560, 44
CELL = 30
"""Terminals nearer than this to each other on the picture are one mark with their number."""
KILOMETRES = 111.32
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
ORDER = ("active", "suspended", "locked", "registered", "closed")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place with terminals: `state` of most of them; `tone` names the shape. Measures in units of the picture."""

    x: float
    y: float
    radius: float
    state: str
    spots: tuple[Spot, ...]

    @property
    def number(self) -> int:
        return len(self.spots)

    @property
    def left(self) -> float:
        return round(self.x - self.radius, 1)

    @property
    def top(self) -> float:
        return round(self.y - self.radius, 1)

    @property
    def side(self) -> float:
        return self.radius * 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the net, and what is written at it."""

    at: float
    word: str


@dataclass(frozen=True, slots=True)
class Map:
    """Everything that the picture draws. `scale`: length of the bar, and what it stands for in kilometres."""

    marks: tuple[Mark, ...]
    meridians: tuple[Line, ...]
    parallels: tuple[Line, ...]
    scale: float
    kilometres: float


def map_of(spots: Sequence[Spot]) -> Map | None:
    """The picture of these places, None for none."""
    if not spots:
        return None
    south, north = _span([spot.latitude for spot in spots])
    west, east = _span([spot.longitude for spot in spots])
    shrink = max(0.1, cos(radians((south + north) / 2)))  # a degree of longitude is so much shorter here
    unit = min((WIDTH - 2 * EDGE) / ((east - west) * shrink), (HEIGHT - 2 * EDGE) / (north - south))
    middle_x, middle_y = (west + east) / 2, (south + north) / 2

    def across(longitude: float) -> float:
        return round(WIDTH / 2 + (longitude - middle_x) * shrink * unit, 1)

    def down(latitude: float) -> float:
        return round(HEIGHT / 2 - (latitude - middle_y) * unit, 1)

    places: dict[tuple[int, int], list[Spot]] = defaultdict(list)
    for spot in spots:
        places[int(across(spot.longitude) // CELL), int(down(spot.latitude) // CELL)].append(spot)
    marks = [_mark(group, across, down) for _place, group in sorted(places.items())]
    half_x, half_y = WIDTH / 2 / unit / shrink, HEIGHT / 2 / unit
    step = next((one for one in STEPS if max(half_x, half_y) * 2 / one <= 9), STEPS[-1])
    length = next((one for one in (200, 100, 50, 20, 10, 5, 2, 1, 0.5, 0.2) if one / KILOMETRES * unit < 200), 0.1)
    return Map(
        tuple(marks),
        tuple(Line(across(at), f"{at:.2f}°") for at in _net(middle_x - half_x, middle_x + half_x, step)),
        tuple(Line(down(at), f"{at:.2f}°") for at in _net(middle_y - half_y, middle_y + half_y, step)),
        round(length / KILOMETRES * unit, 1),
        length,
    )


def _mark(group: Sequence[Spot], across, down) -> Mark:  # type: ignore[no-untyped-def]
    count = Counter(spot.terminal.state for spot in group)
    state = max(count, key=lambda one: (count[one], -ORDER.index(one) if one in ORDER else -9))
    x = sum(across(spot.longitude) for spot in group) / len(group)
    y = sum(down(spot.latitude) for spot in group) / len(group)
    return Mark(
        round(x, 1), round(y, 1), 12.5 if len(group) == 1 else min(20.0, 13 + len(group) / 4), state, tuple(group)
    )


def _span(values: Sequence[float]) -> tuple[float, float]:
    """From the least to the greatest, at least two hundredths of a degree apart."""
    least, most = min(values), max(values)
    lack = max(0.0, 0.02 - (most - least)) / 2
    return least - lack, most + lack


def _net(least: float, most: float, step: float) -> list[float]:
    return [round(number * step, 4) for number in range(ceil(least / step), floor(most / step) + 1)]
