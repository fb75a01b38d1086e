"""What a card says about itself (public) and about its holder (personal data, shown masked) (card.md §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sheka.foundation.chip.names import join_name
from sheka.foundation.numbers import (
    CardIdentificationCode,
    CardNumber,
    InitialisingOrganisation,
    mask_name,
    mask_person_number,
)
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term


@dataclass(frozen=True, slots=True)
class PublicIdentity:
    """SSSE EF05, free to read: the card, its issuer and its dates. No personal data."""

    card_number: CardNumber
    identification_code: CardIdentificationCode
    card_class: str
    specification_version: str
    organisation: InitialisingOrganisation
    issue_date: date
    expiry_date: date

    @classmethod
    def of(cls, items: Mapping[str, Any]) -> PublicIdentity:
        """From the items of EF05. Refused(CARD_DATA_MALFORMED) with the first that does not hold."""
        try:
            return cls(
                card_number=CardNumber.parse(items["card_number"]),
                identification_code=CardIdentificationCode.parse(items["identification_code"]),
                card_class=items["card_class"],
                specification_version=items["specification_version"],
                organisation=InitialisingOrganisation.parse(items["initialising_organisation"]),
                issue_date=_day(items["issue_date"]),
                expiry_date=_day(items["expiry_date"]),
            )
        except Refused as error:
            raise _malformed("SSSE/EF05", Term(error.text("zh-Hans"), error.text("en"))) from error
        except ValueError as error:
            raise _malformed("SSSE/EF05", Term("日期无效", "not a date")) from error


@dataclass(frozen=True, slots=True)
class HolderIdentity:
    """SSSE EF06: the holder. Personal data: its repr is masked, so that no log shows them."""

    social_security_number: str
    name: str
    sex: str
    ethnic_group: str
    place_of_birth: str
    date_of_birth: str

    @classmethod
    def of(cls, items: Mapping[str, Any]) -> HolderIdentity:
        """From the items of EF06; name and name extension joined."""
        return cls(
            social_security_number=items["social_security_number"],
            name=join_name(items["name"], items["name_extension"]),
            sex=items["sex"],
            ethnic_group=items["ethnic_group"],
            place_of_birth=items["place_of_birth"],
            date_of_birth=items["date_of_birth"],
        )

    def __repr__(self) -> str:
        return f"HolderIdentity({mask_person_number(self.social_security_number)}, {mask_name(self.name)})"


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _malformed(file: str, reason: Term) -> Refused:
    return Refused(Code.CARD_DATA_MALFORMED, file=file, reason=reason)
