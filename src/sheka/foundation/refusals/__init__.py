"""Numbered refusals: the only errors that reach a user (design §2.3).

`Code` is the closed list; the sentences stand in the TOML files beside this module, one file a topic, in Chinese and
English, each with what to do next. `Refused` carries a code and the facts that its sentence names.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sheka.foundation.refusals.codes import Code
from sheka.foundation.terms import Term, is_chinese

__all__ = ["Code", "Refused", "Sentence", "Term", "sentence"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a refusal says: what was wrong and what to do, in both languages, and the HTTP status it travels with."""

    zh: str
    en: str
    zh_do: str
    en_do: str
    http: int = 422


class Refused(Exception):
    """A refusal with its number. `facts` fill the placeholders; a Term reads in the language of the sentence.

    >>> error = Refused(Code.NUMBER_LENGTH, what=Term("卡号", "Card number"), expected=9, got=8)
    >>> error.number, error.text("en")
    (1001, 'Card number must have 9 characters, got 8.')
    """

    def __init__(self, code: Code, **facts: object) -> None:
        self.code = code
        self.facts = facts
        super().__init__(f"{self.number} {self.text('en')}")

    @property
    def number(self) -> int:
        return self.code.value

    @property
    def http(self) -> int:
        return sentence(self.code).http

    def text(self, language: str) -> str:
        """The sentence in `zh-Hans` (any tag that starts with zh) or English."""
        found = sentence(self.code)
        return _fill(found.zh if is_chinese(language) else found.en, self.facts, language)

    def todo(self, language: str) -> str:
        """What the reader can do next."""
        found = sentence(self.code)
        return _fill(found.zh_do if is_chinese(language) else found.en_do, self.facts, language)

    def __reduce__(self) -> tuple[object, ...]:
        """A refusal crosses process borders whole, with its code and facts."""
        return _rebuild, (self.code, self.facts)


def _rebuild(code: Code, facts: dict[str, object]) -> Refused:
    return Refused(code, **facts)


def sentence(code: Code) -> Sentence:
    """The sentence of a code; `sentences` proves at test time that every code has one."""
    return sentences()[code.name]


@cache
def sentences() -> dict[str, Sentence]:
    """Every sentence of every TOML file of this folder, by the name of its code."""
    found: dict[str, Sentence] = {}
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for name, row in tomllib.loads(path.read_text("utf-8")).items():
            if name in found:
                raise ValueError(f"{path.name}: {name} has a sentence already")
            found[name] = Sentence(**row)
    return found


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def _fill(template: str, facts: dict[str, object], language: str) -> str:
    shown = {name: fact.text(language) if isinstance(fact, Term) else fact for name, fact in facts.items()}
    return template.format_map(_Facts(shown))
