"""The certificate of an encryption machine, once its registration is approved (K4)."""

from __future__ import annotations

from datetime import date
from typing import Any

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.approvals.models import Proposal
from sheka.office.approvals.seats import place_term
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.systems.keys.models import Machine
from sheka.systems.keys.states import MACHINE
from sheka.systems.keys.waiting import certificate_in_order

CERTIFY, WITHDRAW = "machines.certify", "machines.retire"
TEXTS = ("model", "serial", "place", "supplier", "certificate", "document")
OTHER_DEVICE = Term("申请后加密机已更换", "the machine was replaced since the request was made")


def machine_row(organisation_code: str, *, lock: bool = False) -> Machine:
    """The registered machine of an organisation. Raises Refused(MACHINE_NOT_REGISTERED)."""
    rows = Machine.objects.select_for_update() if lock else Machine.objects
    found = rows.filter(organisation_id=organisation_code).first()
    if found is None:
        raise Refused(Code.MACHINE_NOT_REGISTERED, organisation=place_term(organisation_code))
    return found


def certify(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """The last approval: the machine may do production work until the last day of its certificate."""
    payload = proposal.payload
    row = _same_device(proposal)
    row.state = MACHINE.after(row.state, "certify")
    for name in TEXTS:
        setattr(row, name, payload[name])
    row.level = payload["level"]
    row.valid_from, row.valid_until = map(date.fromisoformat, (payload["valid_from"], payload["valid_until"]))
    row.production_until, row.warned_days = row.valid_until, None
    row.save()
    certificate_in_order(actor, row)
    until = payload["valid_until"]
    record(actor, "machine.certified", row.subject, certificate=row.certificate, serial=row.serial, until=until)
    return {"certificate": row.certificate, "until": until}


def withdraw(actor: Actor, proposal: Proposal) -> dict[str, Any]:
    """The last approval: the machine does no more work. Its keys stay in it until they are destroyed."""
    row = _same_device(proposal)
    row.state = MACHINE.after(row.state, "retire")
    row.production_until = None
    row.save(update_fields=["state", "production_until"])
    certificate_in_order(actor, row)
    record(actor, "machine.retired", row.subject, serial=row.serial, reason=proposal.payload["reason"])
    return {"serial": row.serial}


def _same_device(proposal: Proposal) -> Machine:
    row = machine_row(proposal.organisation_id, lock=True)
    if row.fingerprint != proposal.payload["fingerprint"]:
        raise Refused(Code.MACHINE_CERTIFICATE_FACTS, what=OTHER_DEVICE)
    return row
