"""The maker of the virtual chips: its master keys, its signing key, its count of chips (H3, K5).

The maker is a party of its own, as in the real world: it never sees an issuer's key, and the issuer's encryption
machine gets the master keys from it in signed envelopes, never in clear. Each chip's own key is the master key
diversified by the chip serial; a chip forgets its transport key (KT) when it becomes a card.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from sheka.equipment.encryption_machine.envelopes import seal_envelope
from sheka.equipment.encryption_machine.files import write_secret, write_whole
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.foundation.crypto import sm2
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.refusals import Code, Refused

MAKER_CODE = bytes.fromhex("5348")
"""First bytes of every chip serial: this maker."""
SERIAL_BYTES = 8


class MasterKey(Enum):
    """The maker's master keys: (file, name under which it travels, usage in a machine)."""

    TRANSPORT = ("transport", "KT", Usage.WRAP)
    """Wraps the keys that are written to a chip."""
    MESSAGING = ("messaging", "KM", Usage.MAC)
    """Secure messaging with a key carrier card."""
    PIN = ("pin", "KP", Usage.ENCRYPT)
    """Enciphers the PIN on its way to a key carrier card."""

    @property
    def usage(self) -> Usage:
        return self.value[2]

    def key_name(self, algorithm: Algorithm) -> str:
        """The name under which the key travels and is found in a machine."""
        return f"{self.value[1]}-{algorithm.name}"


class ChipMaker:
    """The maker's office in a folder of mode 0700; its keys are made when first needed, in files of mode 0600."""

    def __init__(self, folder: Path, name: str = "chip-maker") -> None:
        self._folder = folder
        self.name = name

    @property
    def public_key(self) -> bytes:
        """The maker's SM2 public key (65 bytes), by which a machine knows its envelopes."""
        return sm2.public_of(self._secret("signing", sm2.generate_private))

    def transport_key(self, algorithm: Algorithm, chip_serial: bytes) -> bytes:
        """KT of one chip, 16 bytes: burnt into it at manufacture."""
        return self.chip_key(MasterKey.TRANSPORT, algorithm, chip_serial)

    def chip_key(self, master: MasterKey, algorithm: Algorithm, factor: bytes) -> bytes:
        """A chip's own key, 16 bytes, from a master key and the 8 bytes that its serial gives."""
        return diversify(algorithm, self._master(algorithm, master), factor)

    def key_name(self, algorithm: Algorithm) -> str:
        """The name under which the master transport key travels."""
        return MasterKey.TRANSPORT.key_name(algorithm)

    def check_value(self, algorithm: Algorithm, master: MasterKey = MasterKey.TRANSPORT) -> str:
        """Check value of a master key, upper-case hex: read out over the telephone and compared."""
        return check_value(algorithm, self._master(algorithm, master)).hex().upper()

    def envelope(self, algorithm: Algorithm, recipient_public: bytes, master: MasterKey = MasterKey.TRANSPORT) -> bytes:
        """A master key for one encryption machine, sealed to its SM2 key and signed by the maker.

        The machine takes it with `register_peer(maker.name, maker.public_key, maker.name)` and `import_envelope`.
        """
        key = self._master(algorithm, master)
        info = KeyInfo(
            ref="",
            name=master.key_name(algorithm),
            algorithm=algorithm,
            usage=master.usage,
            version=1,
            owner=self.name,
            check_value=self.check_value(algorithm, master),
            diversified=True,
        )
        return seal_envelope(self._secret("signing", sm2.generate_private), recipient_public, key, info)

    def next_serials(self, count: int) -> list[bytes]:
        """The next chip serials, never given twice, also when two makers work in one folder."""
        width = SERIAL_BYTES - len(MAKER_CODE)
        return [MAKER_CODE + number.to_bytes(width, "big") for number in self.next_numbers(count)]

    def next_numbers(self, count: int, series: str = "counter") -> range:
        """The next `count` numbers of a series, from 1 on, never given twice."""
        with locked(self._folder):
            path = self._folder / series
            first = int(path.read_text("ascii")) + 1 if path.exists() else 1
            write_whole(path, str(first + count - 1).encode("ascii"))
        return range(first, first + count)

    def _master(self, algorithm: Algorithm, master: MasterKey) -> bytes:
        return self._secret(f"{master.value[0]}-{algorithm.name.lower()}", lambda: secrets.token_bytes(KEY_BYTES))

    def _secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        path = self._folder / f"{name}.key"
        if not path.exists():
            with locked(self._folder):
                if not path.exists():
                    write_secret(path, make())
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise Refused(Code.DRAWER_KEY_EXPOSED, path=path.name, mode=f"{mode:04o}")
        return bytes.fromhex(path.read_text("ascii"))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Alone in a folder, which is made if need be (mode 0700): others wait."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
