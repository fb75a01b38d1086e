"""PIN blocks of ISO 9564-1, formats 0 (with the account number) and 2 (into a chip), never a PIN in clear (C1)."""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused

LEAST_DIGITS = 4
MOST_DIGITS = 12


def encode_format0(pin: str, pan: str) -> bytes:
    """Format 0: 0 ‖ length ‖ PIN ‖ F…, XOR 0000 ‖ the 12 digits of the account number before its check digit.

    >>> encode_format0("1234", "5555551234567890").hex()
    '041261aedcba9876'
    """
    return _xor(_filled(0, pin), _account(pan))


def decode_format0(block: bytes, pan: str) -> str:
    """The PIN of a format 0 block; `CRYPTO_PIN_BLOCK` when block and account number do not belong together."""
    _need_block(block)
    return _pin_of(0, _xor(block, _account(pan)))


def encode_format2(pin: str) -> bytes:
    """Format 2: 2 ‖ length ‖ PIN ‖ F….

    >>> encode_format2("9999").hex()
    '249999ffffffffff'
    """
    return _filled(2, pin)


def decode_format2(block: bytes) -> str:
    """The PIN of a format 2 block; `CRYPTO_PIN_BLOCK` when it is not one."""
    _need_block(block)
    return _pin_of(2, block)


def _filled(control: int, pin: str) -> bytes:
    if not (LEAST_DIGITS <= len(pin) <= MOST_DIGITS and pin.isascii() and pin.isdigit()):
        raise Refused(Code.CRYPTO_PIN, low=LEAST_DIGITS, high=MOST_DIGITS)
    return bytes.fromhex(f"{control:x}{len(pin):x}{pin}".ljust(16, "f"))


def _account(pan: str) -> bytes:
    if not (13 <= len(pan) <= 19 and pan.isascii() and pan.isdigit()):
        raise Refused(Code.CRYPTO_ACCOUNT, got=len(pan))
    return bytes.fromhex(f"0000{pan[-13:-1]}")


def _need_block(block: bytes) -> None:
    if len(block) != 8:
        raise Refused(Code.CRYPTO_PIN_BLOCK, reason=f"8 bytes expected, {len(block)} given")


def _pin_of(control: int, filled: bytes) -> str:
    digits = filled.hex()
    length = int(digits[1], 16)
    pin, fill = digits[2 : 2 + length], digits[2 + length :]
    right = digits[0] == str(control) and LEAST_DIGITS <= length <= MOST_DIGITS
    if not (right and pin.isdigit() and not fill.strip("f")):
        raise Refused(Code.CRYPTO_PIN_BLOCK, reason="control, length, digits or filling are wrong")
    return pin


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
