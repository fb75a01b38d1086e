"""Shares of a machine's seal or of a back-up: made by the machine, each sealed to its holder's browser (K6).

What is kept here until a holder has taken it is a text sealed to a key that only one browser has; it is removed then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sheka.foundation.refusals import Code, Refused
from sheka.systems.ceremonies.effects import effect
from sheka.systems.ceremonies.run import Run, device_of
from sheka.systems.ceremonies.scripts import CUSTODIAN, custodian

POINT = 65


@effect("receive")
def receive(run: Run) -> dict[str, Any]:
    """The public half of a key that the custodian's browser made."""
    public = run.need_bytes("receiver", POINT).hex()
    run.facts.setdefault("receivers", {})[run.seat.key] = public
    return {"receiver": public[:32]}


@effect("offer_shares")
def offer_shares(run: Run) -> dict[str, Any]:
    """The machine makes the shares; the seal stays as it was until they are confirmed."""
    offered = run.device.offer_shares(run.threshold, receivers(run))
    run.facts["offered"] = offered.set.hex()
    keep_for_holders(run, offered.sealed)
    return {"threshold": run.threshold, "holders": len(offered.sealed), "set": offered.set.hex()}


@effect("take")
def take(run: Run) -> dict[str, Any]:
    """The holder has read the share in the own browser and written it down."""
    run.facts["shares"].pop(run.seat.key, None)
    return {"holder": run.seat.place}


@effect("confirm_shares")
def confirm_shares(run: Run) -> dict[str, Any]:
    """Put them in force. When an earlier try was cut off after the machine had done it, it is not done again."""
    run.carry_out_plan()
    found = run.device.describe()
    try:
        run.device.confirm_shares(bytes.fromhex(run.facts["offered"]))
    except Refused as refusal:
        done = (found.threshold, found.holders) == (run.threshold, len(run.custodians))
        if refusal.code is not Code.MACHINE_SHARES_NOT_OFFERED or not done:
            raise
    run.facts["fingerprint"] = device_of(run.ceremony).describe().fingerprint
    return {"threshold": run.threshold, "holders": len(run.custodians), "set": run.facts["offered"]}


@effect("share")
def share(run: Run) -> dict[str, Any]:
    """One holder's share of a back-up, sealed in the browser to the machine's one-time key."""
    holder = run.need("holder")
    if not holder.isdecimal():
        raise Refused(Code.CEREMONY_GIVEN, field="holder")
    machine = device_of(run.ceremony)
    if not machine.describe().sealed:  # the last share has opened it before an interruption
        return {"holder": int(holder), "presented": run.threshold, "needed": run.threshold}
    progress = machine.unseal(int(holder), run.need_bytes("entry"), run.need_bytes("sealed"))
    return {"holder": int(holder), "presented": progress.presented, "needed": progress.needed}


def receivers(run: Run) -> list[bytes]:
    """The custodians' public keys in their order. Raises Refused(CEREMONY_GIVEN)."""
    known = run.facts.get("receivers", {})
    if missing := [seat for seat in run.custodians if seat not in known]:
        raise Refused(Code.CEREMONY_GIVEN, field=missing[0])
    return [bytes.fromhex(known[seat]) for seat in run.custodians]


def keep_for_holders(run: Run, sealed: Sequence[bytes]) -> None:
    """Until each has taken the own one."""
    run.facts["shares"] = {custodian(place): one.hex() for place, one in enumerate(sealed, 1)}


def share_for(facts: dict[str, Any], seat: str) -> str:
    """What waits for a holder, sealed to the browser that asked for it; empty when it was taken."""
    return str(facts.get("shares", {}).get(seat, "")) if seat.startswith(CUSTODIAN) else ""
