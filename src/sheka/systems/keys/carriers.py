"""The card in the reader and the row in custody's register: the same carrier, of the right kind (K2, K5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sheka.equipment.card_reader.key_carrier import KeyCarrierSession
from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.initialisation.device_keys import carrier_keys
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.staff.actors import Actor
from sheka.systems.custody.queries import carrier_in_hand
from sheka.systems.keys.machines import machine_of

TRANSMISSION = "transmission_key_card"
OTHER_KIND = Term("不是传输密钥卡", "it is no transmission key card")
NOT_EMPTY = Term("已有内容", "it is not empty")


def empty_transmission_card(actor: Actor, serial: str) -> None:
    """In the organisation's hands, of the right kind, with nothing on it by the register.

    Raises Refused: KEY_CARRIER_KIND, and what custody refuses.
    """
    found = carrier_in_hand(actor, serial)
    for wrong, why in ((found.kind != TRANSMISSION, OTHER_KIND), (bool(found.content), NOT_EMPTY)):
        if wrong:
            raise Refused(Code.KEY_CARRIER_KIND, carrier=serial, reason=why)


@contextmanager
def opened(organisation_code: str, reader: Reader, serial: str, pin: str) -> Iterator[KeyCarrierSession]:
    """A session with this carrier, its holder proved; the organisation's machine secures every command.

    Raises Refused: KEY_CARRIER_OTHER, and what card and machine refuse.
    """
    with KeyCarrierSession(reader, carrier_keys(machine_of(organisation_code))) as session:
        if session.serial != serial:
            raise Refused(Code.KEY_CARRIER_OTHER, got=session.serial, expected=serial)
        session.authenticate(pin)
        yield session


def write_card(actor: Actor, reader: Reader, serial: str, pin: str, envelopes: Sequence[bytes], label: str) -> None:
    """Put the envelopes on the card, in place of whatever is on it."""
    with opened(actor.organisation, reader, serial, pin) as session:
        session.write_envelopes(list(envelopes), label)


def read_card(actor: Actor, reader: Reader, serial: str, pin: str) -> list[bytes]:
    """The envelopes on the card, whole."""
    with opened(actor.organisation, reader, serial, pin) as session:
        return session.read_envelopes()


def erase_card(actor: Actor, reader: Reader, serial: str, pin: str) -> None:
    """Empty the card."""
    with opened(actor.organisation, reader, serial, pin) as session:
        session.erase()
