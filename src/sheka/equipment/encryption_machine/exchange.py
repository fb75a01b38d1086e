"""The machine among machines: its SM2 device key, registered peers, envelopes out and in (K1-K3, K6)."""

from __future__ import annotations

from typing import Any

from sheka.equipment.encryption_machine import envelopes
from sheka.equipment.encryption_machine.hygiene import wipe
from sheka.equipment.encryption_machine.keystore import KeyStore, need_naming
from sheka.equipment.encryption_machine.model import KeyInfo, Peer, Verb
from sheka.equipment.encryption_machine.records import Record, Records
from sheka.equipment.encryption_machine.rights import Caller
from sheka.equipment.encryption_machine.work import need_movable
from sheka.foundation.crypto import sm2
from sheka.foundation.refusals import Code, Refused

_DEVICE = "device"
_PEER = "peer-"


class Exchange:
    """Signing, peers and envelopes. The device key is made when the machine first starts."""

    def __init__(self, records: Records, keys: KeyStore) -> None:
        self._records, self._keys = records, keys
        self._device = records.get(_DEVICE) or self._make_device_key()
        self._public = bytes.fromhex(self._device.attributes["public_key"])

    def _make_device_key(self) -> Record:
        private = sm2.generate_private()
        public = sm2.public_of(private).hex()
        try:
            with self._records.lock:
                return self._records.commit(
                    _DEVICE,
                    {"public_key": public},
                    private,
                    caller="",
                    verb="CREATE_DEVICE_KEY",
                    facts={"public_key": public},
                )
        finally:
            wipe(private)

    @property
    def fingerprint(self) -> str:
        return envelopes.fingerprint(self._public)

    def public_key(self, caller: Caller) -> bytes:
        return self._public

    def sign(self, caller: Caller, message: bytes) -> bytes:
        """Under the default identity: never a valid signature of an envelope."""
        with self._records.revealed(self._device) as private:
            return sm2.sign(private, message)

    def register_peer(self, caller: Caller, name: str, public: bytes, owner: str) -> Peer:
        need_naming(name, 1, owner)
        sm2.need_public(public)
        peer = Peer(name, public.hex(), owner)
        with self._records.lock:
            if any(name == other.name or peer.public_key == other.public_key for other in self._living()):
                raise Refused(Code.MACHINE_PEER_EXISTS, name=name)
            self._put(caller, Verb.REGISTER_PEER, peer, removed=False)
        return peer

    def peers(self, caller: Caller) -> list[Peer]:
        with self._records.lock:
            return self._living()

    def remove_peer(self, caller: Caller, name: str) -> Peer:
        with self._records.lock:
            for peer in self._living():
                if peer.name == name:
                    self._put(caller, Verb.REMOVE_PEER, peer, removed=True)
                    return peer
        raise Refused(Code.MACHINE_PEER_UNKNOWN, fingerprint=name)

    def export_envelope(self, caller: Caller, ref: str, recipient: bytes) -> bytes:
        stored = self._keys.living(caller, ref, Verb.EXPORT_ENVELOPE)
        need_movable(stored)
        peer = self._peer(recipient)
        _need_owner(peer, stored.info.owner)
        with self._keys.opened(stored) as key, self._records.revealed(self._device) as private:
            envelope = envelopes.seal_envelope(private, recipient, key, stored.info)
        facts: dict[str, Any] = {
            "ref": ref,
            "name": stored.info.name,
            "version": stored.info.version,
            "owner": stored.info.owner,
            "check_value": stored.info.check_value,
            "recipient": peer.name,
            "envelope": envelopes.read_envelope(envelope).identifier,
        }
        with self._records.lock:
            self._records.note(caller=caller.name, verb=Verb.EXPORT_ENVELOPE.name, facts=facts)
        return envelope

    def import_envelope(self, caller: Caller, envelope: bytes, sender: bytes, name: str, owner: str) -> KeyInfo:
        """`name` and `owner`, when given, are what the importer expects; another envelope is refused."""
        peer = self._peer(sender)
        found = envelopes.read_envelope(envelope)
        info = found.info
        with self._records.revealed(self._device) as private:
            key = envelopes.open_envelope(found, private, sender)
        try:
            _need_owner(peer, info.owner)
            if owner and owner != info.owner:
                raise Refused(Code.MACHINE_ENVELOPE_OWNER, got=info.owner, expected=owner)
            if name and name != info.name:
                raise Refused(Code.MACHINE_ENVELOPE_NAME, got=info.name, expected=name)
            return self._keys.take_in(caller, info, key, found.identifier, peer.name)
        finally:
            wipe(key)

    def _peer(self, public: bytes) -> Peer:
        with self._records.lock:
            for peer in self._living():
                if peer.public_key == public.hex():
                    return peer
        raise Refused(Code.MACHINE_PEER_UNKNOWN, fingerprint=envelopes.fingerprint(public))

    def _living(self) -> list[Peer]:
        found = [record.attributes for record in self._records.all() if record.target.startswith(_PEER)]
        return [Peer(one["name"], one["public_key"], one["owner"]) for one in found if not one["removed"]]

    def _put(self, caller: Caller, verb: Verb, peer: Peer, *, removed: bool) -> None:
        target = _PEER + envelopes.fingerprint(bytes.fromhex(peer.public_key)).lower()
        attributes = {"name": peer.name, "public_key": peer.public_key, "owner": peer.owner}
        self._records.commit(
            target, attributes | {"removed": removed}, b"", caller=caller.name, verb=verb.name, facts=attributes
        )


def _need_owner(peer: Peer, owner: str) -> None:
    if peer.owner and peer.owner != owner:
        raise Refused(Code.MACHINE_PEER_OWNER, peer=peer.name, allowed=peer.owner, owner=owner)
