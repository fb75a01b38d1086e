"""The catalogue of keys, from the card profile: who owns which, what it is for, which files it opens (K1, K2, K3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.chip.declarations import AccessRule, FileDeclaration, KeyDeclaration
from sheka.foundation.chip.profile import CardProfile, load_profile
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.models import Kind, Organisation

MAC_PURPOSES = frozenset({"mac", "purchase", "tac", "load", "amount"})
ALGORITHMS = (Algorithm.SM4, Algorithm.TDES)


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One key of the card.

    `owner_level` generates the root: the ministry for what is read through nation-wide, province or city for local
    special uses and self-expanding files. `reads` and `writes` are the files that the key opens, `versions` those that
    a card can carry, `local` says that the level is our own choice and stands in no public source.
    """

    name: str
    owner_level: str
    application: str
    key_id: int
    purpose: str
    versions: tuple[int, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    local: bool

    @property
    def national(self) -> bool:
        """Whether the ministry generates it and passes it down level by level (K2)."""
        return self.owner_level == Kind.MINISTRY


@cache
def entries() -> tuple[CatalogueEntry, ...]:
    """Every key that a card carries, in the order of the profile."""
    profile = load_profile()
    return tuple(_entry(profile, key) for key in profile.keys)


def entry_named(name: str) -> CatalogueEntry:
    """Raises Refused(KEY_NAMES)."""
    for entry in entries():
        if entry.name == name:
            return entry
    raise Refused(Code.KEY_NAMES, names=name)


def generated_at(level: str) -> list[str]:
    """The names of the keys whose root is generated at this level."""
    return [entry.name for entry in entries() if entry.owner_level == level]


def check_version(version: int) -> int:
    """A version that every key of the profile can have. Raises Refused(KEY_VERSION)."""
    allowed = sorted(set.intersection(*(set(entry.versions) for entry in entries())))
    if version not in allowed:
        raise Refused(Code.KEY_VERSION, version=version, allowed=", ".join(map(str, allowed)))
    return version


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


def _entry(profile: CardProfile, key: KeyDeclaration) -> CatalogueEntry:
    files = [file for file in profile.files if file.application == key.application]
    return CatalogueEntry(
        name=key.name,
        owner_level=str(key.owner),
        application=key.application,
        key_id=key.key_id,
        purpose=str(key.purpose),
        versions=key.versions,
        reads=tuple(file.path for file in files if key.name in {rule.key for rule in _reading(file)}),
        writes=tuple(file.path for file in files if file.write.key == key.name),
        local="owner" in key.local,
    )


def _reading(file: FileDeclaration) -> tuple[AccessRule, ...]:
    return (file.read, *file.read_by_version.values())
