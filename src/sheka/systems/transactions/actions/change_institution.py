"""Take institutions and terminals into service and out of it: a right and a person of its own (S4)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.acquiring_models import Onboarding
from sheka.systems.transactions.models import Institution, Terminal
from sheka.systems.transactions.registration import locked, person_behind, wrong
from sheka.systems.transactions.states import INSTITUTION, TERMINAL

SERVED = ("active", "suspended")


@action(Permission.ACQUIRING_ACTIVATE)
def change_institution(actor: Actor, *, code: str, verb: str, reason: str = "") -> Institution:
    """activate, adopt, suspend, resume or close an institution.

    `activate` and `adopt` need accepted tests, a contract in force if one is registered, and another person than who
    registered it or accepted the tests. Raises Refused: INSTITUTION_UNKNOWN, STATE_FORBIDS, ACTIVATED_BY_SAME_PERSON,
    ONBOARDING_NOT_OPEN, CONTRACT_NOT_IN_FORCE, REGISTRATION_VALUE.
    """
    if verb not in ("activate", "adopt", "suspend", "resume", "close"):
        raise wrong("verb", "没有这项操作", "there is no such verb")
    row = locked(actor, code)
    state = INSTITUTION.after(row.state, verb)
    if verb in ("activate", "adopt"):
        _another_person(actor, row.registered_by, row.accepted_by)
        _take_up(row)
    if verb in ("activate", "adopt", "resume"):
        _contract_in_force(row)
    if verb == "close":
        _close_rest(row)
    row.state = state
    row.save(update_fields=["state", "protocol", "software"])
    record(actor, f"institution.{verb}", f"institution:{code}", reason=reason.strip()[:300], protocol=row.protocol)
    return row


@action(Permission.ACQUIRING_ACTIVATE)
def change_terminals(actor: Actor, *, numbers: Sequence[str], verb: str, reason: str = "") -> list[Terminal]:
    """activate, suspend, resume or close terminals; they are activated under an active institution, by another person.

    Raises Refused: TERMINAL_UNKNOWN, STATE_FORBIDS, ACTIVATED_BY_SAME_PERSON, INSTITUTION_STILL_TESTING,
    REGISTRATION_VALUE.
    """
    if verb not in ("activate", "suspend", "resume", "close"):
        raise wrong("verb", "没有这项操作", "there is no such verb")
    found = Terminal.objects.select_for_update(of=("self",)).select_related("institution").filter(number__in=numbers)
    rows = {row.number: row for row in found.order_by("number")}
    for number in numbers:
        if number not in rows:
            raise Refused(Code.TERMINAL_UNKNOWN, terminal=number)
    for row in rows.values():
        actor.must_act_for(row.institution.organisation_id)
        state = TERMINAL.after(row.state, verb)
        if verb == "activate":
            _another_person(actor, row.registered_by)
            if row.institution.state not in SERVED:
                raise Refused(Code.INSTITUTION_STILL_TESTING, institution=row.institution.code)
        row.state = state
        row.save(update_fields=["state"])
    record(
        actor,
        f"terminals.{verb}",
        f"terminals:{actor.organisation}",
        numbers=list(numbers)[:20],
        reason=reason.strip()[:300],
    )
    return list(rows.values())


def _another_person(actor: Actor, *persons: str) -> None:
    """Raises Refused(ACTIVATED_BY_SAME_PERSON). A process of the node is no person and stands for none."""
    person = person_behind(actor)
    if person and person in persons:
        raise Refused(Code.ACTIVATED_BY_SAME_PERSON)


def _take_up(row: Institution) -> None:
    """The protocol and software of the last accepted tests are in use from now on."""
    tested = Onboarding.objects.select_for_update().filter(institution=row, outcome="accepted", adopted_at=None).first()
    if tested is None:
        raise Refused(Code.ONBOARDING_NOT_OPEN, institution=row.code)
    tested.adopted_at = timezone.now()
    tested.save(update_fields=["adopted_at"])
    row.protocol, row.software = tested.protocol, tested.software


def _contract_in_force(row: Institution) -> None:
    today = timezone.localdate()
    begun = row.contract_from is None or row.contract_from <= today
    if not begun or (row.contract_to is not None and row.contract_to <= today):
        raise Refused(Code.CONTRACT_NOT_IN_FORCE, institution=row.code)


def _close_rest(row: Institution) -> None:
    """What hangs on a closed institution: its terminals, its test side with its terminals, its certificates."""
    now = timezone.now()
    Terminal.objects.filter(institution=row).exclude(state="closed").update(state="closed")
    Terminal.objects.filter(institution__test_of=row).exclude(state="closed").update(state="closed")
    Institution.objects.filter(test_of=row).update(state="closed")
    row.certificates.filter(ended_at=None).update(ended_at=now, ended_by="closed")
