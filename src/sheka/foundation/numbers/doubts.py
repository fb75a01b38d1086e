"""A doubt: something odd about a value that is not wrong, shown beside it, never a reason to refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sheka.foundation.refusals import Code, Refused


@dataclass(frozen=True, slots=True)
class Doubt:
    """A numbered remark with the same sentences as a refusal, but nothing is stopped by it."""

    code: Code
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.code.value

    def text(self, language: str) -> str:
        """What is odd, in that language."""
        return Refused(self.code, **self.facts).text(language)

    def todo(self, language: str) -> str:
        """What to look at, in that language."""
        return Refused(self.code, **self.facts).todo(language)
