"""What a chip is to become: the order for the initialisation equipment, from the records (H3, card.md §3)."""

from __future__ import annotations

from django.utils import timezone

from sheka.equipment.initialisation.machine_keys import MachineKeys
from sheka.equipment.initialisation.order import ChipOrder, historical_bytes
from sheka.foundation.chip.holder import HolderData
from sheka.foundation.chip.names import split_name
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import CardIdentificationCode, IssuerIdentificationNumber
from sheka.systems.cards.models import Card
from sheka.systems.cards.policy import CARDS, in_force
from sheka.systems.keys.machines import machine_of
from sheka.systems.keys.queries import card_keys, transport_key

INITIALISER = 1
"""The city's own workshop is its first initialising organisation (item 04)."""


def chip_order(card: Card) -> ChipOrder:
    """The files, the historical bytes and the initial PIN of a numbered card."""
    person, city = card.person, card.organisation
    code = CardIdentificationCode.parse(card.identification_code or "")
    name, extension = split_name(person.name)
    issuer = IssuerIdentificationNumber.parse(card.right.number)
    issuer_data = {
        "identification_code": code.text,
        "card_class": card.card_class,
        "specification_version": card.specification,
        "initialising_organisation": issuer.initialiser(city.region, INITIALISER).text,
        "issue_date": f"{card.issued_on:%Y%m%d}",
        "expiry_date": f"{card.expires_on:%Y%m%d}",
        "card_number": str(card.number),
    }
    holder_data = {
        "social_security_number": person.social_security_number,
        "name": name,
        "name_extension": extension,
        "sex": str(person.sex),
        "ethnic_group": person.ethnic_group,
        "place_of_birth": person.birthplace,
        "date_of_birth": f"{person.birth:%Y%m%d}",
    }
    holder = HolderData(
        historical=historical_bytes(load_profile(), code.region, code.serial),
        files={"SSSE/EF05": issuer_data, "SSSE/EF06": holder_data},
        initial_pin=in_force(CARDS, "pin", timezone.localdate())["initial"],
    )
    return ChipOrder(holder, Algorithm(card.algorithm), (card.key_version,))


def chip_keys(card: Card, version: int | None = None) -> MachineKeys:
    """The keys of the card in the machine of its city, of its own version or the one given; none of them in clear.

    Raises Refused: KEY_SET_INCOMPLETE, KEY_UNKNOWN when no transport key for such chips was taken in.
    """
    city, algorithm, version = card.organisation_id, Algorithm(card.algorithm), version or card.key_version
    held = card_keys(city, algorithm, version)
    return MachineKeys(
        machine=machine_of(city),
        references={(name, version): key.reference for name, key in held.items()},
        factor=bytes.fromhex(card.factor),
        transport=transport_key(city, algorithm).reference,
    )
