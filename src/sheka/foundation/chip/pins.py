"""PIN digits as the card takes them: BCD, an odd last digit filled with F, 2 to 6 bytes (card.md §5)."""

from __future__ import annotations

from sheka.foundation.chip.declarations import PinPolicy
from sheka.foundation.refusals import Code, Refused


def pin_bytes(policy: PinPolicy, digits: str) -> bytes:
    """The bytes of a PIN: `123456` → 12 34 56. Refused(CHIP_PIN_FORM) when it is too short, too long or not digits."""
    data = bytes.fromhex(digits + "F" * (len(digits) % 2)) if digits.isascii() and digits.isdigit() else b""
    if not is_pin(policy, data):
        raise Refused(Code.CHIP_PIN_FORM, minimum=2 * policy.minimum_bytes, maximum=2 * policy.maximum_bytes)
    return data


def is_pin(policy: PinPolicy, data: bytes) -> bool:
    """Whether bytes have the form of a PIN."""
    text = data.hex()
    if text.endswith("f"):
        text = text[:-1]
    return policy.minimum_bytes <= len(data) <= policy.maximum_bytes and text.isdigit()
