"""The `[pkcs11]` part of the machine's configuration (H5): which module and token, whose PIN, which numbers.

    [pkcs11]
    module = "/usr/lib/softhsm/libsofthsm2.so"
    token = "sheka"                  # the token's label
    serial = "4f4857763832bd6d"      # left out: whatever serial, the first one met stays the only one
    pin_file = "/etc/sheka/pin"      # mode 0600; or
    first_pin_file = "/run/pin"      # mode 0600: taken under the machine's seal at the first log-in, then wiped
    workers = 1                      # processes, each with a session of its own (1 to 16)
    call_bytes = 65536               # most data of one C_Encrypt
    call_seconds = 30                # a module that takes longer is given up and started anew
    environment = { SOFTHSM2_CONF = "/etc/softhsm2.conf" }

    [pkcs11.sm4]                     # the device's own numbers: PKCS#11 has none for SM4
    key_type = 0x80000102
    generate = 0x80000101            # C_GenerateKey
    ecb = 0x80000103                 # C_Encrypt
    cbc = 0x80000104                 # the same, chained: quicker single MACs; may be left out
    derive = 0x80000110              # C_DeriveKey by ECB over given data; left out: the device has none

    [pkcs11.tdes]                    # only where a device differs from the standard's numbers
    derive = false                   # it lists the mechanism, but does not do it

Relative paths count from the configuration file's folder.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

FILE = "pkcs11.toml"
"""Beside the configuration of a machine that a node runs: the same table, kept while the rest is written anew."""

_KNOWN = {"module", "token", "serial", "pin_file", "first_pin_file"}
_KNOWN |= {"workers", "call_bytes", "call_seconds", "environment", "sm4", "tdes"}
_NUMBERS = ("key_type", "generate", "ecb", "cbc", "derive")


@dataclass(frozen=True, slots=True)
class Suite:
    """An algorithm's PKCS#11 numbers: CKK_ of its keys, CKM_ of making, encrypting, deriving (None: not to be had)."""

    key_type: int
    generate: int
    ecb: int
    cbc: int | None
    derive: int | None


TDES = Suite(key_type=0x14, generate=0x130, ecb=0x132, cbc=0x133, derive=0x1102)
"""CKK_DES2, CKM_DES2_KEY_GEN, CKM_DES3_ECB, CKM_DES3_CBC, CKM_DES3_ECB_ENCRYPT_DATA (PKCS#11 v3.0 mechanisms)."""


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """A `[pkcs11]` table as read; the PIN is not in it."""

    module: Path
    token: str
    serial: str = ""
    pin_file: Path | None = None
    first_pin_file: Path | None = None
    workers: int = 1
    call_bytes: int = 65536
    call_seconds: float = 30.0
    environment: dict[str, str] = field(default_factory=dict)
    suites: dict[Algorithm, Suite] = field(default_factory=lambda: {Algorithm.TDES: TDES})

    @classmethod
    def read(cls, base: Path, content: Any) -> TokenSettings | None:
        """The table of a configuration file in the folder `base`, None for a file without one; `MACHINE_CONFIG_BAD`."""
        if content is None:
            return None
        if not isinstance(content, dict) or set(content) - _KNOWN:
            raise _bad("pkcs11")
        environment = content.get("environment", {})
        if not isinstance(environment, dict) or any(not isinstance(value, str) for value in environment.values()):
            raise _bad("pkcs11.environment")
        return cls(
            module=base / _text(content, "module"),
            token=_text(content, "token"),
            serial=_text(content, "serial") if "serial" in content else "",
            pin_file=base / _text(content, "pin_file") if "pin_file" in content else None,
            first_pin_file=base / _text(content, "first_pin_file") if "first_pin_file" in content else None,
            workers=_number(content, "workers", 1, 16),
            call_bytes=max(16, _number(content, "call_bytes", 65536, 2**24) // 16 * 16),
            call_seconds=_number(content, "call_seconds", 30, 600),
            environment=environment,
            suites=_suites(content),
        )

    @classmethod
    def beside(cls, folder: Path) -> TokenSettings | None:
        """What `pkcs11.toml` in a machine's folder says, for a machine whose configuration is written by its node."""
        path = folder / FILE
        if not path.exists():
            return None
        try:
            content = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise _bad(f"{path}: {error}") from None
        if set(content) != {"pkcs11"}:
            raise _bad(f"{path}: [pkcs11] and nothing else")
        return cls.read(folder, content["pkcs11"])

    def lines(self) -> list[str]:
        """The table as `read` takes it, line by line."""
        paths = {"pin_file": self.pin_file, "first_pin_file": self.first_pin_file}
        texts = {"module": self.module, "token": self.token, "serial": self.serial, **paths}
        found = ["[pkcs11]", *(f"{name} = {_quoted(value)}" for name, value in texts.items() if value)]
        found += [f"{name} = {int(getattr(self, name))}" for name in ("workers", "call_bytes", "call_seconds")]
        told = ", ".join(f"{_quoted(name)} = {_quoted(value)}" for name, value in self.environment.items())
        found.append(f"environment = {{ {told} }}")
        for algorithm, suite in self.suites.items():
            found += ["", f"[pkcs11.{algorithm.name.lower()}]"]
            numbers = {name: getattr(suite, name) for name in _NUMBERS}
            found += [f"{name} = {'false' if number is None else number}" for name, number in numbers.items()]
        return found


def _suites(content: dict[str, Any]) -> dict[Algorithm, Suite]:
    suites = {Algorithm.TDES: _suite("tdes", TDES, content.get("tdes", {}))}
    if "sm4" in content:
        suites[Algorithm.SM4] = _suite("sm4", None, content["sm4"])
    return suites


def _suite(name: str, known: Suite | None, content: Any) -> Suite:
    if not isinstance(content, dict) or set(content) - set(_NUMBERS):
        raise _bad(f"pkcs11.{name}")
    numbers: dict[str, int | None] = {} if known is None else {each: getattr(known, each) for each in _NUMBERS}
    for each, number in content.items():
        if each in ("cbc", "derive") and number is False:
            numbers[each] = None
        elif type(number) is not int or not 0 <= number < 2**32:
            raise _bad(f"pkcs11.{name}.{each}")
        else:
            numbers[each] = number
    key_type, generate, ecb = (numbers.get(each) for each in _NUMBERS[:3])
    if key_type is None or generate is None or ecb is None:
        raise _bad(f"pkcs11.{name}: key_type, generate and ecb")
    return Suite(key_type, generate, ecb, numbers.get("cbc"), numbers.get("derive"))


def _number(content: dict[str, Any], name: str, usual: int, most: int) -> int:
    value = content.get(name, usual)
    if type(value) is not int or not 1 <= value <= most:
        raise _bad(f"pkcs11.{name}")
    return value


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise _bad(f"pkcs11.{name}")
    return value


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def _bad(what: str) -> Refused:
    return Refused(Code.MACHINE_CONFIG_BAD, what=what)
