"""Numbers that the card system gives: card numbers, serials of identification codes, confirmations and forms."""

from __future__ import annotations

from datetime import date

from django.db import connection
from django.utils import timezone

from sheka.foundation.chip.profile import load_profile
from sheka.foundation.numbers import CardNumber, card_number
from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Organisation
from sheka.systems.cards.models import Numbering
from sheka.systems.cards.policy import CARDS, in_force

_A_LETTER = 10_000_000
_HIGHEST_SERIAL = 99_999_999  # four bytes BCD in the identification code


def take_serials(place: Organisation, count: int) -> list[int]:
    """The next serials of a city, given under a row lock that is held to the end of the transaction: no serial twice.

    Raises Refused(CARD_NUMBERS_USED_UP).
    """
    Numbering.objects.get_or_create(organisation=place)
    counter = Numbering.objects.select_for_update().get(organisation=place)
    first = counter.last_serial + 1
    counter.last_serial += count
    if counter.last_serial >= _capacity(place, timezone.localdate()):
        raise Refused(Code.CARD_NUMBERS_USED_UP, organisation=place.name, asked=count)
    counter.save(update_fields=["last_serial"])
    return list(range(first, first + count))


def number_of(place: Organisation, serial: int, on: date) -> CardNumber:
    """The card number of a serial: the letter that the city uses at that height, seven digits, the check character."""
    letters = in_force(CARDS, "numbering", on, organisation=place.code)["districts"]
    return card_number(f"{letters[serial // _A_LETTER]}{serial % _A_LETTER:07d}")


def factor_of(region: str, serial: bytes) -> bytes:
    """The factor by which a card's keys are diversified: the last eight historical bytes of its ATR (card.md §4)."""
    profile = load_profile()
    historical = bytearray(profile.atr.blank_historical)
    historical[profile.atr.region] = bytes.fromhex(region[:4])
    historical[profile.atr.serial] = serial
    return profile.card_factor(bytes(historical))


def document_number(prefix: str, place: Organisation) -> str:
    """A number for a paper: prefix, region, day, a sequence that is never given twice. It tells nothing of a person."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cards_document_number')")
        sequence = cursor.fetchone()[0]
    return f"{prefix}{place.region}{timezone.localdate():%Y%m%d}{sequence:06d}"


def _capacity(place: Organisation, on: date) -> int:
    letters = in_force(CARDS, "numbering", on, organisation=place.code)["districts"]
    return min(len(letters) * _A_LETTER, _HIGHEST_SERIAL + 1)
