"""Which level generates which key of the card profile, and the factor that leads to the level below (K2, K3)."""

from __future__ import annotations

from dataclasses import dataclass

from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.chip.profile import load_profile
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.office.organisations.models import Kind, Organisation

MAC_PURPOSES = frozenset({"mac", "purchase", "tac", "load", "amount"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of the card: its name and the level that generates its root."""

    name: str
    owner_level: str


def entries() -> list[Entry]:
    """Every key that a card carries, in the order of the profile."""
    return [Entry(key.name, str(key.owner)) for key in load_profile().keys]


def generated_at(level: str) -> list[str]:
    """The names of the keys whose root is generated at this level."""
    return [entry.name for entry in entries() if entry.owner_level == level]


def factor_for(organisation: Organisation) -> bytes:
    """The 8-byte factor of a province or city, made from its region digits by the template of the profile."""
    return load_profile().region_factor(organisation.region)


def usage_at(level: str, name: str) -> Usage:
    """What a key may be used for: above the city only to derive; at the city what its purpose on the card says."""
    if level != Kind.CITY:
        return Usage.DIVERSIFY
    return Usage.MAC if str(load_profile().key(name).purpose) in MAC_PURPOSES else Usage.AUTHENTICATE


def machine_name(name: str, algorithm: Algorithm) -> str:
    """What the machine calls a key: there it is one of a kind by name, version and owner, whatever the algorithm.

    >>> machine_name("IRK", Algorithm.SM4)
    'IRK.SM4'
    """
    return f"{name}.{algorithm.name}"
