"""Masks: what a screen, a receipt or a log shows before somebody reveals it with a purpose (design §2 rule 10).

A mask never refuses: what is too short to be masked in part is masked whole.
"""

from __future__ import annotations

_STAR = "*"


def mask_middle(text: str, head: int, tail: int) -> str:
    """The first `head` and last `tail` characters, stars between; all stars when fewer than three would be hidden.

    >>> mask_middle("0123456789", 2, 2), mask_middle("01234", 2, 2)
    ('01******89', '*****')
    """
    hidden = len(text) - head - tail
    if hidden < 3:
        return _STAR * len(text)
    return text[:head] + _STAR * hidden + text[len(text) - tail :]


def mask_person_number(text: str) -> str:
    """Three characters in front, four behind: the birth date, and most of the region, stay hidden.

    >>> mask_person_number("11010519491231002X")
    '110***********002X'
    """
    return mask_middle(text, 3, 4)


def mask_card_number(text: str) -> str:
    """The district letter and the last three characters.

    >>> mask_card_number("D2143569X")
    'D*****69X'
    """
    return mask_middle(text, 1, 3)


def mask_pan(text: str) -> str:
    """The first six and last four digits, the most that PCI DSS 3.4 lets a screen show.

    >>> mask_pan("6200000000000005")
    '620000******0005'
    """
    return mask_middle(text, 6, 4)


def mask_phone(text: str) -> str:
    """Three digits in front, four behind.

    >>> mask_phone("10900001234")
    '109****1234'
    """
    return mask_middle(text, 3, 4)


def mask_name(text: str) -> str:
    """The first character, and the last one of a name of three or more.

    >>> mask_name("张三"), mask_name("欧阳海棠"), mask_name("王"), mask_name("")
    ('张*', '欧**棠', '*', '')
    """
    if len(text) < 2:
        return _STAR * len(text)
    if len(text) == 2:
        return text[0] + _STAR
    return text[0] + _STAR * (len(text) - 2) + text[-1]
