"""A partner's terminal over ISO 8583 (docs/systems/transactions.md): sign-on, purchase, reversal; none of our code.

The MAC is the SM4 CBC-MAC, padding 2, four bytes, over everything before field 64, under the institution's key.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

LENGTHS = {
    3: 6,
    4: 12,
    7: 10,
    11: 6,
    12: 6,
    13: 4,
    15: 4,
    19: 3,
    37: 12,
    38: 6,
    39: 2,
    41: 12,
    42: 15,
    49: 3,
    64: 8,
    70: 3,
}
LENGTHS |= {90: 42, 128: 8}
PREFIXED = {44: 2, 54: 3, 60: 3, 62: 3, 63: 3}
"""Fields with so many digits of length before them."""
CHINA = timezone(timedelta(hours=8))
Mac = Callable[[bytes], bytes]


def sm4_mac(key: bytes) -> Mac:
    """The MAC under a key in clear, for an institution that keeps its key in software."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def mac(message: bytes) -> bytes:
        padded = message + b"\x80" + bytes(-(len(message) + 1) % 16)
        return Cipher(algorithms.SM4(key), modes.CBC(bytes(16))).encryptor().update(padded)[-16:-12]

    return mac


class Terminal:
    """One terminal with one line; `lengths` of the fields stand in the interface documentation."""

    def __init__(self, host: str, port: int, number: str, institution: str, mac: Mac) -> None:
        self._line = socket.create_connection((host, port), timeout=10)
        self._number, self._institution, self._mac, self._stan = number, institution.ljust(15), mac, 0

    def close(self) -> None:
        self._line.close()

    def sign_on(self) -> dict[int, str]:
        return self._ask("0800", {**self._head(), 70: "001"}, only=(7, 11, 41, 42, 70))

    def purchase(self, card_number: str, amount_fen: int) -> tuple[dict[int, str], dict[int, str]]:
        """The question (keep it until it is answered) and the answer; field 39 is "00" when it is approved."""
        asked = {**self._head(), 3: "000000", 4: f"{amount_fen:012d}", 49: "156", 60: "310", 62: card_number}
        return asked, self._ask("0200", asked)

    def reverse(self, asked: dict[int, str]) -> dict[int, str]:
        """Take it back; "25": it never arrived and never will be accepted."""
        return self._ask("0400", {**asked, 90: f"0200{asked[11]}{asked[7]}{0:022d}"})

    def _head(self) -> dict[int, str]:
        self._stan, now = self._stan + 1, datetime.now(CHINA)
        return {
            7: f"{now:%m%d%H%M%S}",
            11: f"{self._stan:06d}",
            12: f"{now:%H%M%S}",
            13: f"{now:%m%d}",
            19: "156",
            37: f"{self._stan:012d}",
            41: self._number,
            42: self._institution,
        }

    def _ask(self, kind: str, fields: dict[int, str], only: tuple[int, ...] = ()) -> dict[int, str]:
        chosen = {number: fields[number] for number in only or fields}
        message = _encoded(kind, chosen, 128 if max(chosen) > 64 else 64)
        message += self._mac(message) + bytes(4)
        self._line.sendall(len(message).to_bytes(2) + message)
        while True:
            answer = self._exactly(int.from_bytes(self._exactly(2)))
            if self._mac(answer[:-8]) != answer[-8:-4]:
                raise ValueError("the answer is not the switch's: its outcome is unknown, reverse")
            found = _decoded(answer)
            if _answers(answer[:4].decode(), found, kind, chosen):
                return found  # else a late answer to another message, or a recorded one: wait on

    def _exactly(self, size: int) -> bytes:
        held = b""
        while len(held) < size:
            piece = self._line.recv(size - len(held))
            if not piece:
                raise ConnectionError("the outcome is unknown: reverse")
            held += piece
        return held


def _answers(came: str, found: dict[int, str], kind: str, asked: dict[int, str]) -> bool:
    """Whether it is the answer to what was asked: a right MAC alone says only that the switch once said it."""
    echoed = (3, 4, 7, 11, 13, 37, 41, 42, 49, 62, 70)
    same = all(found.get(number, asked[number]) == asked[number] for number in echoed if number in asked)
    return came == f"{kind[:2]}{int(kind[2]) + 1}0" and 11 in found and same


def _encoded(kind: str, fields: dict[int, str], mac_field: int) -> bytes:
    """Everything but the MAC, whose bit is set."""
    wide = mac_field == 128
    bits = sum(1 << (128 - number) for number in (*fields, mac_field)) | (1 << 127 if wide else 0)
    bitmap = bits.to_bytes(16)[: 16 if wide else 8]
    body = b""
    for number in sorted(fields):
        text = fields[number]
        body += (f"{len(text):0{PREFIXED[number]}d}{text}" if number in PREFIXED else text).encode("ascii")
    return kind.encode() + bitmap + body


def _decoded(message: bytes) -> dict[int, str]:
    wide = bool(message[4] & 0x80)
    start = 20 if wide else 12
    bits = int.from_bytes(message[4:start])
    width = 128 if wide else 64
    found, at = {}, start
    for number in range(2, width + 1):
        if bits >> (width - number) & 1:
            size = LENGTHS.get(number, 0)
            if number in PREFIXED:
                digits = PREFIXED[number]
                size, at = int(message[at : at + digits]), at + digits
            found[number] = message[at : at + size].decode("latin-1")
            at += size
    return found
