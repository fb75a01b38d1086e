"""Countries and regions of ISO 3166-1 (GB/T 2659): the nationality in numbers and in item 37 (foundation numbers)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

from sheka.foundation.terms import Term


@dataclass(frozen=True, slots=True)
class Country:
    """A country or region: three letters, three digits, two letters, and its name in both languages."""

    alpha3: str
    numeric: str
    alpha2: str
    name: Term


def country(code: str) -> Country | None:
    """The country of three letters or three digits; None when ISO 3166-1 has no such code.

    >>> found = country("276")
    >>> found.alpha3 if found else None
    'DEU'
    """
    return _table().get(code)


def is_country(code: str) -> bool:
    """Whether three letters or three digits stand in ISO 3166-1."""
    return code in _table()


def countries() -> tuple[Country, ...]:
    """Every country and region, in order of its three letters."""
    return tuple(dict.fromkeys(_table().values()))


@cache
def _table() -> dict[str, Country]:
    text = resources.files("sheka.foundation.numbers").joinpath("countries.csv").read_text("utf-8")
    found: dict[str, Country] = {}
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        entry = Country(row["alpha3"], row["numeric"], row["alpha2"], Term(row["name_zh"], row["name_en"]))
        found[entry.alpha3] = found[entry.numeric] = entry
    return found
