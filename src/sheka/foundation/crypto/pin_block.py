"""PIN blocks on the line (S4): ISO 9564-1 format 0 under 3DES, format 4 under SM4.

The account part binds a block to its card. A social security card has no account number of digits alone, so its part is
local: `account_digits` of the card number. Format 4 is defined for AES; with SM4, whose block has the same 16 bytes, it
is used unchanged.
"""

from __future__ import annotations

import secrets

from sheka.foundation.crypto.algorithms import Algorithm, block_bytes
from sheka.foundation.crypto.ciphers import decrypt_ecb, encrypt_ecb
from sheka.foundation.refusals import Code, Refused

ACCOUNT_DIGITS = 12
LEAST, MOST = 4, 12
"""Digits of a PIN (ISO 9564-1)."""


def account_digits(card_number: str) -> bytes:
    """The account part of a card number: its first eight characters read in base 36, the last 12 decimal digits.

    >>> account_digits("D2143569X")
    b'023155029233'
    """
    return b"%012d" % (int(card_number[:8], 36) % 10**ACCOUNT_DIGITS)


def make_pin_block(algorithm: Algorithm, key: bytes, pin: str, account: bytes) -> bytes:
    """The enciphered block of a PIN of 4 to 12 digits; `account` 12 ASCII digits. 8 bytes 3DES, 16 bytes SM4.

    Raises Refused(CHIP_PIN_FORM).
    """
    if not (pin.isascii() and pin.isdigit() and LEAST <= len(pin) <= MOST):
        raise Refused(Code.CHIP_PIN_FORM, minimum=LEAST, maximum=MOST)
    if algorithm is Algorithm.TDES:
        plain = bytes.fromhex(f"0{len(pin):X}{pin}".ljust(16, "F"))
        return encrypt_ecb(algorithm, key, _xor(plain, _account_block(algorithm, account)))
    plain = bytes.fromhex(f"4{len(pin):X}{pin}".ljust(16, "A")) + secrets.token_bytes(8)
    return encrypt_ecb(algorithm, key, _xor(encrypt_ecb(algorithm, key, plain), _account_block(algorithm, account)))


def open_pin_block(algorithm: Algorithm, key: bytes, block: bytes, account: bytes) -> bytes | None:
    """The digits of a block as ASCII, or None when it is no block of this key and account. For the machine alone."""
    if len(block) != block_bytes(algorithm):
        return None
    plain = _xor(decrypt_ecb(algorithm, key, block), _account_block(algorithm, account))
    form, filler = "0", "f"
    if algorithm is Algorithm.SM4:
        plain = decrypt_ecb(algorithm, key, plain)
        form, filler = "4", "a"
    text = plain[:8].hex()
    length = int(text[1], 16)
    pin, rest = text[2 : 2 + length], text[2 + length :]
    if text[0] != form or not LEAST <= length <= MOST or not pin.isdigit() or rest.strip(filler):
        return None
    return pin.encode()


def _account_block(algorithm: Algorithm, account: bytes) -> bytes:
    """Format 0: 0000 ‖ 12 digits. Format 4: length beyond 12 (0) ‖ 12 digits ‖ zeros, 16 bytes."""
    digits = account.decode("ascii", "replace")
    if len(digits) != ACCOUNT_DIGITS or not digits.isdigit():
        raise Refused(Code.CRYPTO_KEY_LENGTH, what="account", expected=ACCOUNT_DIGITS, got=len(digits))
    text = f"0000{digits}" if algorithm is Algorithm.TDES else f"0{digits}".ljust(32, "0")
    return bytes.fromhex(text)


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(len(left))
