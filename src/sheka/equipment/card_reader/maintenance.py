"""Blocking and unblocking a card at the counter (card.md §5, §6): what is lost is blocked, what was solved reopened.

Each command needs a lock key of the province authenticated first and a MAC under the ministry's STK: pass `mac_of` of
the encryption machine. Which keys, the profile says (`profile.blocking`).
"""

from __future__ import annotations

from sheka.equipment.card_reader.session import CardSession
from sheka.foundation.chip.apdu import Command
from sheka.foundation.chip.secure_messaging import MacOf
from sheka.foundation.terms import Term

_BLOCK_APPLICATION, _UNBLOCK_APPLICATION, _BLOCK_CARD, _PIN = 0x1E, 0x18, 0x16, 0x24
_FOR_GOOD, _RELOAD = 0x01, 0x01


def block_application(session: CardSession, mac_of: MacOf, *, for_good: bool = False) -> None:
    """Block the selected application, until it is unblocked or for good. `LK` (profile) authenticated first."""
    command = Command(0x80, _BLOCK_APPLICATION, 0, _FOR_GOOD if for_good else 0)
    session.secured(Term("应用锁定", "application block"), command, mac_of)


def unblock_application(session: CardSession, mac_of: MacOf) -> None:
    """Open the selected application again."""
    session.secured(Term("应用解锁", "application unblock"), Command(0x80, _UNBLOCK_APPLICATION, 0, 0), mac_of)


def block_card(session: CardSession, mac_of: MacOf) -> None:
    """End the card for good: every later command answers 6A81. `BK` (profile) authenticated first."""
    session.secured(Term("卡片锁定", "card block"), Command(0x80, _BLOCK_CARD, 0, 0), mac_of)


def unblock_pin(session: CardSession, mac_of: MacOf) -> None:
    """Give the PIN its tries back. `PUK` (profile) authenticated first."""
    session.secured(Term("密码解锁", "PIN unblock"), Command(0x80, _PIN, 0, 0), mac_of)


def reload_pin(session: CardSession, enciphered_pin: bytes, mac_of: MacOf) -> None:
    """Load a new PIN, enciphered under the card's PUK (`secure_messaging.enciphered_pin`, or the machine)."""
    session.secured(Term("密码重装", "PIN reload"), Command(0x80, _PIN, 0, _RELOAD, enciphered_pin), mac_of)
