"""Starting an account with a code: who could take it over, and what a code alone opens."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from sheka.faces.story.security_key import SoftKey
from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.staff.actions.move_staff import leave_staff
from sheka.office.staff.actions.start_again import start_again, start_digest
from sheka.office.staff.confirmations import confirm_with_code
from sheka.office.staff.enrolment import (
    Lost,
    choose_password,
    enrol_authenticator,
    enrol_key,
    enrolment,
    prove_old_password,
    redeem,
)
from sheka.office.staff.models import EnrolmentCode, StaffMember
from sheka.office.staff.proofs import CODE, factors_of
from sheka.office.staff.queries import pending_device
from sheka.office.staff.rules import rules
from sheka.office.staff.security_keys import registration_options
from sheka.office.staff.sessions import running
from sheka.office.staff.sign_in import check_password, open_session
from sheka.office.staff.tries import NOWHERE

OLD, NEW, WHY = "a long pass phrase", "four unlike words here", "looked at the identity card"


def refusal(call, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        call(*args, **kwargs)
    return refused.value.code


def person(login):
    return StaffMember.objects.select_related("organisation").get(login=login)


def code_for(installer, login, lost):
    return start_again(installer, staff=person(login), lost=lost, reason=WHY)


def test_a_new_account_is_started_by_its_person_alone(appoint, installer, phone):
    phone("clerk", "460100-01", "clerk")
    _actor, code_of = phone("helper")
    staff = person("clerk")
    open_session(staff, factor=CODE, visit=NOWHERE, key="k")
    code = code_for(installer, "clerk", Lost.ALL)
    assert not running(staff).exists() and factors_of(staff) == set()
    assert refusal(check_password, "clerk", OLD) is Code.SIGN_IN_FAILED
    begun = redeem("clerk", code.lower().replace("-", ""), NOWHERE)
    choose_password(begun, NEW, NOWHERE)
    assert enrolment(begun.pk).used_at is None
    enrol_authenticator(begun, code_of(pending_device(begun.staff)))
    assert check_password("clerk", NEW).pk == staff.pk
    assert refusal(enrolment, begun.pk) is Code.ENROLMENT_FAILED
    assert refusal(redeem, "clerk", code, NOWHERE) is Code.ENROLMENT_FAILED
    row = Event.objects.get(event="staff.started_again")
    assert code not in row.facts and WHY in row.facts
    assert not EnrolmentCode.objects.filter(code__contains=code).exists()


def test_a_lost_password_still_needs_the_device(installer, phone):
    _actor, code_of = phone("clerk")
    begun = redeem("clerk", code_for(installer, "clerk", Lost.PASSWORD), NOWHERE)
    assert refusal(choose_password, begun, NEW, NOWHERE, code="000000") is Code.SIGN_IN_FAILED
    with time_machine.travel(timezone.now() + timedelta(seconds=40)):
        choose_password(begun, NEW, NOWHERE, code=code_of())
        assert check_password("clerk", NEW)
    assert refusal(enrolment, begun.pk) is Code.ENROLMENT_FAILED


def test_lost_devices_still_need_the_password(installer, phone, settings):
    phone("clerk")
    begun = redeem("clerk", code_for(installer, "clerk", Lost.FACTORS), NOWHERE)
    assert refusal(prove_old_password, begun, "wrong", NOWHERE) is Code.SIGN_IN_FAILED
    prove_old_password(begun, OLD, NOWHERE)
    key = SoftKey(settings.WEBAUTHN_RP_ID, settings.WEBAUTHN_ORIGINS[0])
    challenge = b"e" * 32
    enrol_key(begun, challenge, key.register(registration_options(begun.staff, challenge)), "blue")
    assert factors_of(person("clerk")) == {"key"}
    assert check_password("clerk", OLD)


def test_an_old_password_is_not_chosen_again(installer, phone):
    phone("clerk")
    begun = redeem("clerk", code_for(installer, "clerk", Lost.ALL), NOWHERE)
    assert refusal(choose_password, begun, OLD, NOWHERE) is Code.PASSWORD_USED


def test_a_code_ends_with_its_hours_with_the_next_one_and_when_the_person_leaves(appoint, installer):
    appoint("clerk", "460100-01")
    first = code_for(installer, "clerk", Lost.ALL)
    second = code_for(installer, "clerk", Lost.ALL)
    assert refusal(redeem, "clerk", first, NOWHERE) is Code.ENROLMENT_FAILED
    begun = redeem("clerk", second, NOWHERE)
    with time_machine.travel(timezone.now() + rules().enrolment + timedelta(seconds=1)):
        assert refusal(redeem, "clerk", second, NOWHERE) is Code.ENROLMENT_FAILED
        assert refusal(enrolment, begun.pk) is Code.ENROLMENT_FAILED
    leave_staff(installer, staff=person("clerk"), reason=WHY)
    assert refusal(redeem, "clerk", second, NOWHERE) is Code.ENROLMENT_FAILED


def test_guessing_codes_locks_and_says_nothing_of_names(appoint, installer):
    appoint("clerk", "460100-01")
    code = code_for(installer, "clerk", Lost.ALL)
    with time_machine.travel("2026-11-20T12:00:00+08:00"):
        known = [refusal(redeem, "clerk", "AAAA", NOWHERE) for _ in range(rules().failures)]
        unknown = [refusal(redeem, "nobody", "AAAA", NOWHERE) for _ in range(rules().failures)]
        assert known == unknown == [Code.ENROLMENT_FAILED] * (rules().failures - 1) + [Code.SIGN_IN_LOCKED]
        assert refusal(redeem, "clerk", code, NOWHERE) is Code.SIGN_IN_LOCKED


def test_an_administrator_gives_no_code_without_presence_nor_to_an_own_account(phone, appoint):
    boss, code_of = phone("boss", "460100", "security_administrator")
    appoint("clerk", "460100-01")
    staff = person("clerk")
    assert refusal(start_again, boss, staff=staff, lost=Lost.ALL, reason=WHY) is Code.CONFIRMATION_NEEDED
    confirm_with_code(boss, start_digest(staff, Lost.PASSWORD), OLD, code_of())
    assert refusal(start_again, boss, staff=staff, lost=Lost.ALL, reason=WHY) is Code.CONFIRMATION_NEEDED
    confirm_with_code(boss, start_digest(staff, Lost.ALL), OLD, code_of())
    assert start_again(boss, staff=staff, lost=Lost.ALL, reason=WHY)
    own = person("boss")
    with time_machine.travel(timezone.now() + timedelta(seconds=40)):
        confirm_with_code(boss, start_digest(own, Lost.ALL), OLD, code_of())
        assert refusal(start_again, boss, staff=own, lost=Lost.ALL, reason=WHY) is Code.STAFF_OWN_ACCOUNT


def test_a_closed_account_gets_no_code(appoint, installer):
    appoint("clerk", "460100-01")
    leave_staff(installer, staff=person("clerk"), reason=WHY)
    assert refusal(code_for, installer, "clerk", Lost.ALL) is Code.STAFF_INACTIVE
