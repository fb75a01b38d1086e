"""Steps that the key system carries out, as the ceremony's process and never as a person alone (K2, K3, K6).

A rehearsal does the same on its test machine and test card (`rehearsed`); nothing of it reaches the registry of keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.initialisation.carrier_drawer import CarrierDrawer
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.systems.ceremonies.effects import effect, rehearsed
from sheka.systems.ceremonies.run import Run
from sheka.systems.keys.actions.activate_keys import activate_keys
from sheka.systems.keys.actions.destroy_keys import destroy_keys
from sheka.systems.keys.actions.export_keys import export_keys
from sheka.systems.keys.actions.generate_keys import generate_keys
from sheka.systems.keys.actions.import_keys import import_keys
from sheka.systems.keys.models import Key


@effect("generate")
def generate(run: Run) -> dict[str, Any]:
    """The approved keys, made inside the machine that was checked."""
    if run.ceremony.rehearsal:
        return _told(run, rehearsed.generate(run))
    assert run.device
    return _told(run, _rows(generate_keys(run.process, proposal_id=run.proposal_id)))


@effect("register")
def register(run: Run) -> dict[str, Any]:
    """The keys that were entered by components become keys of the register; the key system takes them up."""
    if run.ceremony.rehearsal:
        return {"values": run.facts["values"]}
    made = _rows(generate_keys(run.process, proposal_id=run.proposal_id))
    entered = {row["name"]: row["check_value"] for row in run.facts["values"]}
    for row in made:
        if entered.get(row["name"]) != row["check_value"]:
            raise Refused(Code.CEREMONY_VALUE, got=row["check_value"])
    return _told(run, made)


@effect("export")
def export(run: Run) -> dict[str, Any]:
    """The sub-keys of the recipient, in envelopes, onto the transmission key card whose PIN was typed."""
    pin, serial = run.need("pin"), run.ceremony.asked["carrier"]
    if run.ceremony.rehearsal:
        return _told(run, rehearsed.export(run, pin), carrier=serial)
    assert run.device
    sent = export_keys(run.process, proposal_id=run.proposal_id, carrier=serial, reader=_reader(serial), pin=pin)
    algorithm = Algorithm(sent.algorithm).name
    rows = [
        {"name": row["name"], "algorithm": algorithm, "version": sent.version, "check_value": row["check_value"]}
        for row in sent.content
    ]
    return _told(run, rows, carrier=serial, consignment=str(sent.number), recipient=sent.recipient)


@effect("import")
def import_(run: Run) -> dict[str, Any]:
    """What the superior sent on a transmission key card, into the machine that was checked."""
    pin, serial = run.need("pin"), run.ceremony.asked["carrier"]
    if run.ceremony.rehearsal:
        return _told(run, rehearsed.import_(run, pin), carrier=serial)
    assert run.device
    run.carry_out_plan()
    held = import_keys(run.process, carrier=serial, reader=_reader(serial), pin=pin)
    return _told(run, _rows(held), carrier=serial)


@effect("activate")
def activate(run: Run) -> dict[str, Any]:
    """The approved keys go into use."""
    if run.ceremony.rehearsal:
        return _told(run, rehearsed.generate(run))
    return _told(run, _rows(activate_keys(run.process, proposal_id=run.proposal_id)))


@effect("destroy")
def destroy(run: Run) -> dict[str, Any]:
    """The approved keys are wiped in the machine that was checked."""
    if run.ceremony.rehearsal:
        return _told(run, rehearsed.destroy(run))
    assert run.device
    return _told(run, _rows(destroy_keys(run.process, proposal_id=run.proposal_id)))


def _reader(serial: str) -> Reader:
    return CarrierDrawer(settings.NODE.folder / "carriers").reader(serial)


def _rows(keys: Sequence[Key]) -> list[dict[str, Any]]:
    return [
        {
            "name": key.name,
            "algorithm": Algorithm(key.algorithm).name,
            "version": key.version,
            "check_value": key.check_value,
        }
        for key in keys
    ]


def _told(run: Run, rows: list[dict[str, Any]], **more: str) -> dict[str, Any]:
    """The check values are shown to everybody from now on."""
    run.facts["values"] = rows
    return {"values": rows, **more}
