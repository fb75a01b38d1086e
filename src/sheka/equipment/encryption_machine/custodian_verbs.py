"""The client's verbs for custodians and their ceremonies: unsealing, shares, components, back-up (H5, K6).

Shares and components pass as sealed entries (`sealed_entry.py`): what holds this client, the web process say, never
sees one in clear.

    key = machine.entry_key()
    sealed = seal_for(key.public_key, key.id, share)        # in the custodian's browser
    machine.unseal(2, key.id, sealed)                       # Progress(presented=1, needed=2, sealed=True)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

from sheka.equipment.encryption_machine import custodian_requests as requests
from sheka.equipment.encryption_machine.model import Backup, EntryKey, KeyInfo, Progress, SharesOffered, Usage
from sheka.equipment.encryption_machine.requests import Request
from sheka.foundation.crypto.algorithms import Algorithm

T = TypeVar("T")


class CustodianVerbs(ABC):
    """Verbs that people call one by one; the blocking client has them, the switch's asyncio client does not."""

    @abstractmethod
    def _do(self, request: Request[T]) -> T: ...

    def entry_key(self) -> EntryKey:
        """A fresh one-time key for one sealed entry, good for ten minutes."""
        return self._do(requests.entry_key())

    # the seal

    def unseal(self, holder: int, entry: bytes, sealed: bytes) -> Progress:
        """Present the share of one holder (1 …) as a sealed entry.

        A wrong share is `MACHINE_SHARE_WRONG` with its holder, one of an earlier sharing `MACHINE_SHARE_VOID`; the same
        holder twice counts once. What was gathered is wiped when the threshold is not reached in time (15 minutes).
        """
        return self._do(requests.unseal(holder, entry, sealed))

    def seal(self) -> Progress:
        """Forget all keys until the custodians come again; `MACHINE_SHARES_NONE` for a machine never shared out."""
        return self._do(requests.seal())

    def share_out(self, threshold: int, receivers: Sequence[bytes]) -> list[bytes]:
        """Share the seal anew: any `threshold` of the receivers (65-byte P-256 public keys) unseal from now on.

        Each answer is one holder's share as text, sealed to that receiver's key (`sealed_entry.open_with`). Earlier
        shares, or the sealing secret in a file, are void afterwards. On a new machine this makes its store.
        """
        offered = self.offer_shares(threshold, receivers)
        self.confirm_shares(offered.set)
        return offered.sealed

    def offer_shares(self, threshold: int, receivers: Sequence[bytes]) -> SharesOffered:
        """The first half of `share_out`: the shares have no force yet, the seal is as it was."""
        return self._do(requests.offer_shares(threshold, receivers))

    def confirm_shares(self, offered: bytes) -> Progress:
        """The second half: put the offered set in force, once its shares have arrived where they are kept."""
        return self._do(requests.confirm_shares(offered))

    # back-up

    def back_up(self, threshold: int, receivers: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
        """(the whole store wrapped, the shares that open it sealed to each receiver); logged with the log's head."""
        found: Backup = self._do(requests.back_up(threshold, receivers))
        return found.content, found.shares

    def restore(self, content: bytes) -> Progress:
        """Hand a back-up to a new machine; the holders of its shares then unseal it as usual."""
        return self._do(requests.restore(content))

    # components

    def begin_components(
        self,
        name: str,
        algorithm: Algorithm,
        usage: Usage,
        version: int = 1,
        owner: str = "",
        scheme: str = "xor",
        parts: int = 2,
        threshold: int = 0,
        *,
        diversified: bool = False,
        movable: bool = False,
    ) -> str:
        """Begin the entry of a key in parts: reference of the entry, which is wiped after 30 minutes.

        `scheme` "xor": every part is needed (`threshold` 0 or `parts`); "shamir": any `threshold` of `parts`.
        """
        return self._do(
            requests.begin_components(
                name, algorithm, usage, version, owner, diversified, movable, scheme, parts, threshold
            )
        )

    def enter_component(self, ref: str, part: int, entry: bytes, sealed: bytes) -> str:
        """Enter one part (1 …) as a sealed entry, 16 bytes or 32 hexadecimal digits; its check value (hex)."""
        return self._do(requests.enter_component(ref, part, entry, sealed))

    def finish_components(self, ref: str, check_value: str = "") -> KeyInfo:
        """Join the parts into the key. With `check_value` another joint check value is refused and nothing is kept."""
        return self._do(requests.finish_components(ref, check_value))

    def cancel_components(self, ref: str) -> None:
        """Wipe what was entered."""
        self._do(requests.cancel_components(ref))

    def generate_components(
        self, algorithm: Algorithm, scheme: str, parts: int, threshold: int, receivers: Sequence[bytes]
    ) -> list[bytes]:
        """Random parts of a key that this machine does not keep, each sealed to one custodian (text of 32 hex digits).

        The log has each part's check value and the joint one.
        """
        return self._do(requests.generate_components(algorithm, scheme, parts, threshold, receivers))
