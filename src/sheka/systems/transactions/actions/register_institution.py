"""Register designated institutions and their terminals, and keep what is registered true (S4).

Who registers is not who activates: `change_institution` is another permission, and another person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from sheka.equipment.encryption_machine.model import Usage
from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.numbers import TerminalNumber
from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.organisations.models import Organisation
from sheka.office.organisations.queries import organisation
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.accounts.actions.open_account import open_party_account
from sheka.systems.accounts.models import Kind
from sheka.systems.keys.machines import machine_of
from sheka.systems.transactions.actions.change_institution import change_institution, change_terminals
from sheka.systems.transactions.models import Channel, Institution, InstitutionKind, Terminal
from sheka.systems.transactions.registration import PLACING, details_of, locked, person_behind, placing_of, wrong
from sheka.systems.transactions.states import INSTITUTION, TERMINAL

__all__ = [
    "change_institution",
    "change_terminals",
    "register_institution",
    "register_terminals",
    "update_institution",
    "update_terminal",
]
TEST_MARK = "T"
LONGEST_CODE = 14
"""One character is left for the mark of the test side: field 42 has fifteen."""
_KINDS = {"H": InstitutionKind.HOSPITAL, "P": InstitutionKind.PHARMACY}


@action(Permission.ACQUIRING_REGISTER)
def register_institution(actor: Actor, *, code: str, name: str, kind: str = "", **details: Any) -> Institution:
    """An institution of the actor's organisation: its account is opened, its MAC key is made in the encryption machine.

    `details`: contract, contract_from, contract_to, region, address, contact, phone. Raises Refused:
    INSTITUTION_EXISTS, REGISTRATION_VALUE, and the machine's refusals.
    """
    place = organisation(actor.organisation)
    if not (code.isascii() and code.isalnum() and 1 <= len(code) <= LONGEST_CODE):
        raise wrong("code", "一至十四位字母或数字", f"up to {LONGEST_CODE} letters and digits")
    if Institution.objects.filter(code=code).exists():
        raise Refused(Code.INSTITUTION_EXISTS, institution=code)
    given = {"kind": kind or _KINDS.get(code[0], InstitutionKind.OTHER).value, "region": place.region, **details}
    row = _made(actor, place, code, **details_of(given | {"name": name}))
    record(
        actor, "institution.registered", f"institution:{code}", name=name, mac_check_value=row.mac_check_value, **given
    )
    return row


@action(Permission.ACQUIRING_REGISTER)
def update_institution(actor: Actor, *, code: str, **details: Any) -> Institution:
    """Change what is registered of an institution, beside its code: name, kind, contract, place, contact.

    Raises Refused: INSTITUTION_UNKNOWN, REGISTRATION_VALUE.
    """
    row = locked(actor, code)
    changed = {name: value for name, value in details_of(details).items() if getattr(row, name) != value}
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=[*changed]) if changed else None
    record(actor, "institution.changed", f"institution:{code}", before=_plain(before), after=_plain(changed))
    return row


@action(Permission.ACQUIRING_REGISTER)
def register_terminals(
    actor: Actor, *, institution_code: str, numbers: Sequence[str], channel: str = Channel.ISO8583, **placing: Any
) -> list[Terminal]:
    """Terminals of an institution, by their 12-digit numbers.

    `placing`: model, serial, software, place, region, latitude, longitude, the same for all of them. Raises Refused:
    INSTITUTION_UNKNOWN, TERMINAL_EXISTS, TERMINAL_NUMBER_REGION, REGISTRATION_VALUE, and what is wrong with a number.
    """
    institution = locked(actor, institution_code)
    made = add_terminals(actor, institution, numbers, channel, TERMINAL.initial, placing)
    record(
        actor,
        "terminals.registered",
        f"institution:{institution.code}",
        count=len(made),
        numbers=list(numbers)[:20],
        channel=channel,
    )
    return made


@action(Permission.ACQUIRING_REGISTER)
def update_terminal(actor: Actor, *, number: str, **placing: Any) -> Terminal:
    """Change what is registered of a terminal: model, serial, software, place, region, coordinates.

    Raises Refused: TERMINAL_UNKNOWN, REGISTRATION_VALUE.
    """
    row = Terminal.objects.select_for_update(of=("self",)).select_related("institution").filter(number=number).first()
    if row is None:
        raise Refused(Code.TERMINAL_UNKNOWN, terminal=number)
    actor.must_act_for(row.institution.organisation_id)
    changed = {name: value for name, value in placing_of(placing).items() if getattr(row, name) != value}
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=[*changed]) if changed else None
    record(actor, "terminal.changed", f"terminal:{number}", before=_plain(before), after=_plain(changed))
    return row


def open_test_side(actor: Actor, institution: Institution) -> Institution:
    """The test side of an institution: its own key, account and code (the institution's with a T behind it)."""
    known = Institution.objects.filter(test_of=institution).first()
    if known is not None:
        return known
    place = organisation(institution.organisation_id)
    return _made(
        actor,
        place,
        institution.code + TEST_MARK,
        name=f"{institution.name}（测试）"[:120],
        kind=institution.kind,
        region=institution.region,
        state="active",
        test_of=institution,
    )


def add_terminals(
    actor: Actor, institution: Institution, numbers: Sequence[str], channel: str, state: str, placing: Mapping[str, Any]
) -> list[Terminal]:
    """New rows in `state`; the caller is an action and records it. Raises Refused as `register_terminals` does."""
    region = organisation(institution.organisation_id).region
    if channel not in Channel.values:
        raise wrong("channel", "iso8583或rest", "iso8583 or rest")
    for number in numbers:
        if TerminalNumber.parse(number).region != region:
            raise Refused(Code.TERMINAL_NUMBER_REGION, number=number)
    if known := Terminal.objects.filter(number__in=numbers).first():
        raise Refused(Code.TERMINAL_EXISTS, number=known.number)
    values = {"region": institution.region or region, **placing_of(placing)}
    now, person = timezone.now(), person_behind(actor)
    return Terminal.objects.bulk_create(
        Terminal(
            number=number,
            institution=institution,
            state=state,
            registered_at=now,
            channel=channel,
            registered_by=person,
            **{name: values.get(name, "") for name in PLACING[:5]},
            latitude=values.get("latitude"),
            longitude=values.get("longitude"),
        )
        for number in numbers
    )


def _made(actor: Actor, place: Organisation, code: str, **values: Any) -> Institution:
    account = open_party_account(actor, kind=Kind.INSTITUTION, party=code)
    key = _mac_key(place.code, code)
    now = timezone.now()
    filled = dict.fromkeys(("contract", "address", "contact", "phone", "protocol", "software", "accepted_by"), "")
    return Institution.objects.create(
        code=code,
        organisation=place,
        account=account,
        mac_key=key.ref,
        mac_check_value=key.check_value,
        mac_version=1,
        mac_since=now,
        registered_at=now,
        registered_by=person_behind(actor),
        **{**filled, "state": INSTITUTION.initial, **values},
    )


def _plain(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


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
