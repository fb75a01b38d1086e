"""Register designated institutions and their terminals (S4)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import TerminalNumber
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.states import StateTable
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.open_account import open_party_account
from sheka.systems.accounts.models import Kind
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.models import Institution, Terminal
from sheka.systems.transactions.states import INSTITUTION, TERMINAL


@action(Permission.ACQUIRING_REGISTER)
def register_institution(actor: Actor, *, code: str, name: str) -> Institution:
    """An institution of the actor's organisation: its account is opened, its MAC key is made in the encryption machine.

    Raises Refused: INSTITUTION_EXISTS, and the machine's refusals.
    """
    place = organisation(actor.organisation)
    if Institution.objects.filter(code=code).exists():
        raise Refused(Code.INSTITUTION_EXISTS, institution=code)
    account = open_party_account(actor, kind=Kind.INSTITUTION, party=code)
    key = _mac_key(place.code, code)
    row = Institution.objects.create(
        code=code,
        name=name,
        organisation=place,
        account=account,
        mac_key=key.ref,
        mac_check_value=key.check_value,
        state=INSTITUTION.initial,
        registered_at=timezone.now(),
    )
    record(actor, "institution.registered", f"institution:{code}", name=name, mac_check_value=key.check_value)
    return row


@action(Permission.ACQUIRING_REGISTER)
def register_terminals(actor: Actor, *, institution_code: str, numbers: Sequence[str]) -> list[Terminal]:
    """Terminals of an institution, by their 12-digit numbers.

    Raises Refused: INSTITUTION_UNKNOWN, TERMINAL_EXISTS, TERMINAL_NUMBER_REGION, and what is wrong with a number.
    """
    institution = _institution(actor, institution_code)
    region = organisation(institution.organisation_id).region
    for number in numbers:
        if TerminalNumber.parse(number).region != region:
            raise Refused(Code.TERMINAL_NUMBER_REGION, number=number)
    if known := Terminal.objects.filter(number__in=numbers).first():
        raise Refused(Code.TERMINAL_EXISTS, number=known.number)
    now = timezone.now()
    made = Terminal.objects.bulk_create(
        Terminal(number=number, institution=institution, state=TERMINAL.initial, registered_at=now)
        for number in numbers
    )
    record(
        actor, "terminals.registered", f"institution:{institution.code}", count=len(made), numbers=list(numbers)[:20]
    )
    return made


@action(Permission.ACQUIRING_REGISTER)
def change_institution(actor: Actor, *, code: str, verb: str, reason: str = "") -> Institution:
    """activate, suspend, resume or close an institution."""
    institution = _institution(actor, code)
    _change(institution, INSTITUTION, verb)
    record(actor, f"institution.{verb}", f"institution:{code}", reason=reason)
    return institution


@action(Permission.ACQUIRING_REGISTER)
def change_terminals(actor: Actor, *, numbers: Sequence[str], verb: str, reason: str = "") -> list[Terminal]:
    """activate, suspend, resume or close terminals. Raises Refused(TERMINAL_UNKNOWN)."""
    rows = {row.number: row for row in Terminal.objects.select_for_update().filter(number__in=numbers)}
    for number in numbers:
        if number not in rows:
            raise Refused(Code.TERMINAL_UNKNOWN, terminal=number)
    for row in rows.values():
        actor.must_act_for(row.institution.organisation_id)
        _change(row, TERMINAL, verb)
    record(actor, f"terminals.{verb}", f"terminals:{actor.organisation}", numbers=list(numbers)[:20], reason=reason)
    return list(rows.values())


def _change(row: Institution | Terminal, table: StateTable, verb: str) -> None:
    row.state = table.after(row.state, verb)
    row.save(update_fields=["state"])


def _institution(actor: Actor, code: str) -> Institution:
    found = Institution.objects.select_for_update().filter(code=code).first()
    if found is None:
        raise Refused(Code.INSTITUTION_UNKNOWN, institution=code)
    actor.must_act_for(found.organisation_id)
    return found


def _mac_key(owner: str, code: str):  # type: ignore[no-untyped-def]
    """The MAC key of the line to an institution: one key, used as it is; what an interrupted attempt made is taken
    up.
    """
    device = machine_of(owner)
    name = f"MAC-{code}"
    for known in device.list_keys():
        if known.name == name and not known.destroyed:
            return known
    return device.generate(name, Algorithm.SM4, Usage.MAC, owner=owner)
