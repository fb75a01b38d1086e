"""The encryption machine as the other side of PSAMs and key carrier cards; no key leaves it in clear (K5, K8, H5).

A machine talks to them with the maker's master keys, diversified by the serial. It takes these keys in once, in the
maker's signed envelopes (`take_in`, or an audited action of the key management that calls the same verbs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sheka.equipment.encryption_machine.client import EncryptionMachine
from sheka.equipment.encryption_machine.model import KeyInfo
from sheka.equipment.initialisation.carrier_drawer import MAKER
from sheka.equipment.initialisation.maker import ChipMaker, MasterKey
from sheka.foundation.chip.devices.carrier_state import ALGORITHM
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused

WANTED: tuple[tuple[MasterKey, Algorithm], ...] = (
    (MasterKey.TRANSPORT, Algorithm.SM4),
    (MasterKey.TRANSPORT, Algorithm.TDES),
    (MasterKey.MESSAGING, ALGORITHM),
    (MasterKey.PIN, ALGORITHM),
)
"""The maker's master keys that a machine needs for all of it."""


@dataclass(frozen=True, slots=True)
class MachineCarrierKeys:
    """A machine as the terminal's side of secure messaging with key carrier cards."""

    machine: EncryptionMachine
    messaging: str
    pin: str

    def mac(self, factor: bytes, message: bytes, iv: bytes) -> bytes:
        """MAC, 4 bytes, under the messaging key of the card with that factor."""
        return self.machine.macs(self.messaging, [factor], [message], [iv])[0]

    def enciphered_pin(self, factor: bytes, block: bytes) -> bytes:
        """A PIN block under the PIN key of the card with that factor."""
        return self.machine.cryptograms(self.pin, [factor], [block])[0]


@dataclass(frozen=True, slots=True)
class MachinePsamKeys:
    """A machine that opens PSAMs and writes keys into them."""

    machine: EncryptionMachine
    transport: dict[Algorithm, str]

    def cryptogram(self, algorithm: Algorithm, factor: bytes, challenge: bytes) -> bytes:
        """The proof to a PSAM that the machine holds its transport key, 8 bytes."""
        return self.machine.external_authentication(self.transport[algorithm], [factor], [challenge])[0]

    def wrapped(
        self,
        algorithm: Algorithm,
        factor: bytes,
        challenge: bytes,
        refs: Sequence[str],
        key_ids: Sequence[int],
        versions: Sequence[int],
    ) -> list[bytes]:
        """WRITE KEY data of the keys as they are (empty factor), bound to the challenge: one call for all."""
        transport = self.transport[algorithm]
        return self.machine.wrap_for_chip(refs, key_ids, versions, b"", transport, factor, challenge)


def carrier_keys(machine: EncryptionMachine, maker: str = MAKER) -> MachineCarrierKeys:
    """What `KeyCarrierSession` needs of a machine. Refused(DEVICE_KEYS_MISSING) when the maker's keys are not in it."""
    found = _found(machine, maker)
    return MachineCarrierKeys(
        machine, _need(found, MasterKey.MESSAGING, ALGORITHM), _need(found, MasterKey.PIN, ALGORITHM)
    )


def psam_keys(machine: EncryptionMachine, maker: str = MAKER) -> MachinePsamKeys:
    """What loading a PSAM needs of a machine. Refused(DEVICE_KEYS_MISSING)."""
    found = _found(machine, maker)
    return MachinePsamKeys(machine, {a: _need(found, MasterKey.TRANSPORT, a) for a in Algorithm})


def take_in(machine: EncryptionMachine, maker: ChipMaker) -> list[KeyInfo]:
    """Bring the maker's master keys into a machine; those that it has are left as they are. The keys taken in.

    Raises Refused(DEVICE_KEY_DIFFERS) when a key arrived with another check value than the maker's; it is destroyed.
    """
    found = _found(machine, maker.name)
    missing = [(master, a) for master, a in WANTED if master.key_name(a) not in found]
    if missing and maker.name not in {peer.name for peer in machine.peers()}:
        machine.register_peer(maker.name, maker.public_key, maker.name)
    taken = []
    for master, algorithm in missing:
        envelope = maker.envelope(algorithm, machine.public_key(), master)
        info = machine.import_envelope(envelope, maker.public_key, owner=maker.name)
        if info.check_value != maker.check_value(algorithm, master):
            machine.destroy(info.ref)
            raise Refused(Code.DEVICE_KEY_DIFFERS, key=info.name)
        taken.append(info)
    return taken


def _found(machine: EncryptionMachine, maker: str) -> dict[str, str]:
    return {key.name: key.ref for key in machine.list_keys() if key.owner == maker and not key.destroyed}


def _need(found: dict[str, str], master: MasterKey, algorithm: Algorithm) -> str:
    name = master.key_name(algorithm)
    if name not in found:
        raise Refused(Code.DEVICE_KEYS_MISSING, keys=name)
    return found[name]
