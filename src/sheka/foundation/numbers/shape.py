"""What every number goes through first: tidied text, then length and characters, the wrong part named."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

Octets = bytes  # for annotations in classes that have a property named bytes

DIGITS = frozenset("0123456789")
LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
HEX_DIGITS = DIGITS | frozenset("ABCDEF")

DIGIT = Term("数字0–9", "a digit 0–9")
DIGIT_OR_X = Term("数字0–9或字母X", "a digit 0–9 or the letter X")
DIGIT_OR_LETTER = Term("数字0–9或字母A–Z", "a digit 0–9 or a letter A–Z")
HEX_DIGIT = Term("十六进制字符0–9或A–F", "a hexadecimal character 0–9 or A–F")

_FULL_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(94)}


def tidy(text: str) -> str:
    """The text as typed, without white space, full-width characters made half-width, letters upper case.

    Digits of other scripts stay as they are, so that the character check refuses them.

    >>> tidy(" ４６0106 19900101001x ")
    '46010619900101001X'
    """
    half = "".join(text.split()).translate(_FULL_WIDTH)
    return "".join(character.upper() if "a" <= character <= "z" else character for character in half)


def check_length(what: Term, text: str, expected: int) -> None:
    """Refuses (NUMBER_LENGTH) a text that has not exactly `expected` characters."""
    if len(text) != expected:
        raise Refused(Code.NUMBER_LENGTH, what=what, expected=expected, got=len(text))


def check_characters(what: Term, text: str, allowed: frozenset[str], expected: Term, start: int = 1) -> None:
    """Refuses (NUMBER_CHARACTER) the first character that is not allowed; `start` is the position of the first
    one, from 1.
    """
    for position, character in enumerate(text, start):
        if character not in allowed:
            raise Refused(Code.NUMBER_CHARACTER, what=what, position=position, character=character, expected=expected)


def check_prefix(what: Term, text: str, prefix: str, start: int = 1) -> None:
    """Refuses (NUMBER_PREFIX) a text that does not begin with the fixed part of its kind."""
    got = text[: len(prefix)]
    if got != prefix:
        raise Refused(Code.NUMBER_PREFIX, what=what, position=start, expected=prefix, got=got)


def check_region_shape(what: Term, region: str) -> str:
    """The six digits of a GB/T 2260 code, first digit 1 to 9; otherwise refused (NUMBER_REGION_PART)."""
    if len(region) != 6 or not DIGITS.issuperset(region) or region[0] == "0":
        raise Refused(Code.NUMBER_REGION_PART, what=what, got=region)
    return region
