"""What one chip is to become: the holder's data, the algorithm, the key versions (H3, I6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sheka.foundation.chip.holder import HolderData
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import CardNumber
from sheka.foundation.refusals import Code, Refused

ISSUER_FILE = "SSSE/EF05"


@dataclass(frozen=True, slots=True)
class ChipOrder:
    """One card to be made. `holder` holds personal data, so the order's repr does not show it."""

    holder: HolderData
    algorithm: Algorithm
    versions: Sequence[int] = (1,)
    """Key versions to write."""

    def __repr__(self) -> str:
        return f"ChipOrder({self.card_number}, {self.algorithm.name}, versions {tuple(self.versions)})"

    @property
    def card_number(self) -> str:
        """The card number of SSSE/EF05; Refused of the number when it does not hold."""
        return CardNumber.parse(str(self._issuer_data().get("card_number", ""))).text

    @property
    def identification_code(self) -> str:
        """The card identification code of SSSE/EF05, 32 hexadecimal characters."""
        return str(self._issuer_data().get("identification_code", ""))

    def factor(self, profile: CardProfile) -> bytes:
        """The card-level diversification factor, 8 bytes."""
        return profile.card_factor(self.holder.historical)

    def _issuer_data(self) -> Mapping[str, Any]:
        data = self.holder.files.get(ISSUER_FILE)
        if not isinstance(data, Mapping):
            raise Refused(Code.CHIP_IDENTITY_MISMATCH, reason=ISSUER_FILE)
        return data


def historical_bytes(profile: CardProfile, region: str, serial: bytes) -> bytes:
    """The 13 historical bytes of a new card's ATR: region (first four digits, BCD) and the 4-byte card serial.

    >>> from sheka.foundation.chip.profile import load_profile
    >>> historical_bytes(load_profile(), "460100", bytes.fromhex("00000135")).hex()
    '00814a46868660460100000135'
    """
    rule = profile.atr
    historical = bytearray(rule.blank_historical)
    historical[rule.region] = bytes.fromhex(region[:4])
    historical[rule.serial] = serial
    return bytes(historical)
