"""Onboarding by test transactions (S4): begun and accepted by the officer, taken up by another person.

The program ticks the steps off from what the switch saw (`onboarding`); nobody can.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.actions import action
from sheka.office.audit.trail import record
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.acquiring_models import Onboarding
from sheka.systems.transactions.actions.register_institution import add_terminals, open_test_side
from sheka.systems.transactions.models import Channel, Institution, Terminal
from sheka.systems.transactions.onboarding import progress, version
from sheka.systems.transactions.registration import locked, person_behind, wrong
from sheka.systems.transactions.states import INSTITUTION

SEPARATOR = Term("、", ", ")


@action(Permission.ACQUIRING_REGISTER)
def begin_testing(
    actor: Actor, *, code: str, protocol: str, software: str, terminals: Sequence[str], channel: str = Channel.ISO8583
) -> Onboarding:
    """Open the script for an institution, with test terminals of their own numbers; of one in service beside its work,
    for a new version of the protocol or of its software.

    Raises Refused: INSTITUTION_UNKNOWN, STATE_FORBIDS, ONBOARDING_OPEN, PROTOCOL_NOT_IN_FORCE, REGISTRATION_VALUE, and
    what `register_terminals` raises.
    """
    row = locked(actor, code)
    version(protocol, timezone.localdate())
    if not 1 <= len(software.strip()) <= 60:
        raise wrong("software", "一至六十个字符", "1 to 60 characters")
    if Onboarding.objects.filter(institution=row, ended_at=None).exists():
        raise Refused(Code.ONBOARDING_OPEN, institution=code)
    if row.state not in ("active", "suspended"):
        row.state = INSTITUTION.after(row.state, "begin_testing")
        row.save(update_fields=["state"])
    side = open_test_side(actor, row)
    if side.state != "active":
        side.state = "active"
        side.save(update_fields=["state"])
    known = set(Terminal.objects.filter(institution=side, number__in=terminals).values_list("number", flat=True))
    fresh = [number for number in dict.fromkeys(terminals) if number not in known]
    add_terminals(actor, side, fresh, channel, "active", {})
    Onboarding.objects.filter(institution=row, outcome="accepted", adopted_at=None).update(outcome="superseded")
    made = Onboarding.objects.create(
        institution=row,
        protocol=protocol,
        software=software.strip(),
        channel=channel,
        begun_at=timezone.now(),
        by=actor.name,
    )
    record(
        actor,
        "institution.testing_begun",
        f"institution:{code}",
        protocol=protocol,
        software=made.software,
        terminals=list(terminals)[:20],
        channel=channel,
    )
    return made


@action(Permission.ACQUIRING_REGISTER)
def accept_testing(actor: Actor, *, code: str) -> Onboarding:
    """Close the script with every step done. What was seen is kept with it.

    Raises Refused: INSTITUTION_UNKNOWN, ONBOARDING_NOT_OPEN, ONBOARDING_INCOMPLETE, PROTOCOL_NOT_IN_FORCE.
    """
    row, tests = _open(actor, code)
    version(tests.protocol, timezone.localdate())
    ticks = progress(tests)
    missing = [tick.step.title for tick in ticks if not tick.done]
    if missing:
        told = Term("、".join(one.zh for one in missing), ", ".join(one.en for one in missing))
        raise Refused(Code.ONBOARDING_INCOMPLETE, missing=told)
    _end(actor, row, tests, "accepted")
    tests.ticks = {tick.step.name: tick.trial for tick in ticks}
    tests.save(update_fields=["ticks"])
    if row.state == "testing":
        row.state = INSTITUTION.after(row.state, "accept")
    row.accepted_by = person_behind(actor)
    row.save(update_fields=["state", "accepted_by"])
    record(actor, "institution.testing_accepted", f"institution:{code}", protocol=tests.protocol, ticks=tests.ticks)
    return tests


@action(Permission.ACQUIRING_REGISTER)
def give_up_testing(actor: Actor, *, code: str, reason: str) -> Onboarding:
    """End the tests without a result; the test terminals stop.

    Raises Refused: ONBOARDING_NOT_OPEN, REGISTRATION_VALUE.
    """
    row, tests = _open(actor, code)
    if not reason.strip():
        raise wrong("reason", "请说明原因", "say why")
    _end(actor, row, tests, "given_up")
    if row.state == "testing":
        row.state = INSTITUTION.after(row.state, "give_up")
        row.save(update_fields=["state"])
    record(actor, "institution.testing_given_up", f"institution:{code}", reason=reason.strip()[:300])
    return tests


def _open(actor: Actor, code: str) -> tuple[Institution, Onboarding]:
    row = locked(actor, code)
    tests = Onboarding.objects.select_for_update().filter(institution=row, ended_at=None).first()
    if tests is None:
        raise Refused(Code.ONBOARDING_NOT_OPEN, institution=code)
    return row, tests


def _end(actor: Actor, row: Institution, tests: Onboarding, outcome: str) -> None:
    tests.ended_at, tests.ended_by, tests.outcome = timezone.now(), actor.name, outcome
    tests.save(update_fields=["ended_at", "ended_by", "outcome"])
    Institution.objects.filter(test_of=row).update(state="suspended")
