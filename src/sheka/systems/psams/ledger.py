"""Moving a PSAM: lock, guard, change, life line, and word to those above, in one place (K8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from sheka.foundation.canonical import plain_form
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.messages.outbox import send
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import BUREAUS, organisation
from sheka.office.staff.actors import Actor
from sheka.systems.custody.ledger import must_hold
from sheka.systems.custody.models import Carrier
from sheka.systems.custody.queries.carriers import carrier_in_hand, carriers
from sheka.systems.psams.models import Psam, PsamEvent
from sheka.systems.psams.states import PSAM

MOVED = "psams.moved"
KIND = "psam"


def keeper(actor: Actor) -> Actor:
    """The process that reads and writes custody for the actor's organisation: its rights are checked by our own."""
    return Actor.process("psams", actor.organisation)


def carrier_held(actor: Actor, serial: str) -> Carrier:
    """The carrier that was handed over to this very person (K6); a process holds what its organisation has.

    Raises Refused: CARRIER_UNKNOWN, CARRIER_NOT_IN_HAND, CARRIER_STOPPED.
    """
    found = carrier_in_hand(keeper(actor), serial)
    must_hold(actor, found)
    return found


def psam_carriers(actor: Actor) -> QuerySet[Carrier]:
    """The PSAMs in custody's register of the actor's organisation."""
    return carriers(keeper(actor)).filter(kind=KIND)


def lock_psam(actor: Actor, serial: str) -> Psam:
    """The row of the actor's own register, made from the carrier's when nobody touched it yet.

    Raises Refused: PSAM_NOT_HERE, PSAM_KIND.
    """
    found = Psam.objects.select_for_update(of=("self",)).filter(serial=serial, organisation_id=actor.organisation)
    row = found.select_related("organisation").first()
    return row if row is not None else _registered(actor, serial)


def move(actor: Actor, psam: Psam, verb: str, event: str = "", **facts: object) -> Psam:
    """Bring a locked row to the state after `verb`, with everything else that was set on it; its audit row is the
    action's. Raises Refused(STATE_FORBIDS).
    """
    psam.state, psam.since = PSAM.after(psam.state, verb), timezone.now()
    psam.told_state = ""
    psam.save()
    tell(actor, psam, event or verb, **facts)
    _report(psam)
    return psam


def tell(actor: Actor, psam: Psam, event: str, **facts: object) -> None:
    """A point of the life line."""
    plain: Any = plain_form(facts)
    PsamEvent.objects.create(psam=psam, at=timezone.now(), event=event, facts=plain, by=actor.name)


def said(field: Term, text: str, longest: int = 200) -> str:
    """What was written, without blanks around it. Raises Refused(PSAM_ENTRY)."""
    clean = " ".join(text.split())[:longest]
    if not clean:
        raise Refused(Code.PSAM_ENTRY, field=field)
    return clean


def named_keys(keys: Iterable[dict[str, Any]]) -> str:
    """Keys with versions and check values, for a sentence."""
    return ", ".join(f"{row['name']} v{row['version']} ({row['check_value']})" for row in keys)


def superiors(place: Organisation) -> list[str]:
    """The bureaus above an organisation, the nearest first."""
    found = []
    while place.parent is not None:
        place = place.parent
        if place.kind in BUREAUS:
            found.append(place.code)
    return found


def _registered(actor: Actor, serial: str) -> Psam:
    carrier = carriers(keeper(actor)).filter(serial=serial).first()
    if carrier is None:
        raise Refused(Code.PSAM_NOT_HERE, serial=serial)
    if carrier.kind != KIND:
        raise Refused(Code.PSAM_KIND, serial=serial)
    place = organisation(actor.organisation)
    made = Psam.objects.create(
        serial=serial,
        organisation=place,
        state="loaded" if carrier.content else "blank",
        keys=carrier.content,
        region=place.region,
        registered_at=timezone.now(),
        since=timezone.now(),
    )
    tell(actor, made, "registered")
    _report(made)
    return made


def _report(psam: Psam) -> None:
    """Those above keep the place and the state of what they passed on."""
    if psam.state == "away":
        return
    payload = {
        "serial": psam.serial,
        "state": psam.state,
        "region": psam.region,
        "terminal": psam.terminal,
        "institution": psam.institution,
    }
    for superior in superiors(psam.organisation):
        send(psam.organisation_id, superior, MOVED, payload)
