"""Shares of a sealing secret: how one is written down, who holds which set, and gathering them again (K6).

A share as text: 22 groups of 4 hexadecimal digits over 01 ‖ set 8 ‖ holder 1 ‖ value 32 ‖ the first 2 bytes of SM3 over
these. Blanks and hyphens do not matter, nor does upper or lower case.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from sheka.equipment.encryption_machine.hygiene import keep_off_swap, wipe
from sheka.equipment.encryption_machine.sealed_entry import PUBLIC_BYTES, entry_id_of, seal_for
from sheka.foundation.crypto import shamir
from sheka.foundation.crypto.sm3 import sm3
from sheka.foundation.refusals import Code, Refused

SECRET_BYTES = 32
SET_BYTES = 8
_FORM, _CHECK_BYTES = 1, 2
_BYTES = 1 + SET_BYTES + 1 + SECRET_BYTES + _CHECK_BYTES


@dataclass(frozen=True, slots=True)
class Share:
    """One holder's share: of which set, whose (1 …), its value (32 bytes)."""

    set: bytes
    holder: int
    value: bytes

    def text(self) -> bytes:
        """As the holder writes it down."""
        body = bytes((_FORM,)) + self.set + bytes((self.holder,)) + self.value
        digits = (body + sm3(body)[:_CHECK_BYTES]).hex().upper()
        wipe(body)
        return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4)).encode()

    @classmethod
    def parse(cls, text: bytes, holder: int) -> Share:
        """What a holder entered; `MACHINE_SHARE_WRONG` for anything that is not a share of this holder."""
        found = unwritten(text, _BYTES)
        body = found[:-_CHECK_BYTES] if found else b""
        if not found or found[0] != _FORM or found[-_CHECK_BYTES:] != sm3(body)[:_CHECK_BYTES]:
            raise Refused(Code.MACHINE_SHARE_WRONG, holder=holder)
        share = cls(found[1 : 1 + SET_BYTES], found[1 + SET_BYTES], found[2 + SET_BYTES : -_CHECK_BYTES])
        wipe(found, body)
        if share.holder != holder:
            share.forget()
            raise Refused(Code.MACHINE_SHARE_WRONG, holder=holder)
        return share

    def forget(self) -> None:
        wipe(self.value)


def unwritten(text: bytes, length: int) -> bytes:
    """The bytes that somebody wrote down as hexadecimal digits (or the bytes themselves); empty when it is neither."""
    if len(text) == length:
        return text[:1] + text[1:]
    try:
        found = bytes.fromhex(text.decode("ascii").replace("-", " "))
    except ValueError:
        return b""
    return found if len(found) == length else b""


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who can open a seal: the set's id, how many shares it takes, and a commitment to each holder's share."""

    set: bytes
    threshold: int
    commitments: tuple[bytes, ...]

    def content(self) -> dict[str, Any]:
        """As it stands in a file."""
        return {
            "set": self.set.hex(),
            "threshold": self.threshold,
            "holders": [one.hex() for one in self.commitments],
        }

    @classmethod
    def of(cls, content: dict[str, Any]) -> Sharing:
        """Read from a file; ValueError, KeyError or TypeError when it is none."""
        found = cls(
            bytes.fromhex(content["set"]),
            int(content["threshold"]),
            tuple(bytes.fromhex(one) for one in content["holders"]),
        )
        if len(found.set) != SET_BYTES or not 2 <= found.threshold <= len(found.commitments) <= shamir.MAX_HOLDERS:
            raise ValueError("sharing")
        return found


def share_out(threshold: int, receivers: list[bytes]) -> tuple[Sharing, bytes, list[bytes]]:
    """(the sharing, a new secret of 32 bytes, each holder's share sealed to that receiver's key).

    Receivers are 65-byte P-256 public keys, no two the same.
    """
    need_receivers(threshold, len(receivers), receivers)
    secret, chosen = secrets.token_bytes(SECRET_BYTES), secrets.token_bytes(SET_BYTES)
    values = shamir.split(secret, threshold, len(receivers))
    sealed, commitments = [], []
    for holder, (value, receiver) in enumerate(zip(values, receivers, strict=True), 1):
        text = Share(chosen, holder, value).text()
        sealed.append(seal_for(receiver, entry_id_of(receiver), text))
        commitments.append(shamir.commitment(chosen, holder, value))
        wipe(text, value)
    return Sharing(chosen, threshold, tuple(commitments)), secret, sealed


def need_receivers(threshold: int, parts: int, receivers: list[bytes]) -> None:
    """`MACHINE_SHARING_BAD` unless each part goes to a receiver of its own."""
    shamir.need_sharing(threshold, parts)
    if len(receivers) != parts or len(set(receivers)) != parts or any(len(one) != PUBLIC_BYTES for one in receivers):
        raise Refused(Code.MACHINE_SHARING_BAD, threshold=threshold, parts=parts)


class Gathering:
    """Shares that have come, in memory only, until the threshold is reached or they are wiped."""

    def __init__(self, sharing: Sharing) -> None:
        self.sharing = sharing
        self._values: dict[int, bytes] = {}

    @property
    def came(self) -> tuple[int, ...]:
        """The holders whose shares are there."""
        return tuple(sorted(self._values))

    def add(self, share: Share) -> bool:
        """Take a share; False when its holder had come before. `MACHINE_SHARE_VOID`, `MACHINE_SHARE_WRONG`."""
        sharing = self.sharing
        if share.set != sharing.set:
            raise Refused(Code.MACHINE_SHARE_VOID, holder=share.holder)
        known = sharing.commitments[share.holder - 1] if 1 <= share.holder <= len(sharing.commitments) else b""
        if not hmac.compare_digest(known, shamir.commitment(share.set, share.holder, share.value)):
            raise Refused(Code.MACHINE_SHARE_WRONG, holder=share.holder)
        if share.holder in self._values:
            share.forget()
            return False
        keep_off_swap(share.value)
        self._values[share.holder] = share.value
        return True

    def secret(self) -> bytes | None:
        """The secret, once as many have come as are needed."""
        return shamir.combine(self._values) if len(self._values) >= self.sharing.threshold else None

    def forget(self) -> None:
        """Wipe what has come."""
        wipe(*self._values.values())
        self._values.clear()
