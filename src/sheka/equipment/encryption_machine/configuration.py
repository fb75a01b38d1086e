"""The machine's configuration file (TOML): where its store is, where it listens, who may call (H5, K6).

    folder = "/var/lib/sheka/machine"            # its own, on an encrypted disk
    address = "unix:/run/sheka/machine.sock"     # or tcp:host:port
    sealing_secret_file = "/etc/sheka/sealing"   # mode 0600; or sealing_secret = "stdin": one line of hex at the start;
                                                 # neither: it starts sealed, and its custodians unseal it
    max_connections = 64

    [callers.switch]
    secret_file = "/etc/sheka/switch.secret"     # mode 0600, at least 16 random bytes in hex
    verbs = ["DESCRIBE", "VERIFY_MACS", "MACS"]  # left out: every verb
    usages = ["MAC"]                             # left out: every usage
    owners = ["460100"]                          # left out: every owner

Relative paths count from the configuration file's folder. With a `[pkcs11]` table the keys are in a token: see
`pkcs11/settings.py`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sheka.equipment.encryption_machine import handshake, sealing
from sheka.equipment.encryption_machine.addresses import Address
from sheka.equipment.encryption_machine.files import parse_secret, read_secret, write_whole
from sheka.equipment.encryption_machine.model import Usage, Verb
from sheka.equipment.encryption_machine.pkcs11.settings import TokenSettings
from sheka.equipment.encryption_machine.rights import Rights
from sheka.equipment.encryption_machine.server import Account
from sheka.foundation.refusals import Code, Refused

_KNOWN = {"folder", "address", "sealing_secret_file", "sealing_secret", "max_connections", "callers"} | {"pkcs11"}
_CALLER_KNOWN = {"secret_file", "verbs", "usages", "owners"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration as read; secrets are not in it. Neither `sealing_secret_file` nor `from_stdin`: the machine
    starts sealed.
    """

    folder: Path
    address: Address
    sealing_secret_file: Path | None
    from_stdin: bool
    max_connections: int
    callers: dict[str, tuple[Path, Rights]]
    pkcs11: TokenSettings | None = None

    @classmethod
    def load(cls, path: Path) -> Configuration:
        """Read and check a file; `MACHINE_CONFIG_BAD` names what is wrong."""
        try:
            content = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise _bad(f"{path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise _bad(f"{path}: {error}") from None
        _only(content, _KNOWN, "")
        base = path.resolve().parent
        secret_file = content.get("sealing_secret_file")
        from_stdin = "sealing_secret" in content
        if from_stdin and (secret_file is not None or content["sealing_secret"] != "stdin"):  # noqa: S105
            raise _bad('either sealing_secret_file, or sealing_secret = "stdin", or neither')
        limit = content.get("max_connections", 64)
        if type(limit) is not int or not 1 <= limit <= 4096:
            raise _bad("max_connections")
        callers = content.get("callers")
        if not isinstance(callers, dict) or not callers:
            raise _bad("callers: nobody may call")
        return cls(
            base / _text(content, "folder"),
            Address.parse(_text(content, "address")),
            None if secret_file is None else base / _text(content, "sealing_secret_file"),
            from_stdin,
            limit,
            {name: _caller(name, base, found) for name, found in callers.items()},
            TokenSettings.read(base, content.get("pkcs11")),
        )

    def accounts(self) -> dict[str, Account]:
        """The callers with their secrets, read from their files."""
        return {
            name: Account(read_secret(path, handshake.SECRET_BYTES), rights)
            for name, (path, rights) in self.callers.items()
        }

    def sealing_secret(self, given: bytes) -> bytes | None:
        """The sealing secret: from its file, or `given` (what came over standard input). None when custodians hold it:
        the store's seal says so, or the configuration names no secret.
        """
        seal = self.folder / sealing.NAME
        if seal.exists() and sealing.sharing_of(seal) is not None:
            return None
        if self.sealing_secret_file is not None:
            return read_secret(self.sealing_secret_file, sealing.SECRET_BYTES)
        return parse_secret(given.strip(), "stdin", sealing.SECRET_BYTES) if self.from_stdin else None


def write(
    path: Path,
    *,
    folder: Path,
    address: str,
    sealing_secret_file: Path | None,
    callers: Mapping[str, tuple[Path, Rights]],
    max_connections: int = 64,
    from_stdin: bool = False,
    pkcs11: TokenSettings | None = None,
) -> None:
    """Write a configuration file that `Configuration.load` reads, in place of an older one."""
    lines = [f"folder = {_quoted(folder)}", f"address = {_quoted(address)}", f"max_connections = {max_connections}"]
    if from_stdin:
        lines.append('sealing_secret = "stdin"')
    if sealing_secret_file is not None:
        lines.append(f"sealing_secret_file = {_quoted(sealing_secret_file)}")
    if pkcs11 is not None:
        lines += ["", *pkcs11.lines()]
    for name, (secret_file, rights) in callers.items():
        lines += ["", f"[callers.{_quoted(name)}]", f"secret_file = {_quoted(secret_file)}"]
        lines.append(f"verbs = {json.dumps(sorted(verb.name for verb in rights.verbs))}")
        lines.append(f"usages = {json.dumps(sorted(rights.usages))}")
        if rights.owners is not None:
            lines.append(f"owners = {json.dumps(sorted(rights.owners))}")
    write_whole(path, ("\n".join(lines) + "\n").encode())


def _caller(name: str, base: Path, found: Any) -> tuple[Path, Rights]:
    if not isinstance(found, dict):
        raise _bad(f"callers.{name}")
    _only(found, _CALLER_KNOWN, f"callers.{name}.")
    lists = {what: _list(name, what, found.get(what)) for what in ("verbs", "usages", "owners")}
    everything = Rights.everything()
    try:
        verbs = everything.verbs if lists["verbs"] is None else frozenset(Verb[verb] for verb in lists["verbs"])
        usages = everything.usages if lists["usages"] is None else frozenset(map(Usage, lists["usages"]))
    except (KeyError, ValueError) as error:
        raise _bad(f"callers.{name}: {error}") from None
    owners = None if lists["owners"] is None else frozenset(lists["owners"])
    return base / _text(found, "secret_file"), Rights(verbs, usages, owners)


def _list(name: str, what: str, found: Any) -> list[str] | None:
    if found is None:
        return None
    if not isinstance(found, list) or any(not isinstance(item, str) for item in found):
        raise _bad(f"callers.{name}.{what}")
    return found


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise _bad(name)
    return value


def _only(content: dict[str, Any], known: set[str], where: str) -> None:
    strange = sorted(set(content) - known)
    if strange:
        raise _bad(f"{where}{strange[0]} is not known")


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def _bad(what: str) -> Refused:
    return Refused(Code.MACHINE_CONFIG_BAD, what=what)
