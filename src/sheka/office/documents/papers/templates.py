"""What each template needs and what of it a stranger may see, as papers.toml declares it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from sheka.foundation.money import format_yuan
from sheka.foundation.numbers.masking import mask_card_number, mask_name, mask_person_number
from sheka.foundation.refusals import Code, Refused
from sheka.office.documents.kinds import Kind, kind_named

FOLDER = Path(__file__).parent
LONGEST = 5000
Both = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Template:
    """A paper: `<name>.typ`, the kind it is kept as, fact → type, and what the verify page shows."""

    name: str
    kind: Kind
    facts: dict[str, str]
    shown: list[dict[str, str]]

    def check(self, facts: dict[str, Any]) -> None:
        """Raises Refused(PAPER_FACTS) unless these are exactly the declared facts, each of its type."""
        wrong = set(facts) ^ set(self.facts)
        wrong |= {name for name, form in self.facts.items() if name in facts and not CHECKS[form](facts[name])}
        if wrong:
            raise Refused(Code.PAPER_FACTS, template=self.kind.title, fields=", ".join(sorted(wrong)))

    def seen_by_strangers(self, facts: dict[str, Any]) -> list[list[str]]:
        """[zh label, en label, zh text, en text] of each fact that may be seen, masked."""
        return [[row["zh"], row["en"], *SHOWN[row["as"]](facts[row["fact"]])] for row in self.shown]


@cache
def _declared() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "papers.toml").read_text("utf-8"))


def template_named(name: str) -> Template:
    """Raises Refused(PAPER_TEMPLATE)."""
    row = _declared().get(name)
    if row is None:
        raise Refused(Code.PAPER_TEMPLATE, template=name)
    return Template(name, kind_named(row["kind"]), row["facts"], row["shown"])


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_term(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) and part for part in value)


CHECKS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "term": _is_term,
    "day": _is_day,
    "fen": lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    "flag": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list) and len(value) <= LONGEST,
}


def _same(text: str) -> Both:
    return text, text


def _day(text: str) -> Both:
    day = date.fromisoformat(text)
    return f"{day.year}年{day.month}月{day.day}日", f"{day.day} {day:%B} {day.year}"


SHOWN: dict[str, Callable[[Any], Both]] = {
    "text": _same,
    "term": lambda value: (value[0], value[1]),
    "name": lambda value: _same(mask_name(value)),
    "person": lambda value: _same(mask_person_number(value)),
    "card": lambda value: _same(mask_card_number(value)),
    "day": _day,
    "fen": lambda value: (format_yuan(value, "zh-hans"), format_yuan(value, "en")),
    "count": lambda value: _same(str(len(value))),
}
