"""The fonts of the papers, and which characters they have: a name is never printed with a character silently missing.

A node that has a licence for a larger font (all of GB 18030-2022) lays it into `<node>/fonts`; it is used where ours
lacks a character.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from sheka.foundation.refusals import Code, Refused

OURS = Path(__file__).parent / "fonts"
REGULAR = OURS / "NotoSansSC_400Regular.ttf"
SUFFIXES = frozenset((".ttf", ".otf"))
_PLAIN = re.compile(r"[\n -~]*")


def folders() -> list[Path]:
    """Where typst looks for fonts, and nowhere else. Raises Refused(PAPER_FONTS)."""
    if not REGULAR.is_file():
        raise Refused(Code.PAPER_FONTS, folder=OURS)
    own = settings.NODE.folder / "fonts"
    return [OURS, own] if own.is_dir() else [OURS]


def covered() -> frozenset[int]:
    """The code points that a paper can print."""
    files = (path for folder in folders() for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return frozenset().union(*(_code_points(path, path.stat().st_mtime_ns) for path in sorted(files)))


def writable(value: Any, known: frozenset[int], missing: list[str]) -> Any:
    """The same facts with each character that no font has as 〔U+20000〕, which is added to `missing` once."""
    if isinstance(value, dict):
        return {key: writable(part, known, missing) for key, part in value.items()}
    if isinstance(value, list):
        return [writable(part, known, missing) for part in value]
    if not isinstance(value, str) or _PLAIN.fullmatch(value):
        return value
    return "".join(_written(letter, known, missing) for letter in value)


def _written(letter: str, known: frozenset[int], missing: list[str]) -> str:
    if ord(letter) in known or letter == "\n":
        return letter
    mark = f"〔U+{ord(letter):04X}〕"
    if mark not in missing:
        missing.append(mark)
    return mark


@lru_cache(maxsize=16)
def _code_points(path: Path, changed: int) -> frozenset[int]:
    """The character map of a font (OpenType `cmap`, format 12, else 4)."""
    data = path.read_bytes()
    tables = struct.unpack_from(">H", data, 4)[0]
    start = next(
        struct.unpack_from(">I", data, at + 8)[0]
        for at in range(12, 12 + 16 * tables, 16)
        if data[at : at + 4] == b"cmap"
    )
    found: set[int] = set()
    for row in range(struct.unpack_from(">H", data, start + 2)[0]):
        place = start + struct.unpack_from(">I", data, start + 4 + 8 * row + 4)[0]
        form = struct.unpack_from(">H", data, place)[0]
        if form == 12:
            groups = struct.unpack_from(">I", data, place + 12)[0]
            for group in range(groups):
                first, last, _glyph = struct.unpack_from(">III", data, place + 16 + 12 * group)
                found.update(range(first, last + 1))
        elif form == 4:
            found.update(_format_4(data, place))
    return frozenset(found)


def _format_4(data: bytes, place: int) -> set[int]:
    segments = struct.unpack_from(">H", data, place + 6)[0] // 2
    ends = struct.unpack_from(f">{segments}H", data, place + 14)
    starts = struct.unpack_from(f">{segments}H", data, place + 16 + 2 * segments)
    return {
        point for first, last in zip(starts, ends, strict=True) if first != 0xFFFF for point in range(first, last + 1)
    }
