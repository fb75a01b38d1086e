"""Keys and cryptograms of the financial application, 3DES (C1, C2; EMV 4.3 Book 2, PBOC 3.0 part 7)."""

from __future__ import annotations

from sheka.foundation.crypto import tdes
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.crypto.checks import need_length
from sheka.foundation.crypto.diversify import diversify
from sheka.foundation.crypto.mac import mac_iso9797
from sheka.foundation.refusals import Code, Refused

_EMPTY = bytes(16)


def account_factor(pan: str, sequence: str = "00") -> bytes:
    """The 8-byte factor Y: the rightmost 16 digits of account number ‖ sequence number, zeros before (A1.4.1).

    >>> account_factor("6217004220000843361", "01").hex()
    '0422000084336101'
    """
    digits = pan + sequence
    if not (digits.isascii() and digits.isdigit() and len(sequence) == 2):
        raise Refused(Code.CRYPTO_ACCOUNT, got=len(pan))
    return bytes.fromhex(digits[-16:].zfill(16))


def icc_master_key(issuer_key: bytes, pan: str, sequence: str = "00") -> bytes:
    """Option A: the 16-byte master key of one card, with odd parity (A1.4.1). PBOC is the same without parity."""
    return tdes.adjust_parity(diversify(Algorithm.TDES, issuer_key, account_factor(pan, sequence)))


def common_session_key(master_key: bytes, value: bytes) -> bytes:
    """Common session key (A1.3.1): 8-byte `value` with byte 3 = F0, then 0F, both encrypted; odd parity."""
    need_length(value, 8, "diversification value")
    halves = b"".join(value[:2] + mark + value[3:] for mark in (b"\xf0", b"\x0f"))
    return tdes.adjust_parity(tdes.encrypt_ecb(master_key, halves))


def visa_session_key(master_key: bytes, counter: bytes) -> bytes:
    """Visa's secure-messaging session key: the 2-byte ATC XORed into the left half, its complement into the right."""
    need_length(counter, 2, "ATC")
    need_length(master_key, 16, "ICC master key")
    complement = bytes(0xFF - value for value in counter)
    return tdes.adjust_parity(_xor(master_key, bytes(6) + counter + bytes(6) + complement))


def tree_session_key(master_key: bytes, counter: bytes, *, height: int = 8, branch: int = 4) -> bytes:
    """EMV2000 session key tree (EMV 4.1 Book 2 A1.3), for cards that still use it; `counter` is the ATC, 2 bytes."""
    need_length(counter, 2, "ATC")
    need_length(master_key, 16, "ICC master key")
    if branch < 2 or branch**height < 0x10000:
        raise Refused(Code.CRYPTO_INPUT_LENGTH, what="session key tree", expected=0x10000, got=branch**height)
    number = int.from_bytes(counter, "big")
    grandparent, parent = _EMPTY, master_key
    for level in range(height - 1, -1, -1):
        step = number // branch**level % branch
        shift = _xor(grandparent, bytes(7) + bytes([step]) + bytes(7) + bytes([step ^ 0xF0]))
        child = tdes.encrypt_ecb(parent, shift)
        grandparent, parent, older = parent, child, grandparent
    return tdes.adjust_parity(_xor(parent, older))


def application_cryptogram(session_key: bytes, data: bytes, *, padding: int = 2) -> bytes:
    """ARQC, TC or AAC: 8-byte ISO 9797-1 algorithm 3 MAC over the transaction data (8.1.2)."""
    return mac_iso9797(3, session_key, data, padding=padding)


def response_cryptogram(key: bytes, cryptogram: bytes, response_code: bytes) -> bytes:
    """ARPC method 1 (8.2.1): 3DES, by session or card key, of the 8-byte ARQC XOR the 2-byte response code ‖ zeros."""
    need_length(cryptogram, 8, "ARQC")
    need_length(response_code, 2, "response code")
    return tdes.encrypt_ecb(key, _xor(cryptogram, response_code + bytes(6)))


def script_mac(session_key: bytes, command: bytes, *, length: int = 8) -> bytes:
    """The MAC of an issuer script command (9.2): algorithm 3, padding 2, leftmost `length` (4 to 8) bytes."""
    return mac_iso9797(3, session_key, command, length=length)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
