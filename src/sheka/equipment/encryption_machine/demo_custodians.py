"""The custodians of a demonstration: two of three shares in a file beside the machine, so that nobody has to come (H5).

Never for production: who has this file and the store has the keys. A node that is no demonstration waits for its
people.
"""

from __future__ import annotations

from pathlib import Path

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.files import overwrite, write_whole
from sheka.equipment.encryption_machine.sealed_entry import entry_id_of, new_key, open_with, seal_for

THRESHOLD, HOLDERS = 2, 3
SHARES, SEALING = "demo.shares", "sealing.secret"


def open_for_demo(machine: EncryptionMachine, secrets: Path) -> bool:
    """Unseal the machine, whether it is open now. `secrets` is its folder of secrets.

    A new machine, or one that an earlier version opened by a sealing secret, is shared out first. One whose shares are
    with people by now stays sealed until they come.
    """
    info = machine.describe()
    if not info.threshold:
        _share_out(machine, secrets)
        return True
    path = secrets / SHARES
    is_sealed = info.sealed
    if is_sealed and path.exists():
        for holder, text in enumerate(path.read_bytes().splitlines()[:THRESHOLD], 1):
            key = machine.entry_key()
            is_sealed = machine.unseal(holder, key.id, seal_for(key.public_key, key.id, text)).sealed
    return not is_sealed


def _share_out(machine: EncryptionMachine, secrets: Path) -> None:
    """The shares are on the disk before they are in force; then the sealing secret of an earlier version goes."""
    holders = [new_key() for _ in range(HOLDERS)]
    offered = machine.offer_shares(THRESHOLD, [public for _, public in holders])
    texts = [
        open_with(private, entry_id_of(public), sealed)
        for (private, public), sealed in zip(holders, offered.sealed, strict=True)
    ]
    write_whole(secrets / SHARES, b"\n".join(texts) + b"\n")
    machine.confirm_shares(offered.set)
    overwrite(secrets / SEALING)
    (secrets / SEALING).unlink(missing_ok=True)
