"""The institution's side of a protected line (S4): TLS with its certificate, its working keys, its PIN blocks.

For institutions' software, the story, tests and the bench; plain Python. Here the keys are in clear, as they are in the
institution's own device: what the switch knows of them stays in the bureau's machine.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from sheka.equipment.card_reader.purchase import Purchased
from sheka.foundation.crypto.algorithms import KEY_BYTES, Algorithm
from sheka.foundation.crypto.ciphers import decrypt_ecb
from sheka.foundation.crypto.kcv import check_value
from sheka.foundation.crypto.mac import command_mac
from sheka.foundation.crypto.pin_block import account_digits, make_pin_block
from sheka.foundation.iso8583.chip_data import (
    AMOUNTS,
    CRYPTOGRAM,
    KEY_VERSION,
    MAC1,
    PSAM_SEQUENCE,
    SEQUENCE,
    SESSION,
    pack,
)
from sheka.foundation.refusals import Code, Refused

PIN_FIELDS = {Algorithm.TDES: 52, Algorithm.SM4: 59}


class WorkingKeys:
    """The keys that an institution, or one of its terminals, was given over the line."""

    def __init__(self, algorithm: Algorithm, transport_key: bytes) -> None:
        self.algorithm = algorithm
        self._transport_key = transport_key
        self._mac_key = b""
        self._pin_key = b""

    def take_mac_key(self, field_48: str) -> None:
        """The answer to 0800/161 that asked for a MAC key. Raises Refused(KEY_GIVEN_OUT_WRONG)."""
        self._mac_key = self._open(field_48)

    def take_pin_key(self, field_48: str) -> None:
        """The answer to 0800/161 that asked for a PIN key. Raises Refused(KEY_GIVEN_OUT_WRONG)."""
        self._pin_key = self._open(field_48)

    def mac(self, message: bytes) -> bytes:
        """The 4-byte MAC of a message: what `Terminal` takes as `mac`."""
        return command_mac(self.algorithm, self._mac_key, message)

    def pin_block(self, pin: str, card_number: str) -> bytes:
        """Field 52 (3DES) or 59 (SM4)."""
        return make_pin_block(self.algorithm, self._pin_key, pin, account_digits(card_number))

    def _open(self, field_48: str) -> bytes:
        given = bytes.fromhex(field_48)
        key = decrypt_ecb(self.algorithm, self._transport_key, given[:KEY_BYTES])
        if check_value(self.algorithm, key) != given[KEY_BYTES:]:
            raise Refused(Code.KEY_GIVEN_OUT_WRONG)
        return key


def chip_data_of(purchased: Purchased) -> bytes:
    """Field 55 of a purchase that card and PSAM made (`card_reader.purchase.settle`): TAC, MAC1 and what they sign. The
    message has the terminal, date and time of the settlement in fields 41, 13 and 12.
    """
    return pack(
        [
            (CRYPTOGRAM, purchased.tac),
            (SEQUENCE, purchased.card_sequence),
            (PSAM_SEQUENCE, purchased.terminal_sequence),
            (AMOUNTS, b"".join(amount.to_bytes(4) for amount in purchased.settlement.amounts)),
            (KEY_VERSION, f"DTK/{purchased.tac_version}".encode()),
            (MAC1, purchased.mac1),
            (SESSION, purchased.random + bytes([purchased.key_version])),
        ]
    )


def inside_line(path: Path | None, timeout: float = 10.0) -> Callable[[], socket.socket] | None:
    """What `Terminal` takes as `connect` inside the node: its switch's Unix socket; None where there is none."""
    if path is None:
        return None

    def connect() -> socket.socket:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(timeout)
        try:
            line.connect(str(path))
        except OSError:
            line.close()
            raise Refused(Code.SWITCH_UNREACHABLE, address=str(path)) from None
        return line

    return connect


def secure_line(
    host: str, port: int, *, certificate: Path, key: Path, authority: Path, timeout: float = 10.0
) -> ssl.SSLSocket:
    """A line under TLS with both sides' certificates. Raises Refused: SWITCH_UNREACHABLE, LINE_CERTIFICATE_REFUSED."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(authority)
    context.load_cert_chain(certificate, key)
    try:
        plain = socket.create_connection((host, port), timeout=timeout)
    except OSError:
        raise Refused(Code.SWITCH_UNREACHABLE, address=f"{host}:{port}") from None
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except (ssl.SSLError, OSError) as error:
        plain.close()
        raise Refused(Code.LINE_CERTIFICATE_REFUSED, reason=getattr(error, "reason", None) or str(error)) from None
