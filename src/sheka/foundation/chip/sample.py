"""An invented person's card, personalised by the real steps with keys that anybody can compute: for tests and trials.

Its keys are SM3 values of their names, so nothing made here can be mistaken for an issued card or opens one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sheka.foundation.chip.authentication import card_authentication_code, external_cryptogram, wrap_key_for_chip
from sheka.foundation.chip.card import VirtualCard
from sheka.foundation.chip.codec import example_values
from sheka.foundation.chip.declarations import FileDeclaration, FileKind
from sheka.foundation.chip.holder import FileData, HolderData
from sheka.foundation.chip.personalisation import WantedKey, personalisation_steps
from sheka.foundation.chip.profile import CardProfile, load_profile
from sheka.foundation.chip.steps import carry_out
from sheka.foundation.chip.storage import MemoryStorage, Storage
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm
from sheka.foundation.crypto.sm3 import sm3

CHIP_SERIAL = bytes.fromhex("5368656B61000001")
HISTORICAL = bytes.fromhex("00814A46868660460000000135")
REGION = bytes.fromhex("460100")
INITIAL_PIN = "123456"


@dataclass(frozen=True, slots=True)
class SampleKeys:
    """The keys of the sample card, computed in the open; fits `personalisation.ChipKeys`."""

    algorithm: Algorithm

    def card_key(self, name: str, version: int = 1) -> bytes:
        """The 16-byte card key of a profile's key name, or `KT`."""
        return sm3(f"sheka sample {name} {version}".encode("ascii"))[:KEY_BYTES]

    def transport_cryptogram(self, chip_serial: bytes, challenge: bytes) -> bytes:
        return external_cryptogram(self.algorithm, self.card_key("KT"), challenge)

    def wrapped_keys(self, chip_serial: bytes, challenge: bytes, wanted: Sequence[WantedKey]) -> list[bytes]:
        transport = self.card_key("KT")
        return [
            wrap_key_for_chip(
                self.algorithm, transport, challenge, key.key_id, version, self.card_key(key.name, version)
            )
            for key, version in wanted
        ]


def sample_holder(
    profile: CardProfile, keys: SampleKeys, *, version: str = "2.00", everything: bool = False
) -> HolderData:
    """张三 of Haikou, with the examples that stand in the profile.

    `everything` fills every file that may be written; else the SSSE, the household and the medical basics.
    """
    few = {"SSSE/EF05", "SSSE/EF06", "DF01/EF05", "DF04/EF05"}
    chosen = [f for f in profile.files if (everything or f.path in few) and not f.write.card_only]
    files: dict[str, FileData] = {file.path: _example(file) for file in chosen}
    first12 = REGION + profile.identification_authority + HISTORICAL[profile.atr.serial]
    code = card_authentication_code(keys.algorithm, keys.card_key("IRK"), first12)
    issuer, person = example_values(profile.file("SSSE/EF05")), example_values(profile.file("SSSE/EF06"))
    issuer |= {"identification_code": (first12 + code).hex().upper(), "specification_version": version}
    files |= {"SSSE/EF05": issuer, "SSSE/EF06": {**person, "name_extension": ""}}
    return HolderData(HISTORICAL, files, INITIAL_PIN)


def blank_chip(storage: Storage, profile: CardProfile, algorithm: Algorithm) -> VirtualCard:
    """A chip as it comes from the maker, with the sample's transport key."""
    return VirtualCard.manufacture(
        storage,
        profile,
        algorithm=algorithm,
        chip_serial=CHIP_SERIAL,
        transport_key=SampleKeys(algorithm).card_key("KT"),
    )


def sample_card(
    storage: Storage | None = None,
    *,
    algorithm: Algorithm = Algorithm.SM4,
    version: str = "2.00",
    versions: Sequence[int] = (1,),
    everything: bool = False,
    profile: CardProfile | None = None,
) -> VirtualCard:
    """A personalised card, switched off. Its keys: `SampleKeys(algorithm).card_key(name)`; its initial PIN: 123456."""
    profile = profile or load_profile()
    keys = SampleKeys(algorithm)
    card = blank_chip(storage or MemoryStorage(), profile, algorithm)
    card.power_on()
    holder = sample_holder(profile, keys, version=version, everything=everything)
    carry_out(personalisation_steps(profile, holder, keys, algorithm=algorithm, versions=versions), card.transmit)
    card.power_off()
    return card


def _example(file: FileDeclaration) -> FileData:
    if file.kind is FileKind.TRANSPARENT:
        return bytes.fromhex(file.example)
    return [example_values(file)] if file.kind is FileKind.CYCLIC else example_values(file)
