"""A PSAM and its terminal: bound, shipped, activated, described while in use, taken back (K8)."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sheka.equipment.card_reader.psam import PsamSession
from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.initialisation.device_keys import psam_keys
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.custody.labels import STATES as CARRIER_STATES
from sheka.systems.custody.queries.carriers import carrier_in_hand
from sheka.systems.keys.machines import machine_of
from sheka.systems.psams.actions.load_psam import must_be_in
from sheka.systems.psams.labels import FORMS, MODES
from sheka.systems.psams.ledger import carrier_held, keeper, lock_psam, move, said
from sheka.systems.psams.models import Psam, PsamFacts
from sheka.systems.psams.states import PSAM
from sheka.systems.transactions.actions.bind_psam import bind_psam as put_into_terminal
from sheka.systems.transactions.actions.bind_psam import put_in_service, release_psam
from sheka.systems.transactions.queries_of_blocks import blocks_on_psam, terminal_of


@action(Permission.PSAM_BIND)
def bind_psam(actor: Actor, *, serial: str, terminal: str, reader: Reader) -> Psam:
    """One PSAM, one terminal: written into the chip through the reader and into the registry that the switch follows.

    Raises Refused: PSAM_NOT_HERE, PSAM_BLOCKED, STATE_FORBIDS, TERMINAL_UNKNOWN, TERMINAL_HAS_PSAM, PSAM_IN_TERMINAL,
    ORGANISATION_OUT_OF_REACH, what custody, machine and reader refuse.
    """
    psam = lock_psam(actor, serial)
    PSAM.after(psam.state, "bind")
    carrier_held(actor, serial)
    if blocks_on_psam(serial):
        raise Refused(Code.PSAM_BLOCKED, serial=serial)
    made = put_into_terminal(actor, terminal=terminal, psam=serial)
    with PsamSession(reader) as session:
        must_be_in(session, serial)
        session.bind_terminal(psam_keys(machine_of(actor.organisation)), terminal)
    institution = made.terminal.institution
    psam.terminal, psam.institution = terminal, institution.code
    psam.region = _region_of(institution.code, psam.organisation)
    move(actor, psam, "bind", terminal=terminal, institution=institution.name)
    record(actor, "psam.bound", psam.subject, terminal=terminal, institution=institution.code)
    return psam


@action(Permission.PSAM_BIND)
def unbind_psam(actor: Actor, *, serial: str, reason: str) -> Psam:
    """It never left: the terminal is free again. Raises Refused: PSAM_NOT_HERE, PSAM_ENTRY, STATE_FORBIDS."""
    psam = lock_psam(actor, serial)
    why = said(Term("原因", "The reason"), reason)
    PSAM.after(psam.state, "unbind")
    terminal = release_psam(actor, psam=serial)
    _forget_terminal(psam)
    move(actor, psam, "unbind", terminal=terminal, reason=why)
    record(actor, "psam.unbound", psam.subject, terminal=terminal, reason=why)
    return psam


@action(Permission.PSAM_BIND)
def ship_psam(actor: Actor, *, serial: str, receiver: str) -> Psam:
    """It goes with its terminal to the institution. A custodian handed it out before, by two people (K6).

    Raises Refused: PSAM_NOT_HERE, PSAM_NOT_HANDED_OUT, PSAM_ENTRY, STATE_FORBIDS, what custody refuses.
    """
    psam = lock_psam(actor, serial)
    PSAM.after(psam.state, "ship")
    carrier = carrier_held(actor, serial)
    if carrier.state != "in_use":
        raise Refused(Code.PSAM_NOT_HANDED_OUT, serial=serial, state=CARRIER_STATES[carrier.state])
    to = said(Term("机构收件人", "Who receives it at the institution"), receiver, 60)
    move(actor, psam, "ship", institution=psam.institution, receiver=to, terminal=psam.terminal)
    record(actor, "psam.shipped", psam.subject, institution=psam.institution)
    return psam


@action(Permission.PSAM_BIND)
def activate_psam(actor: Actor, *, serial: str) -> Psam:
    """From now on the switch takes purchases of its terminal. Raises Refused: PSAM_BLOCKED, STATE_FORBIDS."""
    psam = lock_psam(actor, serial)
    PSAM.after(psam.state, "activate")
    carrier_in_hand(keeper(actor), serial)
    if blocks_on_psam(serial):
        raise Refused(Code.PSAM_BLOCKED, serial=serial)
    put_in_service(actor, psam=serial, active=True)
    move(actor, psam, "activate", terminal=psam.terminal)
    record(actor, "psam.activated", psam.subject, terminal=psam.terminal)
    return psam


@action(Permission.PSAM_BIND)
def describe_psam(
    actor: Actor, *, serial: str, form: str, conditions: str, mode: str, since: date | None = None
) -> PsamFacts:
    """Physical form, external conditions and mode of use, as they are from a day on; earlier records stay.

    Raises Refused: PSAM_ENTRY, STATE_FORBIDS.
    """
    psam = lock_psam(actor, serial)
    if form not in FORMS:
        raise Refused(Code.PSAM_ENTRY, field=Term("物理形态", "The physical form"))
    if mode not in MODES:
        raise Refused(Code.PSAM_ENTRY, field=Term("使用方式", "The mode of use"))
    where = said(Term("外部条件", "The external conditions"), conditions)
    day = since or timezone.localdate()
    if day > timezone.localdate():
        raise Refused(Code.PSAM_ENTRY, field=Term("不晚于今天的起始日期", "A first day that is not in the future"))
    made = PsamFacts.objects.create(
        psam=psam, form=form, conditions=where, mode=mode, since=day, by=actor.name, at=timezone.now()
    )
    words = {"form": FORMS[form], "mode": MODES[mode]}
    facts = {name: [term.zh, term.en] for name, term in words.items()}
    move(actor, psam, "describe", conditions=where, since=day.isoformat(), **facts)
    record(actor, "psam.described", psam.subject, form=form, mode=mode, conditions=where, since=day.isoformat())
    return made


@action(Permission.PSAM_KEEP)
def take_back_psam(actor: Actor, *, serial: str, reason: str) -> Psam:
    """It came back from its terminal, which it serves no more. Its keys are erased before anything else.

    Raises Refused: PSAM_NOT_HERE, PSAM_ENTRY, STATE_FORBIDS.
    """
    psam = lock_psam(actor, serial)
    why = said(Term("收回原因", "The reason"), reason)
    PSAM.after(psam.state, "take_back")
    leave_terminal(psam)
    move(actor, psam, "take_back", reason=why)
    record(actor, "psam.taken_back", psam.subject, reason=why)
    return psam


def leave_terminal(psam: Psam) -> None:
    """The registry of terminals forgets it, wherever it was bound; the PSAM's own row too."""
    if terminal_of(psam.serial) is not None:
        release_psam(Actor.process("psams", psam.organisation_id), psam=psam.serial)
    _forget_terminal(psam)


def _forget_terminal(psam: Psam) -> None:
    psam.terminal, psam.institution, psam.region = "", "", psam.organisation.region


def _region_of(institution: str, place: Organisation) -> str:
    """Where an institution is: as a partner of the tree it says so itself, else it is its bureau's."""
    found = Organisation.objects.filter(code=institution).first()
    return found.region if found is not None else place.region
