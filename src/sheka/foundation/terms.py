"""A word in both languages of the house, so that a fact reads well in either sentence (design §2.3)."""

from __future__ import annotations

from dataclasses import dataclass


def is_chinese(language: str) -> bool:
    """Whether a language tag asks for Chinese: any tag that starts with zh.

    >>> is_chinese("zh-Hans"), is_chinese("en")
    (True, False)
    """
    return language.lower().startswith("zh")


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase in Chinese and in English.

    >>> Term("卡号", "Card number").text("zh-Hans")
    '卡号'
    """

    zh: str
    en: str

    def text(self, language: str) -> str:
        """The word in that language; English for any tag that is not Chinese."""
        return self.zh if is_chinese(language) else self.en

    def __str__(self) -> str:
        return self.en
