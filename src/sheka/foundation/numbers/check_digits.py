"""Check characters: MOD 11-2 (person), the card number's weights, Luhn (bank card) (card.md §4).

Every function takes the body without its check character, already tidied to ASCII, and returns the check character.
"""

from __future__ import annotations

_PERSON_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PERSON_MAP = "10X98765432"
_CARD_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def person_check(body: str) -> str:
    """The 18th character of a person's number from its 17 digits.

    Source: GB 11643-1999 annex A, which is ISO 7064 MOD 11-2: one wrong character and one swap of neighbours are
    always found.

    >>> person_check("11010519491231002")
    'X'
    """
    total = sum(weight * int(digit) for weight, digit in zip(_PERSON_WEIGHTS, body, strict=True))
    return _PERSON_MAP[total % 11]


def card_check(body: str) -> str:
    """The 9th character of a card number from its 8 characters of 0-9 and A-Z (A = 10 … Z = 35).

    Source: the file structure notice of V2.0: c = 11 − (Σ weight × value mod 11), 10 written X, 11 written 0. One
    wrong
    digit is always found; two letters, or a letter and a digit, whose values differ by 11 or 22 are not told apart.

    >>> card_check("D2143569"), card_check("ET000077"), card_check("X0000001")
    ('X', 'X', '9')
    """
    total = sum(weight * int(character, 36) for weight, character in zip(_CARD_WEIGHTS, body, strict=True))
    return "0X987654321"[total % 11]


def luhn_check(body: str) -> str:
    """The last digit of a bank card number from the digits before it.

    Source: ISO/IEC 7812-1 annex B. One wrong digit is always found, and every swap of neighbours but 09 ↔ 90.

    >>> luhn_check("7992739871")
    '3'
    """
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit)
        if place % 2 == 0:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return str(-total % 10)


def luhn_holds(number: str) -> bool:
    """Whether the last digit of a whole number is its Luhn digit.

    >>> luhn_holds("79927398713"), luhn_holds("79927398714")
    (True, False)
    """
    return len(number) > 1 and number[-1] == luhn_check(number[:-1])
