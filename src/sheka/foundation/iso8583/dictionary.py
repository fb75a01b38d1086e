"""The fields and message types of the dictionary (S4): read from dictionary.toml beside it, ISO 8583:1987 clause 4."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: The characters of each format, as a class of a regular expression over Latin-1 text.
CHARACTERS = {
    "n": "[0-9]",
    "an": "[0-9A-Za-z]",
    "ans": "[\x20-\x7e]",
    "z": "[0-9D=]",
    "b": "[\x00-\xff]",
}
MAC_FIELDS = (64, 128)
PRE_AUTHORISED = "06"
"""Field 25, point of service condition."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `length` is fixed when `prefix` is 0, else the greatest length behind `prefix` digits of length."""

    number: int
    name: str
    format: str
    length: int
    prefix: int = 0
    local: bool = False

    @property
    def is_binary(self) -> bool:
        return self.format == "b"

    @property
    def pattern(self) -> str:
        """A regular expression that matches one valid value."""
        least = 0 if self.prefix else self.length
        return f"{CHARACTERS[self.format]}{{{least},{self.length}}}"


@dataclass(frozen=True, slots=True)
class MessageKind:
    """What a request of this type and processing code must carry; `code` as `processing_of` gives it."""

    name: str
    type: str
    code: str
    fields: tuple[int, ...]


@cache
def _table() -> dict[str, list[dict[str, object]]]:
    return tomllib.loads((Path(__file__).parent / "dictionary.toml").read_text("utf-8"))


@cache
def fields() -> dict[int, Field]:
    """Every field, by number."""
    rows = [Field(**row) for row in _table()["field"]]  # type: ignore[arg-type]
    found = {row.number: row for row in rows}
    if len(found) != len(rows):
        raise ValueError("dictionary.toml: a field number stands twice")
    return found


@cache
def kinds() -> dict[tuple[str, str], MessageKind]:
    """Every kind of request, by message type and `processing_of` its fields."""
    found = {}
    for row in _table()["message"]:
        needed: tuple[int, ...] = tuple(row["fields"])  # type: ignore[arg-type]
        for kind in row["types"]:  # type: ignore[attr-defined]
            name = f"{row['name']} repeat" if kind[3] == "1" else str(row["name"])
            for code in row["codes"]:  # type: ignore[attr-defined]
                found[kind, code] = MessageKind(name, kind, code, needed)
    return found


def processing_of(values: Mapping[int, str | bytes]) -> str:
    """What a message asks for: the first two digits of field 3, with 06 behind them when field 25 says that it is about
    pre-authorised money.
    """
    code = str(values.get(3, ""))[:2]
    return code + PRE_AUTHORISED if values.get(25) == PRE_AUTHORISED else code


@cache
def checks() -> dict[int, re.Pattern[str]]:
    """For each field the compiled pattern of one value."""
    return {number: re.compile(field.pattern, re.ASCII) for number, field in fields().items()}
