"""The commands of a key carrier card, all but GET DATA under secure messaging (K5; instruction bytes local).

A terminal that does not know the card's messaging key gets no answer but 9302, and no try of the PIN.
"""

from __future__ import annotations

import hmac

from sheka.foundation.chip.apdu import Command, Denied, StatusWord, tries_left
from sheka.foundation.chip.devices.carrier_state import (
    BANK,
    BLOCK_BYTES,
    MUST_CHANGE,
    PIN,
    PIN_BLOCK_BYTES,
    Carrier,
    is_whole_pin,
)
from sheka.foundation.crypto.sm3 import sm3

DIGEST_BYTES = 32
_DIGEST = "digest"


def get_data(carrier: Carrier, command: Command) -> bytes:
    """80CA: the serial, or whether the PIN is to be changed 1 ‖ tries left 1 ‖ files 1 ‖ bytes of a file 2."""
    wanted, objects = command.p1 << 8 | command.p2, carrier.profile.data_objects
    if wanted == objects["serial"]:
        return carrier.serial
    if wanted == objects["state"]:
        size = carrier.profile.file_bytes.to_bytes(2, "big")
        changed = 1 if carrier.memory.get(MUST_CHANGE) else 0
        return bytes((changed, carrier.pin_tries, carrier.profile.files)) + size
    raise Denied(StatusWord.DATA_NOT_FOUND)


def verify(carrier: Carrier, command: Command) -> bytes:
    """8420 00 00: the enciphered PIN, 16 bytes. 63Cx wrong, 6983 locked for good, 6985 the initial PIN: change it."""
    data, challenge = _plain(carrier, command, PIN_BLOCK_BYTES)
    carrier.session.pin_verified = False
    _check_pin(carrier, carrier.deciphered_pin(data, challenge))
    if carrier.memory.get(MUST_CHANGE):
        raise Denied(carrier.profile.pin.initial_status)
    carrier.session.pin_verified = True
    return b""


def change_pin(carrier: Carrier, command: Command) -> bytes:
    """845E 00 00: old and new PIN, each enciphered. 6A80: the new one is no PIN or the old one; 63Cx, 6983."""
    data, challenge = _plain(carrier, command, 2 * PIN_BLOCK_BYTES)
    old = carrier.deciphered_pin(data[:PIN_BLOCK_BYTES], challenge)
    new = carrier.deciphered_pin(data[PIN_BLOCK_BYTES:], challenge)
    if not is_whole_pin(carrier.profile.pin, new) or new == old:
        raise Denied(StatusWord.WRONG_DATA)
    carrier.session.pin_verified = False
    _check_pin(carrier, old)
    carrier.memory.put(PIN, new)
    carrier.memory.put(MUST_CHANGE, None)
    return b""


def open_content(carrier: Carrier, command: Command) -> bytes:
    """84E0 00 00: begin new content in the free bank; what an earlier attempt left there is gone."""
    _plain(carrier, command, 0)
    carrier.need_pin()
    carrier.clear(carrier.free_bank)
    carrier.session.writing = {}
    return b""


def write_block(carrier: Carrier, command: Command) -> bytes:
    """84D6 file block: the next block of a file of the new content; all but a file's last have 240 bytes.

    6985 no content open, 6B00 not the next block of its file, 6A84 beyond the card's files or a file's size, 6700.
    """
    data, _ = carrier.unsecured(command)
    carrier.need_pin()
    written = carrier.session.writing
    if written is None:
        raise Denied(StatusWord.CONDITIONS)
    file, number, bank = command.p1, command.p2, carrier.free_bank
    if not 0 < len(data) <= BLOCK_BYTES:
        raise Denied(StatusWord.WRONG_LENGTH)
    if file > carrier.profile.files or number * BLOCK_BYTES + len(data) > carrier.profile.file_bytes:
        raise Denied(StatusWord.NO_SPACE)
    before = carrier.block(bank, file, number - 1) if number else bytes(BLOCK_BYTES)
    if number != written.get(file, 0) or before is None or len(before) != BLOCK_BYTES:
        raise Denied(StatusWord.WRONG_OFFSET)
    carrier.put_block(bank, file, number, data)
    written[file] = number + 1
    return b""


def close_content(carrier: Carrier, command: Command) -> bytes:
    """84E2 00 00: the digest of all files: the new content takes the old one's place. 6985 none open, 6A80 differs."""
    data, _ = _plain(carrier, command, DIGEST_BYTES)
    carrier.need_pin()
    if carrier.session.writing is None:
        raise Denied(StatusWord.CONDITIONS)
    new, old = carrier.free_bank, carrier.bank
    files = [carrier.file(new, number) for number in range(carrier.profile.files + 1)]
    if not hmac.compare_digest(content_digest(files), data):
        raise Denied(StatusWord.WRONG_DATA)
    carrier.memory.put(BANK, bytes((new,)))
    carrier.memory.put(_DIGEST, data)
    if old:
        carrier.clear(old)
    carrier.session.writing = None
    return b""


def content_state(carrier: Carrier, command: Command) -> bytes:
    """84CA 00 00: number of files written 1 ‖ digest 32 (none: 00 alone) ‖ MAC 4."""
    _, challenge = _plain(carrier, command, 0)
    carrier.need_pin()
    count = 0
    while carrier.bank and count <= carrier.profile.files and carrier.block(carrier.bank, count, 0) is not None:
        count += 1
    return carrier.secured(command, challenge, bytes((count,)) + (carrier.memory.get(_DIGEST) or b""))


def read_block(carrier: Carrier, command: Command) -> bytes:
    """84B0 file block: the block ‖ MAC 4. 6A83 no such block."""
    data, challenge = carrier.unsecured(command)
    carrier.need_pin()
    if data:
        raise Denied(StatusWord.WRONG_LENGTH)
    found = carrier.block(carrier.bank, command.p1, command.p2) if carrier.bank else None
    if found is None:
        raise Denied(StatusWord.RECORD_NOT_FOUND)
    return carrier.secured(command, challenge, found)


def erase(carrier: Carrier, command: Command) -> bytes:
    """84E4 00 00: the card is empty."""
    _plain(carrier, command, 0)
    carrier.need_pin()
    for bank in (1, 2):
        carrier.clear(bank)
    carrier.memory.put(BANK, None)
    carrier.memory.put(_DIGEST, None)
    carrier.session.writing = None
    return b""


def content_digest(files: list[bytes]) -> bytes:
    """SM3 over the files in order, each with its 4-byte length; trailing empty files do not count."""
    while files and not files[-1]:
        files = files[:-1]
    return sm3(b"".join(len(file).to_bytes(4, "big") + file for file in files))


def _check_pin(carrier: Carrier, given: bytes) -> None:
    """Compare and count; the counter is written whether the PIN was right or wrong: the time tells nothing."""
    if not carrier.pin_tries:
        raise Denied(StatusWord.LOCKED)
    right = is_whole_pin(carrier.profile.pin, given) and hmac.compare_digest(carrier.memory.need(PIN), given)
    left = carrier.count("pin", carrier.profile.pin.retry_limit, right=right)
    if not right:
        raise Denied(tries_left(left))


def _plain(carrier: Carrier, command: Command, length: int) -> tuple[bytes, bytes]:
    """(data, challenge) of a command with P1 P2 00 00 and so many bytes of data: 6A86, 6700 otherwise."""
    if command.p1 or command.p2:
        raise Denied(StatusWord.WRONG_P1P2)
    data, challenge = carrier.unsecured(command)
    if len(data) != length:
        raise Denied(StatusWord.WRONG_LENGTH)
    return data, challenge
