"""The bank account number of the financial application: a UnionPay PAN with its Luhn digit (C2, C3; card.md §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sheka.foundation.numbers.check_digits import luhn_check, luhn_holds
from sheka.foundation.numbers.masking import mask_pan
from sheka.foundation.numbers.shape import DIGIT, DIGITS, Octets, check_characters, check_prefix, tidy
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

PAN = Term("银行账号", "Bank account number (PAN)")


@dataclass(frozen=True, slots=True, repr=False)
class Pan:
    """A primary account number of a social security card: 62…, 16 to 19 digits, Luhn (ISO/IEC 7812-1).

    `str` and `repr` are masked, so that a number does not slip into a log; `.text` is whole.
    """

    text: str

    PREFIX: ClassVar[str] = "62"

    @classmethod
    def parse(cls, text: str) -> Pan:
        """From what somebody typed. Refused: NUMBER_LENGTH, NUMBER_CHARACTER, NUMBER_PREFIX, NUMBER_CHECK."""
        clean = tidy(text)
        if not 16 <= len(clean) <= 19:
            raise Refused(Code.NUMBER_LENGTH, what=PAN, expected="16–19", got=len(clean))
        check_characters(PAN, clean, DIGITS, DIGIT)
        check_prefix(PAN, clean, cls.PREFIX)
        if not luhn_holds(clean):
            raise Refused(Code.NUMBER_CHECK, what=PAN)
        return cls(clean)

    @property
    def issuer_prefix(self) -> str:
        """The first six digits: the bank identification number that routes the transaction."""
        return self.text[:6]

    @property
    def masked(self) -> str:
        return mask_pan(self.text)

    @property
    def bytes(self) -> Octets:
        """The digits in ASCII, one byte each."""
        return self.text.encode("ascii")

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"Pan({self.masked!r})"


def pan(body: str) -> Pan:
    """The PAN of 15 to 18 digits, Luhn digit added.

    >>> pan("620000000000000").text
    '6200000000000005'
    """
    clean = tidy(body)
    check_characters(PAN, clean, DIGITS, DIGIT)
    return Pan.parse(clean + luhn_check(clean))
