"""Secure messaging for both sides: class bit 04, a 4-byte MAC behind the data (card.md §5, §6; JR/T 0025).

The MAC covers CLA INS P1 P2 Lc ‖ data, Lc counting the MAC; its IV is the card's challenge followed by zero bytes. The
data themselves travel in clear (local: nothing public says that a card file is written enciphered).
"""

from __future__ import annotations

from collections.abc import Callable

from sheka.foundation.chip.apdu import SHORT_DATA, Command
from sheka.foundation.chip.authentication import MAC_BYTES, initial_value
from sheka.foundation.crypto.algorithms import Algorithm, block_bytes
from sheka.foundation.crypto.ciphers import encrypt_ecb
from sheka.foundation.refusals import Code, Refused

SECURED = 0x04
CHALLENGE_BYTES = 4

MacOf = Callable[[bytes, bytes], bytes]
"""(message, IV of one cipher block) → 4-byte MAC: an encryption machine, a PSAM, or a key in a test."""


def is_secured(command: Command) -> bool:
    """Whether the command's class says that it carries a MAC."""
    return bool(command.cla & SECURED)


def mac_message(header: bytes, data: bytes) -> bytes:
    """What the MAC of a command covers: CLA INS P1 P2 ‖ Lc (data and MAC) ‖ data.

    >>> mac_message(bytes.fromhex("04DC0104"), b"ab").hex()
    '04dc0104066162'
    """
    length = len(data) + MAC_BYTES
    if len(header) != 4 or length > SHORT_DATA:
        raise Refused(Code.CHIP_APDU_FORM, reason=f"{len(data)} bytes of data under secure messaging")
    return header + bytes((length,)) + data


def protect(command: Command, algorithm: Algorithm, challenge: bytes, mac_of: MacOf) -> Command:
    """The terminal's side: the command with the class bit set and the MAC behind its data.

    Parameters
    ----------
    challenge : 4 bytes from GET CHALLENGE (8 are taken too), fetched for this command: the card uses it once.
    mac_of : computes the MAC under the key that the command needs (the file's UK, or STK for blocking).
    """
    secured = Command(command.cla | SECURED, command.ins, command.p1, command.p2, command.data, command.le)
    mac = mac_of(mac_message(secured.header, command.data), initial_value(algorithm, challenge))
    if len(mac) != MAC_BYTES:
        raise Refused(Code.CHIP_FORMULA_INPUT, what="MAC", expected=MAC_BYTES, got=len(mac))
    return secured.with_data(command.data + mac)


def pin_block(algorithm: Algorithm, pin: bytes) -> bytes:
    """A PIN to be enciphered: length 1 ‖ PIN ‖ 80 ‖ 00 … up to one cipher block (JR/T 0025 padding; local)."""
    block = block_bytes(algorithm)
    if not 0 < len(pin) <= block - 2:
        raise Refused(Code.CHIP_FORMULA_INPUT, what="PIN", expected=block - 2, got=len(pin))
    return (bytes((len(pin),)) + pin + b"\x80").ljust(block, b"\0")


def read_pin_block(block: bytes) -> bytes | None:
    """The PIN of a deciphered block, None when the block is not as `pin_block` makes it."""
    length = block[0] if block else 0
    if not 0 < length <= len(block) - 2 or block[1 + length] != 0x80 or any(block[2 + length :]):
        return None
    return block[1 : 1 + length]


def enciphered_pin(algorithm: Algorithm, puk16: bytes, pin: bytes) -> bytes:
    """The data of a PIN reload before its MAC: the PIN block under the card's PUK."""
    return encrypt_ecb(algorithm, puk16, pin_block(algorithm, pin))
