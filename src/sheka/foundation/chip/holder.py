"""A holder's data for one chip, checked and encoded to the bytes that the chip shall hold (card.md §3, §4; H3, I6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sheka.foundation.chip import codec
from sheka.foundation.chip.declarations import FileDeclaration, FileKind
from sheka.foundation.chip.pins import pin_bytes
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

FileData = Mapping[str, codec.Value] | bytes | Sequence[Mapping[str, codec.Value]]
"""Linear files: values by item name · transparent files: bytes · cyclic files: records, the oldest first."""


@dataclass(frozen=True, slots=True)
class HolderData:
    """What is particular to one card.

    Attributes
    ----------
    historical : the 13 historical bytes T1–TD of the ATR; the last 8 are the card's diversification factor.
    files : by path (`SSSE/EF05`); what is left out stays blank. Names are split by `names.split_name`.
    initial_pin : digits; None for the profile's.
    """

    historical: bytes
    files: Mapping[str, FileData]
    initial_pin: str | None = None


@dataclass(frozen=True, slots=True)
class ChipImage:
    """The bytes of one chip, ready to be written and to be compared with what is read back.

    `files` has an entry for every file of the layout: linear files all their records (blank ones too), transparent
    files one entry with the whole content, cyclic files their records from the oldest.
    """

    historical: bytes
    pin: bytes
    files: Mapping[str, tuple[bytes, ...]]
    given: frozenset[str]
    """Paths that the holder's data named; the others are blank and need not be written."""


def chip_image(profile: CardProfile, holder: HolderData) -> ChipImage:
    """Encode everything and check that it belongs together.

    Raises the codec's refusals, CHIP_PROFILE_UNKNOWN for a file that is not in the layout, CHIP_PIN_FORM, and
    CHIP_IDENTITY_MISMATCH when identification code and ATR contradict each other or a necessary item is missing.
    """
    known = {file.path for file in profile.files}
    if unknown := sorted(set(holder.files) - known):
        raise Refused(Code.CHIP_PROFILE_UNKNOWN, what="file", name=", ".join(unknown))
    _check_identity(profile, holder)
    return ChipImage(
        historical=holder.historical,
        pin=pin_bytes(profile.pin, profile.pin.initial if holder.initial_pin is None else holder.initial_pin),
        files={file.path: _encode(file, holder.files.get(file.path)) for file in profile.files},
        given=frozenset(holder.files),
    )


def decode_file(file: FileDeclaration, content: Sequence[bytes]) -> Any:
    """The values of a file from its bytes as in `ChipImage.files`; the reverse of what `chip_image` does to a file."""
    if file.kind is FileKind.TRANSPARENT:
        return b"".join(content)
    if file.kind is FileKind.CYCLIC:
        return [codec.decode_cyclic(file, record) for record in content]
    return codec.decode_records(file, content)


def _encode(file: FileDeclaration, data: FileData | None) -> tuple[bytes, ...]:
    if file.kind is FileKind.TRANSPARENT:
        if data is not None and not isinstance(data, bytes):
            raise Refused(Code.CHIP_RECORD_FORM, file=file.path, reason=Term("不是二进制", "not binary"))
        return (codec.encode_transparent(file, data or b""),)
    if file.kind is FileKind.CYCLIC:
        if data is not None and (file.write.card_only or isinstance(data, bytes | Mapping) or len(data) > file.records):
            raise Refused(
                Code.CHIP_RECORD_FORM,
                file=file.path,
                reason=Term("不是可写入的记录列表", "not a list of records that may be written"),
            )
        return tuple(codec.encode_cyclic(file, record) for record in data or () if isinstance(record, Mapping))
    if data is not None and not isinstance(data, Mapping):
        raise Refused(
            Code.CHIP_RECORD_FORM, file=file.path, reason=Term("不是按名称的数据项", "not values by item name")
        )
    return tuple(codec.encode_records(file, data or {}))


def _check_identity(profile: CardProfile, holder: HolderData) -> None:
    """Identification code: region 3 ‖ authority 5 ‖ serial 4 ‖ code 4. ATR: first digits of the region, same serial."""
    historical, atr, item = holder.historical, profile.atr, profile.identification_item
    if len(historical) != atr.historical_bytes or historical == atr.blank_historical:
        raise _mismatch("ATR")
    code = bytes.fromhex(_value(profile, holder, profile.identification_file, item.name))
    region, authority, serial = code[:3], code[3:8], code[8:12]
    for found, allowed in (
        (authority, (profile.identification_authority,)),
        (historical[atr.serial], (serial,)),
        (historical[atr.region], (region[:2], region[:1] + b"\0")),
    ):
        if found not in allowed:
            raise _mismatch(f"{item.name} {code.hex().upper()}, ATR {historical.hex().upper()}: {found.hex().upper()}")
    _value(profile, holder, profile.version_file, profile.version_item.name)


def _value(profile: CardProfile, holder: HolderData, file: FileDeclaration, item: str) -> str:
    data = holder.files.get(file.path)
    value = data.get(item) if isinstance(data, Mapping) else None
    if not isinstance(value, str) or not value:
        raise _mismatch(f"{file.path} {item}")
    if item == profile.identification_item.name:
        codec.encode_item(profile.identification_item, value)
    return value


def _mismatch(reason: str) -> Refused:
    return Refused(Code.CHIP_IDENTITY_MISMATCH, reason=reason)
