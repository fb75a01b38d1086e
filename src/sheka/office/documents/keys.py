"""The key of each document, from a key that stays where it is.

A document's own SM4 key is the SM4 encryption of a random salt of 16 bytes under the key of its organisation. With the
encryption machine (`keys = "machine"` in node.toml) that key never leaves the machine: whoever has disk and database
has nothing without it. With a key file (`keys = "file"`) it lies beside the documents and protects a backup of the
files or of the database alone, no more: for a node without a machine. To go over to the machine, change node.toml: new
documents use the machine, earlier ones stay readable as long as the file stays.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from threading import Lock

from django.conf import settings

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.equipment.server.files import make_folder, write_private
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.sm4 import encrypt_ecb
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.organisations.models import Organisation

CALLER = "systems"
KEY_NAME = "DOCUMENTS"
KEY_FILE = "documents.key"
SALT_BYTES = 16
_in_use: dict[str, str] = {}
_lock = Lock()


def new_key(organisation: Organisation) -> tuple[str, bytes, bytes]:
    """(name of the key, salt, SM4 key of 16 bytes) for one new document of this organisation.

    Raises Refused: MACHINE_UNREACHABLE and what else the machine refuses, DOCUMENT_KEY_FILE, NODE_MACHINE_UNKNOWN.
    """
    salt = secrets.token_bytes(SALT_BYTES)
    name = _file_key() if settings.NODE.documents.keys == "file" else _machine_key(organisation)
    return name, salt, key_of(name, salt)


def key_of(name: str, salt: bytes) -> bytes:
    """The document's key again. Raises Refused: DOCUMENT_KEY, DOCUMENT_KEY_FILE, and what the machine refuses."""
    source, _colon, rest = name.partition(":")
    if source == "machine":
        machine, _slash, ref = rest.partition("/")
        with _machine(machine) as line:
            return line.cryptograms(ref, None, [salt])[0]
    if source == "file":
        kept = _keys_in_file()
        if rest in kept:
            return encrypt_ecb(kept[rest], salt)
    raise Refused(Code.DOCUMENT_KEY, key=name)


def _machine_key(organisation: Organisation) -> str:
    """The documents' key of this organisation's machine, or of the next superior's; made when it is missing."""
    machine = _machine_for(organisation)
    with _lock:
        if machine.name not in _in_use:
            with _machine(machine.name) as line:
                _in_use[machine.name] = _newest(line, machine.organisation)
        return f"machine:{machine.name}/{_in_use[machine.name]}"


def _machine_for(organisation: Organisation):  # type: ignore[no-untyped-def]
    own = {machine.organisation: machine for machine in settings.NODE.machines}
    place: Organisation | None = organisation
    while place is not None and place.code not in own:
        place = place.superior
    if place is None:
        return settings.NODE.machine(organisation.code)
    return own[place.code]


def _newest(line: EncryptionMachine, owner: str) -> str:
    def found() -> list[KeyInfo]:
        return [one for one in line.list_keys() if one.name == KEY_NAME and one.owner == owner and not one.destroyed]

    keys = found()
    if not keys:
        try:
            return line.generate(KEY_NAME, Algorithm.SM4, Usage.ENCRYPT, owner=owner).ref
        except Refused as refusal:
            if refusal.code is not Code.MACHINE_KEY_EXISTS:  # another process was quicker
                raise
            keys = found()
    return max(keys, key=lambda one: one.version).ref


def _machine(name: str) -> EncryptionMachine:
    """A line of its own for each document: no state that a forked worker or a new node could share."""
    node = settings.NODE
    return EncryptionMachine(node.machine_address(name), CALLER, node.machine_secret(name, CALLER))


def _file_key() -> str:
    """The newest key of the file, which is made when there is none."""
    kept = _keys_in_file()
    if not kept:
        make_folder(_file().parent, mode=0o700)
        write_private(_file(), f"1 {secrets.token_hex(16)}\n", replace=False)
        kept = _keys_in_file()
    return f"file:{list(kept)[-1]}"


def _keys_in_file() -> dict[str, bytes]:
    """Number → key; a line each, the newest last. Raises Refused(DOCUMENT_KEY_FILE)."""
    try:
        if _file().stat().st_mode & 0o077:
            raise _bad_file(Term("其他用户可以读取", "others can read it"))
        lines = _file().read_text("utf-8").split("\n")
        return {number: bytes.fromhex(key) for number, key in (line.split() for line in lines if line.strip())}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise _bad_file(Term("不能读取", "it cannot be read")) from None


def _file() -> Path:
    folder: Path = settings.NODE.documents_folder
    return folder / KEY_FILE


def _bad_file(reason: Term) -> Refused:
    return Refused(Code.DOCUMENT_KEY_FILE, file=_file(), reason=reason)
