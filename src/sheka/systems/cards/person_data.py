"""The data of one person as text, checked field by field: for imports and for changes of data (S3, R8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sheka.foundation.chip.names import split_name
from sheka.foundation.ethnic_groups import ETHNIC_GROUPS
from sheka.foundation.names import normalise_name
from sheka.foundation.numbers import Doubt, Sex, SocialSecurityNumber
from sheka.foundation.numbers.shape import tidy
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.regions import is_known
from sheka.foundation.terms import Term

FIELDS = ("social_security_number", "name", "sex", "birth", "ethnic_group", "birthplace", "phone", "address")
ON_CARD = frozenset(("social_security_number", "name", "sex", "birth", "ethnic_group", "birthplace"))
"""What the chip holds (SSSE EF06): a change of it is a ground for an exchange (R8)."""

_SEXES = {"1": 1, "2": 2, "9": 9, "男": 1, "女": 2, "未说明": 9, "male": 1, "female": 2, "unstated": 9}
_SEX_WORDS = {1: Term("男", "male"), 2: Term("女", "female"), 9: Term("未说明", "unstated")}
_ETHNIC = {name: code for code, name in ETHNIC_GROUPS.items()}
_PHONE = re.compile(r"\+?[0-9](?:-?[0-9]){4,18}", re.ASCII)
_ADDRESS_LENGTH = 200


@dataclass(frozen=True, slots=True)
class PersonData:
    """Checked data of a person; `doubts` are odd but no reason to refuse."""

    social_security_number: str
    name: str
    sex: int
    birth: date
    ethnic_group: str
    birthplace: str
    phone: str
    address: str
    doubts: tuple[Doubt, ...] = ()

    def fields(self) -> dict[str, str | int | date]:
        """Column → value, as the table of people holds them."""
        return {name: getattr(self, name) for name in FIELDS}


def check_person(values: Mapping[str, str], *, on: date) -> PersonData:
    """The data of texts by FIELDS; sex and birth may be empty where the number tells them.

    Raises Refused: the refusals of a number, NAME_…, PERSON_SEX_…, PERSON_BIRTH…, PERSON_ETHNIC_GROUP,
    REGION_UNKNOWN, PERSON_PHONE, PERSON_FIELD_TOO_LONG, CHIP_ITEM_TOO_LONG for a name that no chip can hold.
    """
    number = SocialSecurityNumber.parse(values.get("social_security_number", ""), on=on)
    return PersonData(
        social_security_number=number.text,
        name=check_name(values.get("name", "")),
        sex=_sex(values.get("sex", "").strip(), number),
        birth=_birth(values.get("birth", "").strip(), number, on),
        ethnic_group=_ethnic_group(values.get("ethnic_group", "").strip()),
        birthplace=_birthplace(values.get("birthplace", "").strip(), number),
        phone=_phone(values.get("phone", "").strip()),
        address=_address(values.get("address", "").strip()),
        doubts=number.doubts(on),
    )


def check_name(text: str) -> str:
    """A name as it is kept, and one that the chip can hold whole. Refused: NAME_…, CHIP_ITEM_TOO_LONG."""
    name = normalise_name(text)
    split_name(name)
    return name


def _sex(text: str, number: SocialSecurityNumber) -> int:
    told = number.sex
    if not text and told is not Sex.UNSTATED:
        return int(told)
    found = _SEXES.get(text.lower())
    if found is None:
        raise Refused(Code.PERSON_SEX_UNKNOWN, got=text)
    if told is not Sex.UNSTATED and found != told:
        raise Refused(Code.PERSON_SEX_DIFFERS, got=_SEX_WORDS[found], expected=_SEX_WORDS[int(told)])
    return found


def _birth(text: str, number: SocialSecurityNumber, on: date) -> date:
    told = number.birth
    if not text and told is not None:
        return told
    clean = tidy(text).replace("/", "-")
    for form in ("%Y%m%d", "%Y-%m-%d"):
        try:
            found = datetime.strptime(clean, form).date()  # noqa: DTZ007 - a day, not a time
        except ValueError:
            continue
        if found > on:
            break
        if told is not None and found != told:
            raise Refused(Code.PERSON_BIRTH_DIFFERS, got=found.isoformat(), expected=told.isoformat())
        return found
    raise Refused(Code.PERSON_BIRTH, got=text)


def _ethnic_group(text: str) -> str:
    code = _ETHNIC.get(text) or _ETHNIC.get(text + "族") or (tidy(text).zfill(2) if text else "")
    if code not in ETHNIC_GROUPS:
        raise Refused(Code.PERSON_ETHNIC_GROUP, got=text)
    return code


def _birthplace(text: str, number: SocialSecurityNumber) -> str:
    if not text:
        return number.region or ""
    code = tidy(text)
    if not is_known(code):
        raise Refused(Code.REGION_UNKNOWN, region=text)
    return code


def _phone(text: str) -> str:
    clean = tidy(text)
    if clean and not _PHONE.fullmatch(clean):
        raise Refused(Code.PERSON_PHONE, got=text)
    return clean


def _address(text: str) -> str:
    if len(text) > _ADDRESS_LENGTH:
        raise Refused(
            Code.PERSON_FIELD_TOO_LONG, field=Term("地址", "The address"), limit=_ADDRESS_LENGTH, got=len(text)
        )
    return text
