"""The inside of a chip that its commands work on: session, keys, counters, access conditions (card.md §2, §5, §6).

Keys live in the application that declares them and are looked for in the selected one and those above it. A key that
was authenticated stays so while its application or one below it is selected. Every check that fails costs a try of its
key, and the try is kept even though the command is denied.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from sheka.foundation.chip.apdu import Command, Denied, StatusWord, tries_left
from sheka.foundation.chip.authentication import MAC_BYTES, initial_value
from sheka.foundation.chip.codec import encode_record
from sheka.foundation.chip.declarations import AccessRule, KeyDeclaration, Purpose
from sheka.foundation.chip.directory import Directory, File, tree_of
from sheka.foundation.chip.memory import CardMemory
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.chip.secure_messaging import is_secured, mac_message
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.mac import command_mac


@dataclass(slots=True)
class PurchaseSession:
    """What INITIALISE FOR PURCHASE leaves for DEBIT FOR PURCHASE."""

    key_version: int
    sequence: bytes
    random: bytes
    terminal: bytes


@dataclass(slots=True)
class Session:
    """What the chip forgets without power."""

    directory: Directory
    file: File | None = None
    record: int = 0
    """The current record, 0 before the first."""
    pin_verified: bool = False
    authenticated: set[tuple[str, int]] = field(default_factory=set)
    challenge: bytes = b""
    pending: bytes = b""
    """What waits for GET RESPONSE."""
    personalising: bytes = b""
    """The challenge under which KT was authenticated; empty outside a personalisation session."""
    rekeying: bytes = b""
    """The challenge under which KT was authenticated on a card in use; empty outside a re-keying session."""
    new_keys: dict[str, bytes] = field(default_factory=dict)
    """Names of keys → values that wait for the end of the re-keying session."""
    purchase: PurchaseSession | None = None

    def forget_rights(self) -> None:
        """Back to what anybody may do."""
        self.pin_verified = False
        self.authenticated.clear()
        self.challenge = self.personalising = self.rekeying = b""
        self.new_keys = {}
        self.purchase = None


class Chip:
    """One powered chip. Commands read and change it through this object and deny by raising `Denied`."""

    def __init__(self, profile: CardProfile, memory: CardMemory, random: Callable[[int], bytes]) -> None:
        self.profile = profile
        self.memory = memory
        self.random = random
        self.tree = tree_of(profile)
        self.algorithm = Algorithm(memory.need("algorithm")[0])
        self.session = Session(self.tree.master)
        self._fci = {d.name: d.fci(self.algorithm) for d in self.tree.by_name.values()}
        self._version_name = f"{profile.version_file.path}/{profile.version_file.slots.index(profile.version_item) + 1}"
        self._versions = {encode_record(profile.version_item, v): v for v in profile.version_item.values}

    # selection

    def fci(self, directory: Directory) -> bytes:
        return self._fci[directory.name]

    def select_directory(self, directory: Directory) -> None:
        """Make a directory current; keys that are neither its own nor above it lose their authentication."""
        session = self.session
        session.directory, session.file, session.record, session.purchase = directory, None, 0, None
        if session.authenticated:
            session.authenticated = {key for key in session.authenticated if key[0] in directory.lineage}

    def select_file(self, file: File) -> None:
        self.session.file, self.session.record = file, 0

    def block_of(self, directory: Directory) -> int:
        """0: open; 1: blocked, can be unblocked; 2: locked for good. A block holds for everything below it."""
        found = 0
        for name in directory.lineage:
            stored = self.memory.get(f"blocked/{name}")
            if stored:
                found = max(found, stored[0])
        return found

    # keys and their counters

    def key_declared(self, key_id: int) -> KeyDeclaration:
        """The key of an id in the current directory or above it: 6A88 when there is none."""
        for name in self.session.directory.lineage:
            for key in self.profile.keys:
                if key.application == name and key.key_id == key_id:
                    return key
        raise Denied(StatusWord.DATA_NOT_FOUND)

    def key_for(self, purpose: Purpose) -> KeyDeclaration:
        """The first key of a purpose in the current directory or above it: 6A88 when there is none."""
        for name in self.session.directory.lineage:
            for key in self.profile.keys:
                if key.application == name and key.purpose is purpose:
                    return key
        raise Denied(StatusWord.DATA_NOT_FOUND)

    def key_versions(self, key: KeyDeclaration) -> list[int]:
        """The versions that were written, oldest first."""
        return [v for v in sorted(key.versions) if self.memory.get(key_name(key, v)) is not None]

    def key_value(self, key: KeyDeclaration, version: int = 0) -> bytes:
        """The key of a version, 0 for the newest: 6A88 when it was never written."""
        versions = self.key_versions(key) if not version else [version]
        value = self.memory.get(key_name(key, versions[-1])) if versions else None
        if value is None:
            raise Denied(StatusWord.DATA_NOT_FOUND)
        return value

    def put_key(self, key: KeyDeclaration, version: int, value: bytes) -> None:
        self.memory.put(key_name(key, version), value)

    def need_tries(self, key: KeyDeclaration) -> None:
        """6983 when the key is locked."""
        if not self._tries(key):
            raise Denied(StatusWord.LOCKED)

    def check(self, key: KeyDeclaration, expected: bytes, got: bytes, *, mac: bool = False) -> None:
        """Compare a cryptogram or MAC and count: right resets the tries, wrong costs one (63Cx, or 9302 for a MAC).

        The counter is written either way, so that the time a card takes does not tell a thief when to cut the power.
        """
        if not hmac.compare_digest(expected, got):
            raise self.wrong(key, mac=mac)
        self.right(key)

    def right(self, key: KeyDeclaration) -> None:
        """The key was proved: it has all its tries again."""
        self.memory.put_always(_tries_name(key), bytes((key.retry_limit,)))

    def wrong(self, key: KeyDeclaration, *, mac: bool = False) -> Denied:
        """The key was not proved: one try fewer, and the denial to raise."""
        left = max(self._tries(key) - 1, 0)
        self.memory.put_always(_tries_name(key), bytes((left,)))
        return Denied(StatusWord.MAC_WRONG if mac else tries_left(left))

    def _tries(self, key: KeyDeclaration) -> int:
        stored = self.memory.get(_tries_name(key))
        return key.retry_limit if stored is None else stored[0]

    def is_authenticated(self, name: str) -> bool:
        """Whether the key of a name was authenticated in this session."""
        key = self.profile.key(name)
        return (key.application, key.key_id) in self.session.authenticated

    # challenge and secure messaging

    def take_challenge(self, *lengths: int) -> bytes:
        """The last challenge, which serves one command only: 6984 when there is none of these lengths."""
        challenge, self.session.challenge = self.session.challenge, b""
        if len(challenge) not in lengths:
            raise Denied(StatusWord.NO_CHALLENGE)
        return challenge

    def unsecured(self, command: Command, key: KeyDeclaration) -> bytes:
        """The data of a command under secure messaging once its MAC under `key` (newest version) is right.

        6987 without room for a MAC, 6984 without a challenge, 6983 for a locked key, 9302 for a wrong MAC.
        """
        if len(command.data) < MAC_BYTES:
            raise Denied(StatusWord.MAC_MISSING)
        value = self.key_value(key)
        self.need_tries(key)
        iv = initial_value(self.algorithm, self.take_challenge(4, 8))
        data, mac = command.data[:-MAC_BYTES], command.data[-MAC_BYTES:]
        self.check(key, command_mac(self.algorithm, value, mac_message(command.header, data), iv), mac, mac=True)
        return data

    # access conditions

    def specification_version(self) -> str | None:
        """The specification version written on the card, None while it is blank."""
        record = self.memory.get(self._version_name)
        return None if record is None else self._versions.get(record)

    def read_rule(self, file: File) -> AccessRule:
        """The file's read rule, which may depend on the specification version written on the card."""
        declaration = file.declaration
        if not declaration.read_by_version:
            return declaration.read
        return declaration.read_by_version.get(self.specification_version() or "", declaration.read)

    def need_read(self, file: File) -> None:
        """6982 unless the terminal may read the file now."""
        rule = self.read_rule(file)
        if not (rule.free and self._in_use()) and not self.session.personalising and not self.allows(rule):
            raise Denied(StatusWord.NOT_AUTHORISED)

    def writable_data(self, file: File, command: Command) -> bytes:
        """The data to write, once the terminal has proved that it may: key authenticated, or MAC under the key.

        6982 without the right; the refusals of `unsecured` under secure messaging.
        """
        rule = file.declaration.write
        if rule.card_only:
            raise Denied(StatusWord.NOT_AUTHORISED)
        if self.session.personalising:
            if is_secured(command):
                raise Denied(StatusWord.MAC_DATA)
            return command.data
        if not is_secured(command):
            if not self.allows(rule):
                raise Denied(StatusWord.NOT_AUTHORISED)
            return command.data
        if not self._in_use() or rule.key is None or (rule.both and not self.session.pin_verified):
            raise Denied(StatusWord.NOT_AUTHORISED)
        return self.unsecured(command, self.profile.key(rule.key))

    def allows(self, rule: AccessRule) -> bool:
        """The rule's truth table for this session; a blank chip allows nothing."""
        return self._in_use() and rule.allows(
            pin_verified=self.session.pin_verified,
            key_authenticated=rule.key is not None and self.is_authenticated(rule.key),
        )

    def _in_use(self) -> bool:
        return self.memory.get("transport key") is None


def key_name(key: KeyDeclaration, version: int) -> str:
    return f"key/{key.application}/{key.key_id:02X}/{version}"


def _tries_name(key: KeyDeclaration) -> str:
    return f"tries/{key.application}/{key.key_id:02X}"
