"""From the TOML of a card profile to its types, with the checks that a layout must pass before use (I4, I6)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from sheka.foundation.chip.declarations import (
    MASTER_FILE,
    AccessRule,
    Application,
    AtrRule,
    BlockingRule,
    Encoding,
    FileDeclaration,
    FileKind,
    Format,
    Item,
    KeyDeclaration,
    Owner,
    PinPolicy,
    PurchaseRule,
    Purpose,
)
from sheka.foundation.refusals import Code, Refused

Row = dict[str, Any]
Member = TypeVar("Member", bound=StrEnum)

INSTRUCTIONS = (
    "get_data",
    "write_key",
    "write_pin",
    "set_identity",
    "end_personalisation",
    "end_rekeying",
    "retire_version",
    "initialise_purchase",
    "debit_purchase",
    "transaction_proof",
)
DATA_OBJECTS = ("chip_serial", "chip_state")
STANDARD_INSTRUCTIONS = frozenset(bytes.fromhex("A4B2DCE2B0D684C088822016181E245E"))


class ProfileReader:
    """Reads one TOML file; a row that is not as it must be is refused with CHIP_PROFILE_INVALID and its place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._data: Row = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self.fail(str(error))

    def fail(self, reason: str) -> NoReturn:
        raise Refused(Code.CHIP_PROFILE_INVALID, path=self.path.name, reason=reason)

    def text(self, section: str, key: str) -> str:
        return self._text(self._section(section), key, section)

    def hex(self, section: str, key: str) -> bytes:
        return self._hex(self._section(section), key, section)

    def applications(self) -> tuple[Application, ...]:
        rows = self._data.get("applications") or self.fail("no applications")
        return tuple(self._application(row) for row in rows)

    def keys(self, applications: Iterable[Application]) -> tuple[KeyDeclaration, ...]:
        defaults = self._section("key_defaults")
        sections = self._section("keys")
        names = {application.name for application in applications}
        if unknown := set(sections) - names:
            self.fail(f"keys of unknown applications: {sorted(unknown)}")
        return tuple(
            self._key(application, name, {**defaults, **row})
            for application, rows in sections.items()
            for name, row in rows.items()
        )

    def transport(self) -> KeyDeclaration:
        row = self._section("transport")
        return KeyDeclaration(
            name="KT",
            application=MASTER_FILE,
            key_id=self._byte(row, "key_id", "transport"),
            purpose=Purpose.TRANSPORT,
            owner=Owner.CHIP_MAKER,
            versions=(1,),
            retry_limit=self._limit(row, "transport"),
            local=frozenset(("id", "retry_limit")),
        )

    def item_at(self, where: str, applications: Iterable[Application]) -> tuple[FileDeclaration, Item]:
        """The file and item that a section names by `application`, `file` and `item`."""
        path = f"{self.text(where, 'application')}/{self.text(where, 'file')}"
        found = [file for application in applications for file in application.files if file.path == path]
        file = found[0] if found else self.fail(f"{where}: no such file")
        return file, file.item(self.text(where, "item")) or self.fail(f"{where}: no such item")

    def pin(self) -> PinPolicy:
        row = self._section("pin")
        policy = PinPolicy(
            application=self._text(row, "application", "pin"),
            minimum_bytes=self._number(row, "minimum_bytes", "pin"),
            maximum_bytes=self._number(row, "maximum_bytes", "pin"),
            default_digits=self._number(row, "default_digits", "pin"),
            retry_limit=self._limit(row, "pin"),
            initial=self._text(row, "initial", "pin"),
            initial_must_be_changed=bool(row.get("initial_must_be_changed", True)),
            initial_status=int.from_bytes(self._hex(row, "initial_status", "pin"), "big"),
            reload_must_be_changed=bool(row.get("reload_must_be_changed", True)),
        )
        if not 1 <= policy.minimum_bytes <= policy.maximum_bytes <= 8 or not policy.initial.isdigit():
            self.fail("pin: lengths or initial PIN")
        return policy

    def atr(self) -> AtrRule:
        row = self._section("atr")
        rule = AtrRule(
            prefix=self._hex(row, "prefix", "atr"),
            historical_bytes=self._number(row, "historical_bytes", "atr"),
            blank_historical=self._hex(row, "blank_historical", "atr"),
            region=slice(*row["region"]),
            serial=slice(*row["serial"]),
            factor=slice(*row["factor"]),
        )
        numbers = rule.blank_historical
        if len(numbers) != rule.historical_bytes or rule.prefix[1] & 0x0F != rule.historical_bytes:
            self.fail("atr: the number of historical bytes")
        if (len(numbers[rule.region]), len(numbers[rule.serial]), len(numbers[rule.factor])) != (2, 4, 8):
            self.fail("atr: region, serial and factor must have 2, 4 and 8 bytes")
        return rule

    def purchase(self) -> PurchaseRule:
        row = self._section("purchase")
        return PurchaseRule(
            application=self._text(row, "application", "purchase"),
            log=self._text(row, "log", "purchase"),
            session_key=self._text(row, "session_key", "purchase"),
            tac_key=self._text(row, "tac_key", "purchase"),
            requires=self._rule(row, "requires", "purchase"),
        )

    def blocking(self) -> BlockingRule:
        return BlockingRule(**{key: self.text("blocking", key) for key in ("mac", "application", "card", "pin")})

    def instructions(self) -> Mapping[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for name in INSTRUCTIONS:
            code = self.hex("instructions", name)
            if len(code) != 2 or code[0] != 0x80:
                self.fail(f"instructions: {name} must be class 80 and one instruction byte")
            if code[1] in STANDARD_INSTRUCTIONS or code[1] & 0xF0 in (0x60, 0x90) or tuple(code) in found.values():
                self.fail(f"instructions: {name} is taken or not allowed")
            found[name] = (code[0], code[1])
        return found

    def data_objects(self) -> Mapping[str, int]:
        return {name: int.from_bytes(self.hex("data_objects", name), "big") for name in DATA_OBJECTS}

    def other_applications(self) -> Mapping[str, bytes]:
        rows = self._data.get("other_applications", [])
        return {row["name"]: self._hex(row, "aid", "other_applications") for row in rows}

    def check(
        self,
        applications: tuple[Application, ...],
        keys: tuple[KeyDeclaration, ...],
        purchase: PurchaseRule,
        blocking: BlockingRule,
        pin: PinPolicy,
        rekeying: str,
    ) -> None:
        """What only shows when all parts are there: names that point somewhere, ids that are unique."""
        names = [application.name for application in applications]
        self._unique("application", names)
        self._unique("FID", [application.fid for application in applications])
        self._unique("AID", [application.aid for application in applications if application.aid])
        self._unique("key", [key.name for key in keys])
        self._unique("key id", [(key.application, key.key_id) for key in keys])
        parents = {application.name: application.parent for application in applications}
        for application in applications:
            if application.parent not in {MASTER_FILE, *names[: names.index(application.name)]}:
                self.fail(f"{application.name}: the parent {application.parent} must be declared before it")
            self._check_files(application, {key.name: key.application for key in keys}, parents)
        for name in (
            rekeying,
            purchase.session_key,
            purchase.tac_key,
            *(getattr(blocking, key) for key in blocking.__slots__),
        ):
            if name not in {key.name for key in keys}:
                self.fail(f"no key {name}")
        logs = [f for a in applications for f in a.files if (a.name, f.name) == (purchase.application, purchase.log)]
        if not logs or logs[0].kind is not FileKind.CYCLIC:
            self.fail("purchase: the log must be a cyclic file")
        if pin.application not in names:
            self.fail("pin: unknown application")

    def _check_files(self, application: Application, keys: Mapping[str, str], parents: Mapping[str, str]) -> None:
        within = {application.name, parents[application.name]}
        self._unique(f"FID in {application.name}", [file.fid for file in application.files])
        self._unique(f"SFI in {application.name}", [file.sfi for file in application.files])
        for file in application.files:
            for rule in (file.read, file.write, *file.read_by_version.values()):
                if rule.key is not None and keys.get(rule.key) not in within:
                    self.fail(f"{file.path}: the key {rule.key} is not in {application.name} or above it")

    def _application(self, row: Row) -> Application:
        name = self._text(row, "name", "applications")
        return Application(
            name=name,
            parent=self._text(row, "parent", name),
            fid=self._fid(row, name),
            aid=self._hex(row, "aid", name) if "aid" in row else b"",
            directory_sfi=self._sfi(row, "directory_sfi", name),
            zh=self._text(row, "zh", name),
            en=self._text(row, "en", name),
            files=tuple(self._file(name, file) for file in row.get("files", [])),
            local=_marks(row),
        )

    def _file(self, application: str, row: Row) -> FileDeclaration:
        name = self._text(row, "fid", application)
        where = f"{application}/{name}"
        kind = self._one_of(FileKind, row, "kind", where)
        items = tuple(self._item(item, where, tagged=kind.has_tlv_records) for item in row.get("items", []))
        slots = tuple(item for item in items for _ in range(item.count)) if kind.has_tlv_records else ()
        size = {FileKind.TRANSPARENT: "size", FileKind.CYCLIC: "record"}.get(kind)
        file = FileDeclaration(
            application=application,
            name=name,
            fid=self._fid(row, where),
            sfi=self._sfi(row, "sfi", where),
            kind=kind,
            zh=self._text(row, "zh", where),
            en=self._text(row, "en", where),
            read=self._rule(row, "read", where),
            write=self._rule(row, "write", where),
            read_by_version={v: self._parse_rule(r, where) for v, r in row.get("read_by_version", {}).items()},
            items=items,
            slots=slots,
            size=int(self._text(row, size, where), 16) if size else 0,
            records=self._number(row, "records", where) if kind is FileKind.CYCLIC else len(slots),
            extending=bool(row.get("extending", False)),
            example=row.get("example", ""),
            local=_marks(row),
        )
        self._check_sizes(file)
        return file

    def _check_sizes(self, file: FileDeclaration) -> None:
        if file.kind.has_tlv_records:
            self._unique(f"tag in {file.path}", [item.tag for item in file.items])
        if file.kind.has_tlv_records and file.kind is FileKind.FIXED and len({i.length for i in file.items}) != 1:
            self.fail(f"{file.path}: the records of a fixed file have one length")
        if file.kind is FileKind.CYCLIC and sum(item.length for item in file.items) != file.size:
            self.fail(f"{file.path}: the fields do not fill the record")
        if file.kind is not FileKind.TRANSPARENT and not file.items:
            self.fail(f"{file.path}: no items")
        self._unique(f"item in {file.path}", [item.name for item in file.items])

    def _item(self, row: Row, where: str, *, tagged: bool) -> Item:
        name = self._text(row, "name", where)
        where = f"{where} {name}"
        tag = self._byte(row, "tag", where) if tagged else 0
        encoding = self._one_of(Encoding, row, "type", where)
        parts = tuple(self._item(part, where, tagged=True) for part in row.get("parts", []))
        item = Item(
            name=name,
            tag=tag,
            encoding=encoding,
            length=self._byte(row, "length", where),
            zh=row.get("zh", f"数据项{tag:02X}"),
            en=row.get("en", f"item {tag:02X}"),
            count=row.get("count", 1),
            format=self._one_of(Format, {"format": Format.FREE, **row}, "format", where),
            values=tuple(row.get("values", ())),
            parts=parts,
            example=row.get("example", ""),
        )
        if (encoding is Encoding.CONSTRUCTED) != bool(parts):
            self.fail(f"{where}: parts belong to a constructed item and to no other")
        if parts and sum(part.record_bytes for part in parts) != item.length:
            self.fail(f"{where}: the parts do not fill {item.length:02X} bytes")
        if not item.length or item.count < 1 or (tagged and not 0 < tag < 0xFF):
            self.fail(f"{where}: tag, length or count")
        return item

    def _key(self, application: str, name: str, row: Row) -> KeyDeclaration:
        where = f"key {name}"
        versions = tuple(row["versions"])
        if not versions or not all(1 <= version <= 3 for version in versions):
            self.fail(f"{where}: versions are 1 to 3")
        return KeyDeclaration(
            name=name,
            application=application,
            key_id=self._byte(row, "id", where) or self.fail(f"{where}: id 00 is the transport key"),
            purpose=self._one_of(Purpose, row, "purpose", where),
            owner=self._one_of(Owner, row, "owner", where),
            versions=versions,
            retry_limit=self._limit(row, where),
            local=_marks(row),
        )

    def _section(self, name: str) -> Row:
        section = self._data.get(name)
        return section if isinstance(section, dict) else self.fail(f"no section [{name}]")

    def _text(self, row: Row, key: str, where: str) -> str:
        value = row.get(key)
        return value if isinstance(value, str) and value else self.fail(f"{where}: {key} is missing or no text")

    def _number(self, row: Row, key: str, where: str) -> int:
        value = row.get(key)
        return value if isinstance(value, int) and value > 0 else self.fail(f"{where}: {key} is missing or no number")

    def _limit(self, row: Row, where: str) -> int:
        limit = self._number(row, "retry_limit", where)
        return limit if limit <= 15 else self.fail(f"{where}: a retry limit fits the status 63Cx, at most 15")

    def _hex(self, row: Row, key: str, where: str) -> bytes:
        try:
            return bytes.fromhex(self._text(row, key, where))
        except ValueError:
            self.fail(f"{where}: {key} is not hexadecimal")

    def _byte(self, row: Row, key: str, where: str) -> int:
        value = self._hex(row, key, where)
        return value[0] if len(value) == 1 else self.fail(f"{where}: {key} must be one byte")

    def _fid(self, row: Row, where: str) -> bytes:
        value = self._hex(row, "fid", where)
        return value if len(value) == 2 else self.fail(f"{where}: a FID has two bytes")

    def _sfi(self, row: Row, key: str, where: str) -> int:
        value = self._byte(row, key, where)
        return value if 1 <= value <= 30 else self.fail(f"{where}: an SFI is 1 to 30")

    def _rule(self, row: Row, key: str, where: str) -> AccessRule:
        return self._parse_rule(self._text(row, key, where), where)

    def _parse_rule(self, text: str, where: str) -> AccessRule:
        try:
            return AccessRule.parse(text)
        except ValueError as error:
            self.fail(f"{where}: {error}")

    def _one_of(self, kind: type[Member], row: Row, key: str, where: str) -> Member:
        try:
            return kind(str(row.get(key)))
        except ValueError:
            self.fail(f"{where}: {key} {row.get(key)!r} is not one of {[str(member) for member in kind]}")

    def _unique(self, what: str, values: list[Any]) -> None:
        twice = {str(value) for value in values if values.count(value) > 1}
        if twice:
            self.fail(f"{what} declared twice: {sorted(twice)}")


def _marks(row: Row) -> frozenset[str]:
    local = row.get("local", [])
    return frozenset(row) if local is True else frozenset(local or ())
