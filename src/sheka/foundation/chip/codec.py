"""Values to card bytes and back: an, gb18030, cn, b, constructed and cyclic items (card.md §1, §3; design §2.7).

Nothing is cut in silence: what does not fit or cannot be written in the item's encoding is refused (2110–2116).
Encoding checks the code list and format too; decoding only the encoding, so that a card with an odd value can be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

from sheka.foundation.chip.declarations import Encoding, FileDeclaration, Format, Item
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

Value: TypeAlias = "str | bytes | Mapping[str, Any] | Sequence[Any]"
"""an, gb18030, cn: str · b: bytes · constructed: values by part name · item with a count: a sequence of these."""

_CODECS = {Encoding.AN: "gbk", Encoding.GB18030: "gb18030"}
_HEX = frozenset("0123456789ABCDEF")


def encode_item(item: Item, value: Value) -> bytes:
    """The value of an item as exactly `item.length` bytes. An empty text is the blank item.

    >>> number = Item("phone", 0x28, Encoding.CN, 4, "电话", "phone")
    >>> encode_item(number, "13900").hex()
    '13900fff'
    """
    match item.encoding:
        case Encoding.AN | Encoding.GB18030:
            return _encode_text(item, value)
        case Encoding.CN:
            return _encode_digits(item, value)
        case Encoding.B:
            return _encode_binary(item, value)
        case Encoding.CONSTRUCTED:
            return _encode_parts(item, value)


def decode_item(item: Item, data: bytes) -> str | bytes | dict[str, Any]:
    """The value of `item.length` bytes as read from a card; the reverse of `encode_item`."""
    if len(data) != item.length:
        raise _not_decodable(item, Term(f"{len(data)}字节", f"{len(data)} bytes"))
    match item.encoding:
        case Encoding.AN | Encoding.GB18030:
            return _decode_text(item, data)
        case Encoding.CN:
            return _decode_digits(item, data)
        case Encoding.B:
            return data
        case Encoding.CONSTRUCTED:
            return _decode_parts(item, data)


def blank_item(item: Item) -> bytes:
    """What an item holds before it was ever written: padding only (constructed: its parts, blank)."""
    match item.encoding:
        case Encoding.CN:
            return b"\xff" * item.length
        case Encoding.CONSTRUCTED:
            return b"".join(_tlv(part.tag, blank_item(part)) for part in item.parts)
        case _:
            return bytes(item.length)


def encode_record(item: Item, value: Value) -> bytes:
    """A record of a linear file: tag 1 ‖ length 1 ‖ value."""
    return _tlv(item.tag, encode_item(item, value))


def blank_record(item: Item) -> bytes:
    """The record before it was written."""
    return _tlv(item.tag, blank_item(item))


def decode_record(file: FileDeclaration, record: bytes) -> tuple[Item, str | bytes | dict[str, Any]]:
    """The item that a record of `file` carries, found by its tag, and its value."""
    item = next((item for item in file.items if record[:1] == bytes([item.tag])), None)
    if item is None:
        raise Refused(
            Code.CHIP_RECORD_FORM,
            file=file.path,
            reason=Term(f"标签{record[:1].hex().upper()}", f"tag {record[:1].hex().upper()}"),
        )
    if len(record) != item.record_bytes or record[1] != item.length:
        raise Refused(
            Code.CHIP_RECORD_FORM,
            file=file.path,
            reason=Term(f"标签{item.tag:02X}，{len(record)}字节", f"tag {item.tag:02X}, {len(record)} bytes"),
        )
    return item, decode_item(item, record[2:])


def encode_cyclic(file: FileDeclaration, values: Mapping[str, Value]) -> bytes:
    """A record of a cyclic file: its fields side by side, no tags. Every field must be given."""
    _known(file, values)
    if missing := [item.name for item in file.items if item.name not in values]:
        raise Refused(
            Code.CHIP_RECORD_FORM,
            file=file.path,
            reason=Term(f"缺少{', '.join(missing)}", f"missing {', '.join(missing)}"),
        )
    return b"".join(encode_item(item, values[item.name]) for item in file.items)


def decode_cyclic(file: FileDeclaration, record: bytes) -> dict[str, Any]:
    """The fields of a cyclic record by name."""
    if len(record) != file.size:
        raise Refused(Code.CHIP_RECORD_FORM, file=file.path, reason=Term(f"{len(record)}字节", f"{len(record)} bytes"))
    found, at = {}, 0
    for item in file.items:
        found[item.name] = decode_item(item, record[at : at + item.length])
        at += item.length
    return found


def encode_transparent(file: FileDeclaration, content: bytes) -> bytes:
    """The whole content of a transparent file, padded right with 00 to its size."""
    if len(content) > file.size:
        raise Refused(Code.CHIP_ITEM_TOO_LONG, item=file.path, got=len(content), limit=file.size)
    return content.ljust(file.size, b"\0")


def encode_records(file: FileDeclaration, values: Mapping[str, Value]) -> list[bytes]:
    """All records of a linear file in the order of their numbers; items without a value are blank.

    An item with a count takes a sequence of values, at most that many.
    """
    _known(file, values)
    records: list[bytes] = []
    for item in file.items:
        given = values.get(item.name)
        if item.count == 1:
            records.append(blank_record(item) if given is None else encode_record(item, given))
            continue
        entries = _entries(item, given)
        records += [encode_record(item, entry) for entry in entries]
        records += [blank_record(item)] * (item.count - len(entries))
    return records


def decode_records(file: FileDeclaration, records: Sequence[bytes]) -> dict[str, Any]:
    """The values of all records of a linear file by item name; repeated items give a list without its blank end."""
    if len(records) != len(file.slots):
        raise Refused(
            Code.CHIP_RECORD_FORM, file=file.path, reason=Term(f"{len(records)}条记录", f"{len(records)} records")
        )
    found: dict[str, Any] = {item.name: [] for item in file.items if item.count > 1}
    for expected, record in zip(file.slots, records, strict=True):
        item, value = decode_record(file, record)
        if item is not expected:
            raise Refused(
                Code.CHIP_RECORD_FORM,
                file=file.path,
                reason=Term(f"标签{item.tag:02X}位置错误", f"tag {item.tag:02X} out of order"),
            )
        if item.count == 1:
            found[item.name] = value
        else:
            found[item.name].append(value)
    for item in file.items:
        if item.count > 1:
            nothing = decode_item(item, blank_item(item))
            while found[item.name] and found[item.name][-1] == nothing:
                found[item.name].pop()
    return found


def example_value(item: Item) -> Value:
    """The example that stands with the item in the profile."""
    if item.encoding is Encoding.CONSTRUCTED:
        return {part.name: example_value(part) for part in item.parts}
    return bytes.fromhex(item.example) if item.encoding is Encoding.B else item.example


def example_values(file: FileDeclaration) -> dict[str, Value]:
    """The example content of a linear file, or of one record of a cyclic file, by item name."""
    return {i.name: [example_value(i)] * i.count if i.count > 1 else example_value(i) for i in file.items}


def _encode_text(item: Item, value: Value) -> bytes:
    if not isinstance(value, str) or "\0" in value:
        raise _not_encodable(item, Term("不是文本", "not a text"))
    _check_list(item, value)
    try:
        data = value.encode(_CODECS[item.encoding])
    except UnicodeEncodeError as error:
        raise _not_encodable(item, value[error.start : error.end]) from None
    return _fit(item, data, b"\0")


def _decode_text(item: Item, data: bytes) -> str:
    content = data.rstrip(b"\0")
    try:
        text = content.decode(_CODECS[item.encoding])
    except UnicodeDecodeError as error:
        raise _not_decodable(item, Term(f"第{error.start + 1}字节", f"byte {error.start}")) from None
    if "\0" in text:
        raise _not_decodable(item, Term("文本中含有00", "00 inside the text"))
    return text


def _encode_digits(item: Item, value: Value) -> bytes:
    if not isinstance(value, str):
        raise _not_encodable(item, Term("不是数字文本", "not a text of digits"))
    if item.format is Format.HEX and value:
        if not set(value) <= _HEX:
            raise _not_encodable(item, Term("不是十六进制", "not hexadecimal"))
        if len(value) < 2 * item.length:
            raise _not_encodable(item, Term(f"只有{len(value)}位", f"{len(value)} of {2 * item.length} digits"))
    elif value and not (value.isascii() and value.isdigit()):
        raise _not_encodable(item, Term("不是数字", "not digits"))
    _check_list(item, value)
    _check_format(item, value)
    return _fit(item, bytes.fromhex(value + "F" * (len(value) % 2)), b"\xff")


def _decode_digits(item: Item, data: bytes) -> str:
    text = data.hex().upper()
    if item.format is Format.HEX:
        return text if text.strip("F") else ""
    digits = text.rstrip("F")
    if digits and not digits.isdigit():
        raise _not_decodable(item, text)
    return digits


def _encode_binary(item: Item, value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise _not_encodable(item, Term("不是二进制", "not binary"))
    if len(value) < item.length:
        raise _not_encodable(item, Term(f"只有{len(value)}字节", f"{len(value)} of {item.length} bytes"))
    return _fit(item, value, b"\0")


def _encode_parts(item: Item, value: Value) -> bytes:
    if not isinstance(value, Mapping):
        raise _not_encodable(item, Term("不是一组子项", "not a set of parts"))
    if unknown := set(value) - {part.name for part in item.parts}:
        raise Refused(Code.CHIP_ITEM_UNKNOWN, file=item.term, item=", ".join(sorted(unknown)))
    return b"".join(
        _tlv(part.tag, encode_item(part, value[part.name]) if part.name in value else blank_item(part))
        for part in item.parts
    )


def _decode_parts(item: Item, data: bytes) -> dict[str, Any]:
    found, at = {}, 0
    for part in item.parts:
        if data[at] != part.tag or data[at + 1] != part.length:
            raise _not_decodable(item, f"{data[at]:02X} ≠ {part.tag:02X}")
        found[part.name] = decode_item(part, data[at + 2 : at + part.record_bytes])
        at += part.record_bytes
    return found


def _entries(item: Item, given: Value | None) -> Sequence[Any]:
    if given is None:
        return ()
    if isinstance(given, str | bytes | Mapping):
        raise _not_encodable(item, Term("不是列表", "not a list"))
    if len(given) > item.count:
        raise Refused(Code.CHIP_ITEM_COUNT, item=item.name, limit=item.count, got=len(given))
    return given


def _check_list(item: Item, value: str) -> None:
    if value and item.values and value not in item.values:
        raise Refused(Code.CHIP_ITEM_VALUE, item=item.term, got=value, allowed=", ".join(item.values))


def _check_format(item: Item, value: str) -> None:
    if not value:
        return
    if item.format is Format.ETHNIC_GROUP and not (len(value) == 2 and (1 <= int(value) <= 56 or value == "99")):
        raise Refused(Code.CHIP_ITEM_VALUE, item=item.term, got=value, allowed="01–56, 99")
    try:
        if item.format is Format.DATE:
            _digits(value, 8)
            date(int(value[:4]), int(value[4:6]), int(value[6:]))
        elif item.format is Format.TIME:
            _digits(value, 14)
            datetime.strptime(value + "+0800", "%Y%m%d%H%M%S%z")
    except ValueError:
        raise _not_encodable(item, Term(f"{value}不是有效的日期或时间", f"{value}: no such {item.format}")) from None


def _digits(value: str, count: int) -> None:
    if len(value) != count:
        raise ValueError(value)


def _fit(item: Item, data: bytes, padding: bytes) -> bytes:
    if len(data) > item.length:
        raise Refused(Code.CHIP_ITEM_TOO_LONG, item=item.term, got=len(data), limit=item.length)
    return data.ljust(item.length, padding)


def _tlv(tag: int, value: bytes) -> bytes:
    return bytes((tag, len(value))) + value


def _known(file: FileDeclaration, values: Mapping[str, Value]) -> None:
    if unknown := set(values) - {item.name for item in file.items}:
        raise Refused(Code.CHIP_ITEM_UNKNOWN, file=file.path, item=", ".join(sorted(unknown)))


def _not_encodable(item: Item, reason: str | Term) -> Refused:
    return Refused(Code.CHIP_ITEM_NOT_ENCODABLE, item=item.term, encoding=item.encoding.value, reason=reason)


def _not_decodable(item: Item, reason: str | Term) -> Refused:
    return Refused(Code.CHIP_ITEM_NOT_DECODABLE, item=item.term, encoding=item.encoding.value, reason=reason)
