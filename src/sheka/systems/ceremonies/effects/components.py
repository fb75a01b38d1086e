"""A key in parts: each custodian enters one, sealed in the own browser to the machine; nobody sees another's (K6).

The machine keeps the parts in memory for half an hour. When it lost them, the entry of that key is begun anew.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sheka.equipment.encryption_machine.model import KeyInfo, Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.refusals import Code, Refused
from sheka.office.organisations.queries import organisation
from sheka.systems.ceremonies.effects import Lost, effect
from sheka.systems.ceremonies.run import Run
from sheka.systems.keys.catalogue import machine_name, usage_at

GONE = frozenset((Code.MACHINE_COMPONENTS_UNKNOWN, Code.MACHINE_COMPONENT_PART))


@effect("begin_entry")
def begin_entry(run: Run) -> dict[str, Any]:
    """The machine is ready for the parts of this key."""
    key, algorithm, version = run.step["key"], Algorithm(run.payload["algorithm"]), int(run.payload["version"])
    usage = usage_at(organisation(run.ceremony.organisation_id).kind, key)
    reference = run.device.begin_components(
        machine_name(key, algorithm),
        algorithm,
        usage,
        version=version,
        owner=run.ceremony.organisation_id,
        scheme=run.ceremony.scheme,
        parts=len(run.custodians),
        threshold=run.threshold,
        diversified=usage is not Usage.DIVERSIFY,
        movable=usage is Usage.DIVERSIFY and bool(run.payload.get("movable")),
    )
    run.facts["entry"] = {"key": key, "reference": reference, "parts": {}}
    return {"key": key, "scheme": run.ceremony.scheme, "parts": len(run.custodians), "threshold": run.threshold}


@effect("component")
def component(run: Run) -> dict[str, Any]:
    """One part, sealed; its check value is shown to everybody. When it is not the one on paper, all is begun anew.

    Raises Refused: CEREMONY_GIVEN, and the machine's.
    """
    entry = run.facts["entry"]
    sealed, one_time = run.need_bytes("sealed"), run.need_bytes("entry", 16)
    try:
        value = run.device.enter_component(entry["reference"], run.seat.place, one_time, sealed)
    except Refused as refusal:
        if refusal.code in GONE:
            raise Lost(run.step["key"], refusal) from refusal
        raise
    typed = run.given.get("check_value", "").replace(" ", "").upper()
    if typed and typed != value:
        raise Lost(run.step["key"], Refused(Code.CEREMONY_VALUE, got=typed[:16]))
    entry["parts"][run.seat.key] = value
    return {"key": run.step["key"], "part": run.seat.place, "check_value": value, "on_paper": typed}


@effect("join")
def join(run: Run) -> dict[str, Any]:
    """The machine joins the parts into the key. After an interruption the key that is there already is taken up."""
    entry, typed = run.facts["entry"], run.given.get("check_value", "").replace(" ", "").upper()
    made = _present(run)
    if made is None:
        try:
            made = run.device.finish_components(entry["reference"], typed)
        except Refused as refusal:
            if refusal.code in GONE:
                raise Lost(run.step["key"], refusal) from refusal
            raise
    row = {
        "name": run.step["key"],
        "algorithm": made.algorithm.name,
        "version": made.version,
        "check_value": made.check_value,
    }
    run.facts["values"] = [*run.facts.get("values", []), row]
    run.facts.pop("entry")
    return {"key": run.step["key"], "check_value": made.check_value, "parts": entry["parts"]}


def cancel_entry(run: Run) -> None:
    """Nothing half done stays in the machine; one that no longer answers or has forgotten it is no reason to stop."""
    entry = run.facts.pop("entry", None)
    if entry is not None:
        with suppress(Refused):
            run.device.cancel_components(entry["reference"])


def _present(run: Run) -> KeyInfo | None:
    name = machine_name(run.step["key"], Algorithm(run.payload["algorithm"]))
    wanted = (name, int(run.payload["version"]), run.ceremony.organisation_id)
    for info in run.device.list_keys():
        if (info.name, info.version, info.owner) == wanted and not info.destroyed:
            return info
    return None
