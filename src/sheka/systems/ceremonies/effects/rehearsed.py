"""The key system's part of a script, played on the test machine and a test card of a rehearsal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sheka.equipment.card_reader.key_carrier import KeyCarrierSession, described
from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.equipment.initialisation.carrier_drawer import CarrierDrawer
from sheka.equipment.initialisation.device_keys import carrier_keys, take_in
from sheka.foundation.chip.devices.profile import DeviceKind
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.systems.ceremonies.rehearsals import folder_of
from sheka.systems.ceremonies.run import Run
from sheka.systems.keys.catalogue import machine_name

FACTOR = bytes.fromhex("0123456789ABCDEF")
"""The factor of a recipient that there is not."""
RECIPIENT = "rehearsal"


def generate(run: Run) -> list[dict[str, Any]]:
    """Roots of the plan's names; what is there after an interruption is taken up."""
    return [_row(info) for info in _roots(run)]


def export(run: Run, pin: str) -> list[dict[str, Any]]:
    """Sub-keys of an invented recipient, in envelopes, onto the rehearsal's own card; the PIN typed becomes its PIN."""
    machine = run.device
    if RECIPIENT not in {peer.name for peer in machine.peers()}:
        machine.register_peer(RECIPIENT, machine.public_key())
    children = [_child(run, root) for root in _roots(run)]
    envelopes = [machine.export_envelope(info.ref, machine.public_key()) for info in children]
    with _card(run, pin) as card:
        card.write_envelopes(envelopes, run.ceremony.number)
    return [_row(info) for info in children]


def import_(run: Run, pin: str) -> list[dict[str, Any]]:
    """What an export would have brought: written to the rehearsal's own card, read back."""
    rows = export(run, pin)
    with _card(run, pin) as card:
        carried = card.read_envelopes()
    values = [described(envelope).check_value for envelope in carried]
    if values != [row["check_value"] for row in rows]:
        raise Refused(Code.CEREMONY_VALUE, got=", ".join(values))
    return rows


def destroy(run: Run) -> list[dict[str, Any]]:
    """The roots of the test machine."""
    return [_row(run.device.destroy(info.ref)) for info in _roots(run)]


@contextmanager
def _card(run: Run, pin: str) -> Iterator[KeyCarrierSession]:
    """The rehearsal's own transmission key card, open; it is made when it is needed first."""
    drawer = CarrierDrawer(folder_of(run.ceremony.number) / "carriers", sync=False)
    kind = DeviceKind.TRANSMISSION_KEY_CARD
    serial = next(iter(drawer.serials(kind)), "") or drawer.manufacture(kind, 1)[0]
    take_in(run.device, drawer.maker)
    with KeyCarrierSession(drawer.reader(serial), carrier_keys(run.device, drawer.maker.name)) as card:
        if card.state().must_change_pin:
            card.change_pin(card.profile.pin.initial, pin)
        card.authenticate(pin)
        yield card


def _roots(run: Run) -> list[KeyInfo]:
    owner, version = run.ceremony.organisation_id, int(run.payload["version"])
    algorithm = Algorithm(run.payload["algorithm"])
    present = {(info.name, info.version): info for info in run.device.list_keys() if not info.parent}
    return [
        present.get((label, version))
        or run.device.generate(label, algorithm, Usage.DIVERSIFY, version=version, owner=owner, diversified=False)
        for label in (machine_name(name, algorithm) for name in run.payload["names"])
    ]


def _child(run: Run, root: KeyInfo) -> KeyInfo:
    for info in run.device.list_keys():
        if info.parent == root.ref and not info.destroyed:
            return info
    return run.device.derive(root.ref, FACTOR, name=root.name, owner=RECIPIENT, usage=Usage.DIVERSIFY)


def _row(info: KeyInfo) -> dict[str, Any]:
    name = info.name.rpartition(".")[0]
    return {"name": name, "algorithm": info.algorithm.name, "version": info.version, "check_value": info.check_value}
