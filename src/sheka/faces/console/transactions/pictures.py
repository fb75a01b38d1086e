"""Charts of the live board, as shapes with words: rate, latency, lines. The same stands in a table (look.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import number_format

from sheka.systems.transactions.queries_of_pulse import Point

WIDTH, HEIGHT, TOP, FOOT = 360, 140, 20, 20
FLOOR = HEIGHT - FOOT
ROOM = FLOOR - TOP


@dataclass(frozen=True, slots=True)
class Bar:
    tone: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A line with its word at its end; `points` as SVG reads them, gaps as moves of a path."""

    tone: str
    path: str
    word: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture: `most` is what the height stands for; `first`, `last` are times."""

    bars: tuple[Bar, ...]
    curves: tuple[Curve, ...]
    most: str
    first: str
    last: str
    width: int = WIDTH
    height: int = HEIGHT
    floor: int = FLOOR
    top: int = TOP


def rate_chart(points: Sequence[Point]) -> Chart:
    """A bar for each stretch: refusals stand on approvals."""
    most = max((point.rate for point in points), default=0.0)
    step = WIDTH / len(points)
    bars = []
    for n, point in enumerate(points):
        y = float(FLOOR)
        for tone, number in (("good", point.approved), ("stop", point.refused)):
            height = ROOM * number / point.seconds / most if most and number else 0.0
            if height:
                y -= height
                bars.append(Bar(tone, _r(n * step + 0.5), _r(y), _r(step - 1), _r(height)))
    return Chart(tuple(bars), (), _number(most, 1), *_edges(points))


def latency_chart(points: Sequence[Point]) -> Chart:
    """p50 and p99 in milliseconds; a stretch without answers is a gap."""
    highs = [point.p99 for point in points if point.p99 is not None]
    most = max(highs, default=0.0)
    curves = tuple(
        _curve(tone, word, [value(point) for point in points], most)
        for tone, word, value in (
            ("wait", "p99", lambda point: point.p99),
            ("good", "p50", lambda point: point.p50),
        )
    )
    return Chart((), curves, f"{_number(most, 0)} ms", *_edges(points))


def lines_chart(points: Sequence[Point], words: tuple[str, str]) -> Chart:
    """Lines open, and requests that waited; `words` are what they are called."""
    most = float(max((max(point.open_lines, point.queue) for point in points), default=0))
    curves = (
        _curve("info", words[0], [float(point.open_lines) for point in points], most),
        _curve("stop", words[1], [float(point.queue) for point in points], most),
    )
    return Chart((), curves, _number(most, 0), *_edges(points))


def _curve(tone: str, word: str, values: Sequence[float | None], most: float) -> Curve:
    step = WIDTH / max(1, len(values) - 1)
    parts, pen, end = [], False, (float(WIDTH), float(FLOOR))
    for n, value in enumerate(values):
        if value is None:
            pen = False
            continue
        x, y = _r(n * step), _r(FLOOR - (ROOM * value / most if most else 0.0))
        alone = n + 1 >= len(values) or values[n + 1] is None
        parts.append(f"{'L' if pen else 'M'}{x} {y}" + ("h-2" if not pen and alone else ""))
        pen, end = True, (x, y)
    return Curve(tone, "".join(parts), word, *end)


def _edges(points: Sequence[Point]) -> tuple[str, str]:
    return tuple(timezone.localtime(points[n].at).strftime("%H:%M") for n in (0, -1))  # type: ignore[return-value]


def _number(value: float, digits: int) -> str:
    return str(number_format(value, digits, use_l10n=True, force_grouping=True))


def _r(value: float) -> float:
    return round(value, 1)
