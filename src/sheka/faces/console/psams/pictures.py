"""Pictures of PSAMs, as shapes with words: where they are, and how much one was used. The same stands in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sheka.faces.console.psams.words import said
from sheka.foundation.terms import Term
from sheka.systems.psams.queries import DayOfUse, Place

GROUPS: tuple[tuple[str, Term, tuple[str, ...]], ...] = (
    ("good", Term("在用", "in use"), ("active", "in_use")),
    ("wait", Term("在途", "on the way"), ("shipped", "away")),
    ("info", Term("在库", "in stock"), ("blank", "loaded", "bound", "returned")),
    ("stop", Term("停用", "stopped"), ("frozen", "lost")),
    ("still", Term("已销毁", "destroyed"), ("destroyed",)),
)
COLUMNS, WIDTH, HEIGHT, GAP = 5, 176, 92, 12
BAR = WIDTH - 24


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a tile's bar, and what it counts."""

    tone: str
    word: str
    number: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Tile:
    """A region's tile; all measures in the units of the picture."""

    name: str
    code: str
    total: int
    x: int
    y: int
    parts: tuple[Part, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Group → number, every group."""
        known = {part.tone: part.number for part in self.parts}
        return {tone: known.get(tone, 0) for tone, _word, _states in GROUPS}

    @property
    def tone(self) -> str:
        """Of the largest part; nothing there is still."""
        return max(self.parts, key=lambda part: part.number).tone if self.parts else "none"


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of the chart."""

    day: DayOfUse
    x: float
    y: float
    height: float


CHART_WIDTH, CHART_HEIGHT, FOOT = 720, 150, 22


def tiles_of(places: Sequence[Place]) -> tuple[list[Tile], int, int]:
    """Tiles in rows, and the width and height of the picture."""
    tiles = [
        Tile(
            place.name,
            place.code,
            place.total,
            at % COLUMNS * (WIDTH + GAP),
            at // COLUMNS * (HEIGHT + GAP),
            tuple(_parts(place)),
        )
        for at, place in enumerate(places)
    ]
    columns, rows = min(COLUMNS, len(tiles)), -(-len(tiles) // COLUMNS)
    return tiles, columns * (WIDTH + GAP) - GAP, rows * (HEIGHT + GAP) - GAP


def bars_of(days: Sequence[DayOfUse]) -> tuple[list[Bar], int]:
    """A bar for each day, and the greatest number of a day."""
    most = max((day.uses for day in days), default=0)
    step, room = CHART_WIDTH / max(1, len(days)), CHART_HEIGHT - FOOT - 18
    bars = []
    for at, day in enumerate(days):
        height = room * day.uses / most if most else 0
        bars.append(Bar(day, round(at * step + 2, 1), round(CHART_HEIGHT - FOOT - height, 1), round(height, 1)))
    return bars, most


def _parts(place: Place) -> list[Part]:
    found, x = [], 0.0
    for tone, word, states in GROUPS:
        number = sum(place.states.get(state, 0) for state in states)
        if number:
            width = BAR * number / place.total
            found.append(Part(tone, said(word), number, round(12 + x, 1), round(width, 1)))
            x += width
    return found
