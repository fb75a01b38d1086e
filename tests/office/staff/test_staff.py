"""Roles and signing in: rights end with their day, incompatible roles never meet in one person, guessing is stopped."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from tests.support.organisations import PLACES

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.staff.actions.grant_role import grant_role
from sheka.office.staff.models import Grant, StaffMember
from sheka.office.staff.permissions import Permission, incompatible_pairs, matrix, role_levels
from sheka.office.staff.proofs import CODE, prove_code
from sheka.office.staff.queries import actor_named, actor_of
from sheka.office.staff.rules import rules
from sheka.office.staff.sessions import session_in_force
from sheka.office.staff.sign_in import check_password, open_session
from sheka.office.staff.tries import NOWHERE

TERM = {"valid_from": date(2026, 1, 1), "valid_to": date(2030, 1, 1)}


def person(login):
    return StaffMember.objects.get(login=login)


def test_rights_come_from_the_grants_of_today(appoint, tree):
    actor = appoint("officer", "460100", "key_officer")
    assert actor.may(Permission.KEY_IMPORT)
    assert not actor.may(Permission.KEY_DECIDE)
    Grant.objects.filter(staff__login="officer").update(valid_to=timezone.localdate())
    assert not actor_named("officer").may(Permission.KEY_IMPORT)


@pytest.mark.req("K6")
@pytest.mark.parametrize("pair", sorted(map(sorted, incompatible_pairs())))
def test_two_roles_that_must_stay_apart_are_not_granted_to_one_person(appoint, installer, pair):
    shared = sorted(role_levels()[pair[0]] & role_levels()[pair[1]])
    codes = [PLACES[(shared or sorted(role_levels()[role]))[0]] for role in pair]
    for number, place in enumerate(codes):
        appoint(f"account-{number}", place, person="one-person")
    grant_role(installer, staff=person("account-0"), role=pair[0], **TERM)
    with pytest.raises(Refused) as refused:
        grant_role(installer, staff=person("account-1"), role=pair[1], **TERM)
    assert refused.value.code is Code.ROLE_INCOMPATIBLE


def test_a_role_needs_its_level_its_existence_and_another_granter(appoint, installer):
    appoint("officer", "460100")
    administrator = appoint("admin", "460100", "system_administrator")
    cases = [
        (installer, "officer", "examiner", Code.ROLE_WRONG_LEVEL),
        (installer, "officer", "emperor", Code.ROLE_UNKNOWN),
        (administrator, "admin", "issuance_clerk", Code.ROLE_SELF_GRANT),
    ]
    for granter, login, role, code in cases:
        with pytest.raises(Refused) as refused:
            grant_role(granter, staff=person(login), role=role, **TERM)
        assert refused.value.code is code


def test_every_permission_is_held_by_some_role():
    held = frozenset().union(*matrix().values())
    assert frozenset(Permission) - held == {Permission.CARD_TAKE_RIGHT}, "held by the processes of the node only"


def test_one_who_left_may_nothing(appoint):
    appoint("leaver", "460100", "key_officer")
    StaffMember.objects.filter(login="leaver").update(is_active=False)
    with pytest.raises(Refused) as refused:
        actor_of(person("leaver"))
    assert refused.value.code is Code.STAFF_INACTIVE


def test_password_and_code_open_and_a_code_counts_once(appoint):
    appoint("clerk", "460100")
    device = TOTPDevice.objects.create(user=person("clerk"), name="phone", confirmed=True)
    staff = check_password("clerk", "a long pass phrase")
    code = f"{TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift).token():06d}"
    assert prove_code(staff, code, NOWHERE).pk == device.pk
    with pytest.raises(Refused) as again:
        prove_code(staff, code, NOWHERE)
    assert again.value.code is Code.SIGN_IN_FAILED
    opened = open_session(staff, factor=CODE, visit=NOWHERE, key="k")
    assert session_in_force(opened.pk, staff.pk) == opened
    assert Event.objects.filter(event="staff.signed_in", subject="staff:clerk").count() == 1


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(appoint):
    appoint("clerk", "460100")
    answers = []
    for login in ("clerk", "nobody"):
        with pytest.raises(Refused) as refused:
            check_password(login, "wrong")
        answers.append(str(refused.value))
    assert answers[0] == answers[1]


def test_repeated_failures_lock_the_account_for_a_time(appoint):
    appoint("clerk", "460100")
    TOTPDevice.objects.create(user=person("clerk"), name="phone", confirmed=True)
    for _ in range(rules().failures):
        with pytest.raises(Refused) as refused:
            check_password("clerk", "wrong")
    assert refused.value.code is Code.SIGN_IN_LOCKED
    with pytest.raises(Refused) as still:
        check_password("clerk", "a long pass phrase")
    assert still.value.code is Code.SIGN_IN_LOCKED
    StaffMember.objects.filter(login="clerk").update(locked_until=timezone.now() - timedelta(seconds=1))
    assert check_password("clerk", "a long pass phrase").login == "clerk"
    assert Event.objects.filter(event="staff.sign_in_failed").count() == rules().failures
